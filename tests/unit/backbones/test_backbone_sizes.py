"""Parameters at the published widths."""

import pytest
import torch

from dere.backbones import Sizes, declaration, make_backbone


# Published sizes: docs/method.md#one-interface-for-sequence-networks. Our static attributes and the age are inputs that
# the published networks lack.
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
    config = declaration(name).section(
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
    config = declaration(name).section(**AT_PUBLISHED_WIDTH, distil=True, decoder_self_attention=True)
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
        network = make_backbone("fedformer", sizes, declaration("fedformer").section(**AT_PUBLISHED_WIDTH))
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
