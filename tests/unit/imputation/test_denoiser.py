import pytest
import torch

from dere.imputation.denoiser import Denoiser, shift


def _side(model, sites=2, length=24, seed=0):
    generator = torch.Generator().manual_seed(seed)
    monthly = torch.randn(sites, length, 5, generator=generator)
    target = torch.zeros(sites, length, 2)
    target[:, 6:12] = 1
    return model.encode(monthly, torch.randn(sites, 3, generator=generator), torch.ones(sites, length), target)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = Denoiser(5, 3, channels=8, layers=2, heads=2).eval()
    torch.nn.init.normal_(model.outlet.weight)
    return model


def test_an_untrained_network_predicts_zero_velocity():
    model = Denoiser(5, 3, channels=8, layers=2, heads=2)
    out = model(_side(model), torch.randn(2, 4, 24, 2), torch.full((1, 1), 7))
    assert out.shape == (2, 4, 24, 2) and float(out.detach().abs().max()) == 0.0


def test_samples_do_not_talk_to_each_other(model):
    side, noisy = _side(model), torch.randn(2, 4, 24, 2)
    together = model(side, noisy, torch.full((1, 1), 7))
    alone = model(side, noisy[:, 2:3], torch.full((1, 1), 7))
    assert torch.allclose(together[:, 2:3], alone, atol=1e-6)


def test_values_at_months_that_are_not_generated_are_not_read(model):
    side, noisy = _side(model), torch.randn(2, 1, 24, 2)
    changed = noisy.clone()
    changed[:, :, 12:] += 5
    step = torch.full((1, 1), 7)
    assert torch.equal(model(side, noisy, step), model(side, changed, step))
    changed = noisy.clone()
    changed[:, :, 7] += 5
    assert not torch.equal(model(side, noisy, step), model(side, changed, step))


def test_a_far_year_and_the_whole_record_reach_every_month(model):
    side, noisy = _side(model, length=120), torch.zeros(2, 1, 120, 2)
    changed = noisy.clone()
    changed[:, :, 8] = 2.0
    moved = (model(side, noisy, torch.full((1, 1), 7)) - model(side, changed, torch.full((1, 1), 7))).abs()
    assert float(moved[:, :, 100].detach().min()) > 0


def test_steps_can_differ_between_samples(model):
    side, noisy = _side(model), torch.randn(2, 2, 24, 2)
    step = torch.tensor([[3, 40], [40, 3]])
    both = model(side, noisy, step)
    assert torch.allclose(both[0, 1], model(side, noisy, torch.full((1, 1), 40))[0, 1], atol=1e-6)


def test_shift_lets_zeros_in_and_never_wraps_around():
    x = torch.arange(4.0).view(1, 4, 1) + 1
    assert shift(x, 1).flatten().tolist() == [0, 1, 2, 3]
    assert shift(x, -2).flatten().tolist() == [3, 4, 0, 0]
    assert shift(x, 9).flatten().tolist() == [0, 0, 0, 0]


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match=r"imputation\.heads = 3"):
        Denoiser(5, 3, channels=8, heads=3)
