"""What every backbone must do, whatever it is."""

import pytest
import torch

from dere.backbones import make_backbone, names
from dere.config.network import BackboneConfig
from small_backbones import SIZES, inputs, make

VARIANTS = [
    *((name, {}) for name in sorted(names())),
    ("transformer", {"decoder_self_attention": True, "circular": True}),
    ("informer", {"distil": True}),
    ("informer", {"decoder_self_attention": True, "mix": True, "factor": 1}),
    ("transformer", {"decoder_self_attention": True, "norms": "after", "distil": True, "mix": True}),
    ("fedformer", {"modes": 3, "fourier": "published", "scores": "softmax", "circular": True}),
    ("itransformer", {"layout": "published"}),
    ("timexer", {"layout": "published"}),
    ("simpletm", {"layout": "published", "alpha": 0.5}),
    ("lstm", {"cell": "ea", "bidirectional": False}),
    ("lstm", {"cell": "gru", "encoder_layers": 2}),
]


@pytest.fixture(params=VARIANTS, ids=lambda v: "-".join([v[0], *map(str, v[1])]))
def backbone(request):
    torch.manual_seed(0)
    name, options = request.param
    return make(name, 2, **options)


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
        if loss < 0.1 * truth.var():
            return
    pytest.fail(f"the loss is still {loss:.3f}")


@pytest.mark.parametrize("name", ["itransformer", "timexer"])
@pytest.mark.parametrize("layout", ["shared", "published"])
def test_the_order_of_the_drivers_means_nothing_to_variate_tokens(name, layout):
    network = make(name, layout=layout)
    network.eval()
    drivers, static, condition, dynamic = inputs()
    order = torch.tensor([3, 0, 4, 1, 2])
    expected = network.decode(network.encode(drivers, static), condition, dynamic)
    permuted = network.decode(network.encode(drivers[..., order], static), condition, dynamic)
    torch.testing.assert_close(permuted, expected, rtol=1e-4, atol=1e-5)


def test_permuted_wavelet_filters_and_drivers_give_the_same():
    network = make("simpletm")
    with torch.no_grad():
        for p in network.layers[0].mixing.wavelet.parameters():
            p += 0.1 * torch.randn_like(p)
    network.eval()
    drivers, static, condition, dynamic = inputs()
    expected = network.decode(network.encode(drivers, static), condition, dynamic)
    order = torch.tensor([3, 0, 4, 1, 2])
    with torch.no_grad():
        for layer in network.layers:
            for p in layer.mixing.wavelet.parameters():
                p.copy_(p[torch.cat([order, torch.tensor([5])])])
    permuted = network.decode(network.encode(drivers[..., order], static), condition, dynamic)
    torch.testing.assert_close(permuted, expected, rtol=1e-4, atol=1e-5)


def test_conditions_of_the_published_layout_permute_the_output():
    network = make("itransformer", layout="published")
    network.eval()
    drivers, static, condition, dynamic = inputs()
    order = torch.tensor([5, 2, 0, 1, 4, 3])
    memory = network.encode(drivers, static)
    expected = network.decode(memory, condition, dynamic)[..., order]
    torch.testing.assert_close(network.decode(memory, condition[:, order], dynamic), expected, rtol=1e-4, atol=1e-5)


def test_conditions_and_what_belongs_to_them_permute_the_output():
    """TimeXer's global tokens and SimpleTM's filters belong to a condition and move with it."""
    order = torch.tensor([5, 2, 0, 1, 4, 3])
    drivers, static, condition, dynamic = inputs()
    for name in ("timexer", "simpletm"):
        network = make(name, layout="published").eval()
        memory = network.encode(drivers, static)
        decoder = network.decoders[0]
        expected = network.decode(memory, condition, dynamic)[..., order]
        with torch.no_grad():
            if name == "timexer":
                moving = [decoder.overall]
            else:
                moving = [p[-6:] for layer in decoder.layers for p in layer.mixing.wavelet.parameters()]
                for p in moving:
                    p += 0.1 * torch.randn_like(p)
                expected = network.decode(memory, condition, dynamic)[..., order]
            for p in moving:
                p.copy_(p[order])
        found = network.decode(memory, condition[:, order], dynamic)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
        assert (network.decode(memory, condition, dynamic) - expected).abs().max() > 1e-3


def test_loaded_fedformer_keeps_its_frequencies():
    torch.manual_seed(1)
    one = make("fedformer", modes=3)
    other = make("fedformer", modes=3)
    other.load_state_dict(one.state_dict())
    one.eval(), other.eval()
    drivers, static, condition, dynamic = inputs()
    a, b = (n.decode(n.encode(drivers, static), condition, dynamic) for n in (one, other))
    assert torch.equal(a, b)


def test_patches_that_do_not_fill_the_window_are_named():
    with pytest.raises(ValueError, match=r"networks\.timexer\.patch is 7, which does not divide the window of 24"):
        make("timexer", patch=7)


def test_a_window_of_another_length_is_named():
    network = make("itransformer")
    with pytest.raises(ValueError, match="the window has 12 months, this network was built for 24"):
        network.encode(torch.zeros(1, 12, 5), torch.zeros(1, 4))


@pytest.mark.parametrize(
    "name", ["transformer", "informer", "lstm", "fedformer", "itransformer", "timexer", "simpletm"]
)
def test_missing_time_varying_inputs_are_named(name):
    network = make(name)
    drivers, static, condition, _ = inputs()
    with pytest.raises(ValueError, match="this decoder was built with time-varying inputs; pass `dynamic`"):
        network.decode(network.encode(drivers, static), condition)


def test_heads_that_do_not_divide_the_width_of_fourier_blocks_are_named():
    with pytest.raises(ValueError, match=r"networks\.fedformer\.width is 16, which 3 heads do not divide; change one"):
        make("fedformer", heads=3)


def test_unknown_backbone_is_named():
    with pytest.raises(ValueError, match="backbone 'rnn' is unknown; choose one of"):
        make_backbone("rnn", SIZES, BackboneConfig())
