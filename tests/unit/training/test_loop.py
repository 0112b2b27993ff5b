"""The training loop: resuming, best checkpoint, NaN, masks, frozen parts."""

import math

import pytest
import torch
from torch import nn

from dere.config.training import TrainingConfig
from dere.training.loop import LossParts, fit, freeze, freeze_parts
from dere.training.losses import squared, target_loss

CONFIG = TrainingConfig(epochs=6, steps_per_epoch=4, batch=8, learning_rate=1e-2, patience=6)


def network(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.Linear(8, 1))


def loss(model, batch):
    x, y = batch
    return squared(model(x), y, torch.ones(()))


def draw(generator):
    x = torch.randn(8, 3, generator=generator)
    return x, x.sum(-1, keepdim=True)


VALIDATION = [draw(torch.Generator().manual_seed(9))]


def run(model, **more):
    return fit(model, draw=draw, validation=VALIDATION, loss=loss, config=CONFIG, seed=1, **more)


def test_killed_run_resumes_to_bit_identical_weights(tmp_path):
    whole, last = network(), tmp_path / "last.pt"
    complete = run(whole)
    run(network(), last=last, identity="a", stop_after=3)
    assert last.exists()
    resumed = network(seed=5)
    result = run(resumed, last=last, identity="a")
    for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert list(result.history["validation_loss"]) == list(complete.history["validation_loss"])


def test_running_average_is_what_is_validated_and_kept(tmp_path):
    config = CONFIG.model_copy(update={"average": 0.9})
    seen, kept = [], {}

    def watched(model, batch):
        if model.training:
            seen.append([p.detach().clone() for p in model.parameters()])
        else:
            kept[len(seen)] = [p.detach().clone() for p in model.parameters()]
        return loss(model, batch)

    model = network()
    result = fit(model, draw=draw, validation=VALIDATION, loss=watched, config=config, seed=1)
    # the weights that a step starts from are those that the step before has left; the last ones are never seen
    mean, steps = seen[0], config.steps_per_epoch
    for step, weights in enumerate(seen[1 : steps + 1]):
        decay = min(0.9, step / (step + 1))
        mean = [decay * m + (1 - decay) * w for m, w in zip(mean, weights, strict=True)]
    torch.testing.assert_close(kept[steps], mean)
    best = kept[result.best_epoch * steps]
    assert all(torch.equal(a, b) for a, b in zip(best, model.parameters(), strict=True))
    last = tmp_path / "last.pt"
    again = {"draw": draw, "validation": VALIDATION, "loss": loss, "config": config, "seed": 1, "last": last}
    fit(network(), **again, stop_after=2)
    resumed = network(seed=5)
    fit(resumed, **again)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), resumed.parameters(), strict=True))


def test_a_truncated_or_foreign_last_file_starts_over(tmp_path):
    last = tmp_path / "last.pt"
    run(network(), last=last, identity="a", stop_after=2)
    whole, other = network(), network()
    run(whole)
    run(other, last=last, identity="b")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), other.parameters(), strict=True))
    last.write_bytes(b"PK broken")
    again = network()
    run(again, last=last, identity="a")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))


def test_best_weights_are_those_of_the_best_epoch():
    model = network()
    result = run(model)
    model.eval()
    final = float(loss(model, VALIDATION[0]).mean)
    assert final == pytest.approx(result.history["validation_loss"].min())
    assert result.history["validation_loss"].min() == result.best_loss


def test_worsening_validation_keeps_the_start_and_stops_by_patience():
    config = TrainingConfig(epochs=50, steps_per_epoch=2, learning_rate=1e-2, patience=2)
    model = network()
    start = {k: v.clone() for k, v in model.state_dict().items()}
    against = [(VALIDATION[0][0], model.eval()(VALIDATION[0][0]).detach())]
    result = fit(model, draw=draw, validation=against, loss=loss, config=config, seed=0)
    assert result.best_epoch == 0 and result.history["epoch"].max() == 2
    assert all(torch.equal(v, start[k]) for k, v in model.state_dict().items())


def test_seed_is_used():
    a, b, c = network(), network(), network()
    run(a)
    run(b)
    fit(c, draw=draw, validation=VALIDATION, loss=loss, config=CONFIG, seed=2)
    assert torch.equal(a[0].weight, b[0].weight) and not torch.equal(a[0].weight, c[0].weight)


def test_nan_in_training_and_validation_is_an_error():
    def broken(model, batch):
        parts = loss(model, batch)
        return LossParts(parts.numerator * math.nan, parts.denominator) if model.training else parts

    with pytest.raises(FloatingPointError, match="epoch 1, step 1"):
        fit(network(), draw=draw, validation=VALIDATION, loss=broken, config=CONFIG, seed=0)
    nan = [(VALIDATION[0][0] * math.nan, VALIDATION[0][1])]
    with pytest.raises(FloatingPointError, match="before training"):
        fit(network(), draw=draw, validation=nan, loss=loss, config=CONFIG, seed=0)


def test_empty_validation_and_nothing_to_train_are_said():
    with pytest.raises(ValueError, match="validation set holds no observed value"):
        fit(network(), draw=draw, validation=[], loss=loss, config=CONFIG, seed=0)
    with pytest.raises(ValueError, match="nothing to train"):
        run(freeze(network()))


def test_frozen_part_stays_bit_identical_and_in_eval_mode():
    model = nn.Sequential(freeze(nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))), nn.Linear(8, 1))
    before = {k: v.clone() for k, v in model[0].state_dict().items()}
    head = model[1].weight.clone()
    run(model)
    assert all(torch.equal(v, before[k]) for k, v in model[0].state_dict().items())
    assert not torch.equal(model[1].weight, head)


def test_missing_months_do_not_change_the_masked_mean():
    prediction, truth = torch.randn(2, 10), torch.randn(2, 10)
    weight = (torch.rand(2, 10) > 0.4).float()
    once = squared(prediction, truth, weight).mean
    more = squared(
        torch.cat([prediction, torch.randn(2, 10)], 1), torch.cat([truth, torch.zeros(2, 10)], 1),
        torch.cat([weight, torch.zeros(2, 10)], 1),
    ).mean  # fmt: skip
    torch.testing.assert_close(once, more)
    nan = prediction.clone()
    nan[weight == 0] = math.nan
    assert torch.isnan(squared(nan, truth, weight).mean)


def test_no_observed_month_gives_zero_loss_and_zero_gradient():
    prediction = torch.randn(3, requires_grad=True)
    value = squared(prediction, torch.zeros(3), torch.zeros(3)).mean
    value.backward()
    assert float(value.detach()) == 0 and float(prediction.grad.abs().sum()) == 0


def test_target_loss_counts_channels_alike():
    std = torch.tensor([10.0, 0.1])
    truth = torch.zeros(5, 2)
    a = target_loss(truth + torch.tensor([10.0, 0.0]), truth, std).mean
    b = target_loss(truth + torch.tensor([0.0, 0.1]), truth, std).mean
    torch.testing.assert_close(a, b)


def test_frozen_parts_must_exist():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2))
    freeze_parts(model, ("0",))
    assert not any(p.requires_grad for p in model.parameters())
    with pytest.raises(ValueError, match="frozen names 'backbone', but this network has 0"):
        freeze_parts(model, ("backbone",))


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_fixed_number_of_epochs_leaves_the_last_weights_and_validates_nothing(average, tmp_path):
    config = CONFIG.model_copy(update={"average": average})
    fixed = {"draw": draw, "validation": (), "loss": loss, "config": config, "seed": 1, "epochs": 3}

    def never_better(model, batch):
        return loss(model, batch) if model.training else LossParts(torch.tensor(1.0), torch.tensor(1.0))

    last = tmp_path / "last.pt"
    fit(network(), **fixed | {"validation": VALIDATION, "loss": never_better, "epochs": None}, last=last, stop_after=3)
    state = torch.load(last, weights_only=True)
    assert state["best_epoch"] == 0
    expected = state["averaged"] if average else list(state["model"].values())
    model = network()
    result = fit(model, **fixed)
    assert all(torch.equal(a, b) for a, b in zip(expected, model.parameters(), strict=True))
    assert result.history["validation_loss"].isna().all() and len(result.history) == 4
    killed, resumed = tmp_path / "killed.pt", network(seed=5)
    fit(network(), **fixed, last=killed, stop_after=1)
    fit(resumed, **fixed, last=killed)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), resumed.parameters(), strict=True))


def test_no_epoch_leaves_the_start():
    model, start = network(), network()
    fit(model, draw=draw, validation=(), loss=loss, config=CONFIG, seed=1, epochs=0)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), start.parameters(), strict=True))
