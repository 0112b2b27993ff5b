"""What every backbone must do, whatever it is."""

import pytest
import torch

from dere.backbones import BACKBONES, Sizes, make_backbone
from dere.config.training import BackboneConfig

SIZES = Sizes(drivers=5, static=4, condition=6, dynamic=3, window=24)
CONFIG = BackboneConfig(width=16, heads=2, feedforward=24, dropout=0.1)


@pytest.fixture(params=sorted(BACKBONES))
def backbone(request):
    torch.manual_seed(0)
    return make_backbone(request.param, SIZES, CONFIG, 2)


def inputs(samples=3, copies=4):
    g = torch.Generator().manual_seed(1)
    return (
        torch.randn(samples, 24, 5, generator=g),
        torch.randn(samples, 4, generator=g),
        torch.randn(samples * copies, 6, generator=g),
        torch.randn(samples * copies, 24, 3, generator=g),
    )


def test_encoding_once_equals_encoding_per_decoding(backbone):
    backbone.eval()
    drivers, static, condition, dynamic = inputs()
    together = backbone.decode(backbone.encode(drivers, static), condition, dynamic)
    assert together.shape == (12, 24, backbone.width)
    single = [
        backbone.decode(backbone.encode(drivers[i // 4][None], static[i // 4][None]), condition[[i]], dynamic[[i]])
        for i in range(12)
    ]
    torch.testing.assert_close(together, torch.cat(single), rtol=1e-4, atol=1e-5)


def test_gradient_reaches_every_parameter(backbone):
    # the modulations start at zero, so their sources get a gradient only after one step
    optimiser = torch.optim.SGD(backbone.parameters(), lr=0.1)
    drivers, static, condition, dynamic = inputs()
    for _ in range(2):
        optimiser.zero_grad()
        memory = backbone.encode(drivers, static)
        sum(backbone.decode(memory, condition, dynamic, b).square().mean() for b in (0, 1)).backward()
        optimiser.step()
    without = [n for n, p in backbone.named_parameters() if p.grad is None or not p.grad.abs().sum()]
    # keys shift all scores of a query alike, so softmax gives their bias no gradient
    assert [n for n in without if not n.endswith("key.bias")] == []


def test_evaluation_is_deterministic_and_training_is_not(backbone):
    drivers, static, condition, dynamic = inputs()

    def run():
        return backbone.decode(backbone.encode(drivers, static), condition, dynamic)

    assert not torch.equal(run(), run())
    backbone.eval()
    assert torch.equal(run(), run())


def test_overfits_eight_samples(backbone):
    torch.manual_seed(0)
    drivers, static, condition, dynamic = inputs(8, 1)
    truth = torch.randn(8, 24)
    head = torch.nn.Linear(backbone.width, 1)
    backbone.eval()
    optimiser = torch.optim.Adam([*backbone.parameters(), *head.parameters()], lr=1e-2)
    for _ in range(300):
        loss = (
            (head(backbone.decode(backbone.encode(drivers, static), condition, dynamic))[..., 0] - truth)
            .square()
            .mean()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss < 0.1 * truth.var()


def test_first_month_does_not_see_the_last_through_the_embedding():
    backbone = make_backbone("transformer", SIZES, CONFIG)
    x = torch.randn(1, 5, 24)
    y = x.clone()
    y[..., -1] += 5
    torch.testing.assert_close(backbone.tokens(x)[..., :-2], backbone.tokens(y)[..., :-2])


def test_unknown_backbone_is_named():
    with pytest.raises(ValueError, match="backbone 'lstm' is unknown; choose one of"):
        make_backbone("lstm", SIZES, CONFIG)
