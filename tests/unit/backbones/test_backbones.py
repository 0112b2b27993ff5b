"""What every backbone must do, whatever it is."""

import pytest
import torch

from dere.backbones import BACKBONES, Sizes, make_backbone
from dere.config.backbones import NetworksConfig

SIZES = Sizes(drivers=5, static=4, condition=6, dynamic=3, window=24)
SMALL = {"width": 16, "heads": 2, "feedforward": 24, "dropout": 0.1}
VARIANTS = [
    *((name, {}) for name in sorted(BACKBONES)),
    ("transformer", {"decoder_self_attention": True, "circular": True}),
    ("informer", {"distil": True}),
    ("informer", {"decoder_self_attention": True, "mix": True, "factor": 1}),
    ("transformer", {"decoder_self_attention": True, "norms": "after", "distil": True, "mix": True}),
    ("fedformer", {"modes": 3, "fourier": "published", "scores": "softmax", "circular": True}),
    ("itransformer", {"layout": "published"}),
    ("timexer", {"layout": "published"}),
    ("simpletm", {"layout": "published", "alpha": 0.5}),
]


def make(name, branches=1, **options):
    config = type(getattr(NetworksConfig(), name))(**(SMALL | options))
    return make_backbone(name, SIZES, config, branches)


@pytest.fixture(params=VARIANTS, ids=lambda v: "-".join([v[0], *map(str, v[1])]))
def backbone(request):
    torch.manual_seed(0)
    name, options = request.param
    return make(name, 2, **options)


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
        if loss < 0.1 * truth.var():
            return
    pytest.fail(f"the loss is still {loss:.3f}")


def test_first_month_does_not_see_the_last_through_the_embedding():
    x = torch.randn(1, 24, 5)
    y = x.clone()
    y[:, -1] += 5
    for name in ("transformer", "informer", "fedformer"):
        tokens = make(name).tokens
        torch.testing.assert_close(tokens(x)[:, :-2], tokens(y)[:, :-2])
    circular = make("transformer", circular=True).tokens
    assert not torch.allclose(circular(x)[:, 0], circular(y)[:, 0])


@pytest.mark.parametrize("options", [{}, {"decoder_self_attention": True}, {"norms": "after"}], ids=str)
@pytest.mark.parametrize("name", ["transformer", "informer"])
def test_a_padded_window_gives_what_the_window_itself_gives(name, options):
    torch.manual_seed(0)
    network = make(name, **options, **({"factor": 1} if name == "informer" else {}))
    network.eval()
    drivers, static, condition, dynamic = inputs()
    valid = torch.ones(3, 24, dtype=torch.bool)
    valid[0, 17:] = False
    valid[2, 20:] = False
    noisy = torch.where(valid[..., None], drivers, torch.full_like(drivers, 1e3))
    memory = network.encode(noisy, static, valid)
    together = network.decode(memory, condition, dynamic, valid=valid)
    for sample, months in ((0, 17), (1, 24), (2, 20)):
        rows = slice(4 * sample, 4 * sample + 4)
        alone = network.encode(drivers[[sample], :months], static[[sample]])
        expected = network.decode(alone, condition[rows], dynamic[rows, :months])
        torch.testing.assert_close(together[rows, :months], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["transformer", "informer"])
@pytest.mark.parametrize(
    "options", [{"distil": True}, {"mix": True, "decoder_self_attention": True}, {"circular": True}], ids=str
)
def test_padding_and_options_that_would_spread_it_are_named(name, options):
    drivers, static, _, _ = inputs()
    option = next(iter(options))
    with pytest.raises(
        ValueError, match=rf"padded windows and networks\.\*\.{option} exclude .* set {option} to false"
    ):
        make(name, **options).encode(drivers, static, torch.ones(3, 24, dtype=torch.bool))


PUBLISHED = {"layout": "published"}
SELF = {"decoder_self_attention": True}
# Months of the output that a change of the time-varying inputs in month 12 reaches: that month alone, it and later
# ones, or earlier ones too. docs/method.md has the same table in words.
REACH = [
    ("transformer", {}, "own"),
    ("transformer", SELF, "later"),
    ("transformer", {**SELF, "norms": "after"}, "later"),
    ("transformer", {**SELF, "mix": True}, "earlier"),
    ("informer", {}, "own"),
    ("informer", {**SELF, "factor": 20}, "later"),
    ("informer", {**SELF, "factor": 1}, "earlier"),
    ("informer", {**SELF, "factor": 20, "mix": True}, "earlier"),
    ("fedformer", {}, "earlier"),
    ("itransformer", {}, "earlier"),
    ("itransformer", PUBLISHED, "earlier"),
    ("timexer", {}, "earlier"),
    ("timexer", PUBLISHED, "earlier"),
    ("simpletm", {}, "earlier"),
    ("simpletm", PUBLISHED, "earlier"),
]


@pytest.mark.parametrize(("name", "options", "expected"), REACH, ids=str)
def test_what_a_month_of_the_output_sees(name, options, expected):
    torch.manual_seed(0)
    network = make(name, **options).double().eval()
    drivers, static, condition, dynamic = (x.double() for x in inputs())
    memory = network.encode(drivers, static)
    before = network.decode(memory, condition, dynamic)

    def reached(after):
        return set((after - before).abs().amax((0, 2)).gt(1e-9).nonzero().flatten().tolist())

    changed = dynamic.clone()
    changed[:, 12] += 3 * torch.randn(12, 3, dtype=torch.float64)
    months = reached(network.decode(memory, condition, changed))
    found = "own" if months == {12} else "later" if min(months) == 12 and 23 in months else "earlier"
    assert found == expected, sorted(months)
    # the drivers of every month reach every month, in all of them
    for month in (0, 23):
        other = drivers.clone()
        other[:, month] += 3
        assert reached(network.decode(network.encode(other, static), condition, dynamic)) == set(range(24))


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


# dere-reference 7.1; our static attributes and the age are inputs the published networks lack
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("itransformer", {"encoder_layers": 2}, 6_650_704),
        ("timexer", {"encoder_layers": 2, "patch": 1}, 66_734_416),
        ("simpletm", {"width": 256, "feedforward": 1024, "encoder_layers": 1}, 964_064),
    ],
)
def test_parameters_of_the_published_layout_at_published_width(name, options, expected):
    sizes = Sizes(drivers=136, static=1, condition=10, dynamic=0, window=336)
    config = type(getattr(NetworksConfig(), name))(
        **({"width": 512, "heads": 8, "feedforward": 2048, "layout": "published"} | options)
    )
    with torch.device("meta"):
        network = make_backbone(name, sizes, config)
    found = {name: p.numel() for name, p in network.named_parameters()}
    static = sum(count for name, count in found.items() if name.startswith("static"))
    # our wavelet filters of the static token
    extra = 8 if name == "simpletm" else 0
    assert sum(found.values()) - static - extra == expected


def count(*modules, without=()):
    """Parameters of the modules, each once; those whose names hold a word of ``without`` do not count."""
    named = {id(p): (n, p) for m in modules for n, p in m.named_parameters()}
    return sum(p.numel() for n, p in named.values() if not any(word in n for word in without))


AT_PUBLISHED_WIDTH = {"width": 512, "heads": 8, "feedforward": 2048, "encoder_layers": 2, "decoder_layers": 1}


@pytest.mark.parametrize("name", ["transformer", "informer"])
def test_parameters_that_transformer_and_informer_keep(name):
    """Of 11,529,226 all but the embedding of the decoder's constant input and the projection, which heads replace."""
    sizes = Sizes(drivers=136, static=1, condition=10, dynamic=0, window=336)
    config = type(getattr(NetworksConfig(), name))(**AT_PUBLISHED_WIDTH, distil=True, decoder_self_attention=True)
    with torch.device("meta"):
        network = make_backbone(name, sizes, config)
    assert count(network.tokens) == 209_408
    assert count(network.layers, network.distilling, network.norm) == 7_093_760
    decoder = network.decoders[0]
    assert count(decoder.layers, decoder.norm, without=["modulation"]) == 4_205_056
    assert 209_408 + 7_093_760 + 4_205_056 + 15_872 + 5_130 == 11_529_226


def test_parameters_that_fedformer_keeps():
    """Of 17,535,122 all but layers whose result the published code never uses, and projections to channels."""
    sizes = Sizes(drivers=146, static=1, condition=10, dynamic=0, window=336)
    with torch.device("meta"):
        network = make_backbone("fedformer", sizes, type(NetworksConfig().fedformer)(**AT_PUBLISHED_WIDTH))
    unused = 512 * 512 + 512  # a linear layer of keys or values
    block = 8 * 64 * 64 * 32 * 2
    encoder = count(network.layers, network.norm)
    assert encoder == 8_393_728 - 4 * unused
    # one block, although two layers use it
    assert count(network.layers[0]) + count(network.layers[1]) == encoder - 2 * 512 + block
    decoder = count(network.decoders[0].layers, network.decoders[0].norm, without=["onward"])
    embedding = count(network.tokens)
    assert embedding == 3 * 146 * 512
    projections = 3 * 512 * 146 + 512 * 146 + 146
    assert encoder + decoder + 7 * unused + 2 * embedding + projections == 17_535_122


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


@pytest.mark.parametrize("name", ["transformer", "informer", "fedformer", "itransformer", "timexer", "simpletm"])
def test_missing_time_varying_inputs_are_named(name):
    network = make(name)
    drivers, static, condition, _ = inputs()
    with pytest.raises(ValueError, match="this decoder was built with time-varying inputs; pass `dynamic`"):
        network.decode(network.encode(drivers, static), condition)


def test_heads_that_do_not_divide_the_width_of_fourier_blocks_are_named():
    with pytest.raises(ValueError, match=r"networks\.fedformer\.width is 16, which 3 heads do not divide; change one"):
        make("fedformer", heads=3)


def test_unknown_backbone_is_named():
    with pytest.raises(ValueError, match="backbone 'lstm' is unknown; choose one of"):
        make_backbone("lstm", SIZES, NetworksConfig().transformer)
