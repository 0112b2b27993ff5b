"""What a month of the output sees: padding, circular ends, future months."""

import pytest
import torch

from small_backbones import inputs, make


def test_first_month_does_not_see_the_last_through_the_embedding():
    x = torch.randn(1, 24, 5)
    y = x.clone()
    y[:, -1] += 5
    for name in ("transformer", "informer", "fedformer"):
        tokens = make(name).tokens
        torch.testing.assert_close(tokens(x)[:, :-2], tokens(y)[:, :-2])
    circular = make("transformer", circular=True).tokens
    assert not torch.allclose(circular(x)[:, 0], circular(y)[:, 0])


ATTENTION = ({}, {"decoder_self_attention": True}, {"norms": "after"})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        *(("transformer", options) for options in ATTENTION),
        *(("informer", options) for options in ATTENTION),
        *(("lstm", {"cell": cell, "encoder_layers": 2}) for cell in ("lstm", "ea", "gru")),
        ("lstm", {"bidirectional": False}),
    ],
    ids=str,
)
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
    ("lstm", {}, "later"),
    ("lstm", {"cell": "ea"}, "later"),
    ("lstm", {"cell": "gru", "encoder_layers": 2}, "later"),
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
