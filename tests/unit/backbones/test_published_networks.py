"""Our layers and networks give what independent implementations give, with their weights (tests/golden)."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dere.backbones import Sizes, declaration, make_backbone
from dere.backbones.decoder import Decoder
from dere.backbones.fedformer import FEDformerConfig
from dere.backbones.fedformer.network import DecoderLayer
from dere.config.network import MonthTokenConfig
from dere.layers.attention import Attention
from dere.layers.fourier import Trend
from dere.layers.prob_sparse import ProbSparseAttention
from dere.layers.wavelets import StationaryWavelet

WIDTH, WINDOW = 8, 24
PLAIN = {"width": WIDTH, "heads": 2, "feedforward": 12, "dropout": 0.0}
PUBLISHED = {"norms": "after", "circular": True, "distil": True, "mix": True, "decoder_self_attention": True}
FEDFORMER = {"width": 16, "heads": 8, "moving_average": 5, "modes": 5, "fourier": "published", "circular": True}


class Case:
    """Weights, inputs and output of one golden case, in double precision."""

    def __init__(self, arrays, name):
        parts = {k.removeprefix(f"{name}/"): arrays[k] for k in arrays.files if k.startswith(f"{name}/")}
        self.inputs = {k.removeprefix("input/"): tensor(v) for k, v in parts.items() if k.startswith("input/")}
        self.draws = [torch.from_numpy(parts[f"draw/{i}"]).long() for i in range(sum("draw/" in k for k in parts))]
        self.modes = {k: torch.from_numpy(v) for k, v in parts.items() if k.endswith("modes")}
        self.output = tensor(parts["output"])
        self.weights, start = {}, 0
        for key, shape, is_complex in json.loads(str(parts.get("manifest", "[]"))):
            shape = [*shape, 2] if is_complex else shape
            end = start + int(np.prod(shape))
            self.weights[key] = tensor(parts["weights"][start:end]).reshape(shape)
            start = end

    def assert_equals(self, found, atol=1e-9):
        """Far closer than the 1e-5 that is asked for."""
        torch.testing.assert_close(found, self.output, rtol=0, atol=atol)


def tensor(values):
    return torch.from_numpy(np.asarray(values)).double()


@pytest.fixture(scope="module")
def arrays():
    return np.load(Path(__file__).parents[2] / "golden" / "backbones.npz")


def renamed(ours, theirs, pairs):
    """Names of weights and biases: ours to theirs, for pairs of layers."""
    return {f"{ours}{a}.{p}": f"{theirs}{b}.{p}" for a, b in pairs.items() for p in ("weight", "bias")}


def attention_names(ours, theirs):
    return renamed(ours, theirs, {part: f"{part}_projection" for part in ("query", "key", "value", "out")})


def layer_names(ours, theirs, norms=2, first="norms.0"):
    """Feed-forward and norms of a layer; theirs are numbered from 1."""
    numbered = {f"norms.{i}": f"norm{i + 1}" for i in range(norms)} | {first: "norm1"}
    return renamed(ours, theirs, {"feedforward.layers.0": "conv1", "feedforward.layers.3": "conv2"} | numbered)


def give(module, weights, names, zero=()):
    """Give ``module`` the weights that ``names`` says, and zeros to parameters that start with a name in ``zero``.

    A parameter that gets neither is an error, so that nothing random is compared.
    """
    module.double()
    modulation = {n for n, _ in module.named_parameters() if "modulation" in n}  # they start as the identity
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name in names:
                values = weights[names[name]]
                # a convolution of kernel 1 is a linear layer
                parameter.copy_(values.squeeze(-1) if values.dim() == parameter.dim() + 1 else values)
            elif name.startswith(tuple(zero)):
                parameter.zero_()
            else:
                assert name in modulation and not parameter.any(), name
    return module


def replay(monkeypatch, draws):
    """Integers that the other implementation drew."""
    waiting = iter(draws)

    def drawn(high, size, **_):
        values = next(waiting)
        assert values.shape == size and values.max() < high
        return values

    monkeypatch.setattr(torch, "randint", drawn)
    return waiting


@pytest.mark.parametrize("name", ["attention", "attention_causal"])
def test_attention(arrays, name):
    case = Case(arrays, name)
    layer = give(Attention(WIDTH, 2), case.weights, attention_names("", ""))
    case.assert_equals(layer(case.inputs["queries"], case.inputs["memory"], causal=name.endswith("causal")))


@pytest.mark.parametrize("name", ["transformer", "informer"])
def test_encoder_with_distilling(arrays, name, monkeypatch):
    case = Case(arrays, f"{name}_encoder")
    sizes = Sizes(drivers=3, static=1, condition=1, dynamic=0, window=WINDOW)
    factor = {"factor": 1} if name == "informer" else {}
    config = declaration(name).section(**PLAIN, **PUBLISHED, **factor)
    network = make_backbone(name, sizes, config)
    network.distilling[0].norm = nn.Identity()  # theirs is a batch norm, and taken out too
    names = {"tokens.convolution.weight": "embedding.tokenConv.weight"}
    names |= renamed("", "", {"distilling.0.convolution.convolution": "conv_layers.0.downConv", "norm": "norm"})
    for i in range(2):
        names |= attention_names(f"layers.{i}.attention.", f"attn_layers.{i}.attention.")
        names |= layer_names(f"layers.{i}.", f"attn_layers.{i}.")
    give(network, case.weights, names, zero=("tokens.convolution.bias", "static", "decoders"))
    waiting = replay(monkeypatch, case.draws)
    memory = network.train().encode(case.inputs["drivers"], torch.zeros(2, 1).double())
    case.assert_equals(memory[:, WINDOW:])
    assert len(case.draws) == (2 if name == "informer" else 0) and next(waiting, None) is None


@pytest.mark.parametrize("name", ["transformer", "informer"])
def test_decoder_with_self_attention(arrays, name, monkeypatch):
    case = Case(arrays, f"{name}_decoder")
    sizes = Sizes(drivers=1, static=1, condition=1, dynamic=0, window=WINDOW)
    sparse = name == "informer"
    decoder = Decoder(
        sizes,
        MonthTokenConfig(**PLAIN, **PUBLISHED),
        # their sparse attention leaves heads and months exchanged, their full attention does not
        lambda: ProbSparseAttention(WIDTH, 2, 1, mix=True) if sparse else Attention(WIDTH, 2),
    )
    names = attention_names("layers.0.self_attention.", "layers.0.self_attention.")
    names |= attention_names("layers.0.cross_attention.", "layers.0.cross_attention.")
    names |= renamed("layers.0.", "layers.0.", {"feedforward.layers.0": "conv1", "feedforward.layers.3": "conv2"})
    names |= renamed("layers.0.", "layers.0.", {"self_norm": "norm1", "norms.0": "norm2", "norms.1": "norm3"})
    names |= renamed("", "", {"norm": "norm"})
    give(decoder, case.weights, names, zero=("condition",))
    replay(monkeypatch, case.draws)
    condition = torch.ones(2, 1).double()
    case.assert_equals(decoder.train()(case.inputs["tokens"], case.inputs["memory"], condition, None))
    assert len(case.draws) == sparse


def test_decomposition(arrays):
    case = Case(arrays, "decomposition")
    case.assert_equals(torch.stack(Trend(5)(case.inputs["x"])))


def fourier_names(ours, theirs, parts):
    return renamed(ours, theirs, {part: f"{part}_projection" for part in parts})


def fedformer_encoder(case, **options):
    sizes = Sizes(drivers=3, static=1, condition=1, dynamic=0, window=WINDOW)
    network = make_backbone("fedformer", sizes, FEDformerConfig(**(PLAIN | FEDFORMER | options)))
    names = {"tokens.convolution.weight": "embedding.tokenConv.weight"}
    names |= renamed("norm.", "norm.", {"norm": "layernorm"})
    block = "attn_layers.0.attention.inner_correlation.weights1"
    names["layers.0.mixing.block.weight"] = block
    for i in range(2):
        ours, theirs = f"layers.{i}.", f"attn_layers.{i}."
        names |= fourier_names(f"{ours}mixing.", f"{theirs}attention.", ("query", "out"))
        names |= {f"{ours}feedforward.first.weight": f"{theirs}conv1.weight"}
        names |= {f"{ours}feedforward.second.weight": f"{theirs}conv2.weight"}
    give(network, case.weights, names, zero=("static", "decoders"))
    network.layers[0].mixing.block.modes.copy_(case.modes["modes"])
    return network.encode(case.inputs["drivers"], torch.zeros(2, 1).double())[..., :16]


def test_fedformer_encoder(arrays):
    case = Case(arrays, "fedformer_encoder")
    case.assert_equals(fedformer_encoder(case))
    # the test notices the places of frequencies and months, and the circular ends
    for option in ({"fourier": "aligned"}, {"circular": False}):
        assert (fedformer_encoder(case, **option) - case.output).abs().max() > 1e-2


@pytest.mark.parametrize("scores", ["tanh", "softmax"])
def test_fedformer_decoder_layer(arrays, scores):
    case = Case(arrays, f"fedformer_decoder_{scores}")
    layer = DecoderLayer(FEDformerConfig(**(PLAIN | FEDFORMER | {"scores": scores})), WINDOW)
    cross = layer.cross.block
    for name in ("query_modes", "key_modes"):
        setattr(cross, name, case.modes[name])
    layer.mixing.block.modes.copy_(case.modes["modes"])
    # their real and imaginary parts are parameters of their own; ours of five frequencies gives way to four
    halves = [case.weights.pop(f"cross_attention.inner_correlation.weights{i}") for i in (1, 2)]
    cross.weight = nn.Parameter(torch.stack(halves, dim=-1))
    weights = case.weights | {"cross": cross.weight.detach()}
    names = {"cross.block.weight": "cross", "mixing.block.weight": "self_attention.inner_correlation.weights1"}
    names |= fourier_names("mixing.", "self_attention.", ("query", "out"))
    names |= fourier_names("cross.", "cross_attention.", ("query", "key", "out"))
    names |= {"feedforward.first.weight": "conv1.weight", "feedforward.second.weight": "conv2.weight"}
    names |= {"onward.weight": "projection.weight"}
    give(layer, weights, names)
    case.assert_equals(torch.stack(layer(case.inputs["x"], case.inputs["memory"])))


def test_itransformer(arrays):
    case = Case(arrays, "itransformer")
    sizes = Sizes(drivers=4, static=WINDOW, condition=3, dynamic=0, window=WINDOW)
    config = declaration("itransformer").section(**PLAIN, layout="published")
    network = make_backbone("itransformer", sizes, config).eval()
    # a static token made of as many attributes as months is one more series
    names = renamed("", "enc_embedding.", {"tokens.linear": "value_embedding", "static": "value_embedding"})
    names |= renamed("decoders.0.", "", {"norm": "encoder.norm", "out": "projector"})
    for i in range(2):
        ours, theirs = f"decoders.0.layers.{i}.", f"encoder.attn_layers.{i}."
        names |= attention_names(f"{ours}mixing.", f"{theirs}attention.") | layer_names(ours, theirs)
    give(network, case.weights, names)
    memory = network.encode(case.inputs["drivers"], case.inputs["static"])
    case.assert_equals(network.decode(memory, case.inputs["condition"]))


def test_timexer(arrays):
    case = Case(arrays, "timexer")
    sizes = Sizes(drivers=3, static=1, condition=2, dynamic=0, window=WINDOW)
    config = declaration("timexer").section(**PLAIN, layout="published", patch=4)
    network = make_backbone("timexer", sizes, config).eval()
    weights = case.weights | {"extra": case.inputs["extra"]}
    weights["embedding.glb_token"] = weights["embedding.glb_token"][0]
    names = {"static.bias": "extra", "decoders.0.overall": "embedding.glb_token"}
    names |= {"decoders.0.embedding.weight": "embedding.value_embedding.weight"}
    names |= renamed("", "", {"tokens.linear": "variates.value_embedding"})
    names |= renamed("decoders.0.", "", {"norm": "encoder.norm", "out": "head.linear"})
    for i in range(2):
        ours, theirs = f"decoders.0.layers.{i}.", f"encoder.layers.{i}."
        for part in ("self_attention.", "cross_attention."):
            names |= attention_names(ours + part, theirs + part)
        names |= layer_names(ours, theirs, norms=3)
    give(network, weights, names, zero=("static.weight",))
    memory = network.encode(case.inputs["drivers"], torch.zeros(2, 1).double())
    case.assert_equals(network.decode(memory, case.inputs["condition"]))


@pytest.mark.parametrize(("name", "alpha"), [("simpletm_dot", 0.0), ("simpletm_wedge", 0.5)])
def test_simpletm(arrays, name, alpha):
    case = Case(arrays, name)
    sizes = Sizes(drivers=3, static=WINDOW, condition=2, dynamic=0, window=WINDOW)
    config = declaration("simpletm").section(**PLAIN, layout="published", encoder_layers=1, alpha=alpha)
    network = make_backbone("simpletm", sizes, config).eval()
    ours, theirs = "decoders.0.layers.0.", "attn_layers.0."
    names = renamed("", "embedding.", {"tokens.linear": "value_embedding", "static": "value_embedding"})
    names |= renamed("decoders.0.", "", {"norm": "norm", "out": "projector"}) | layer_names(ours, theirs)
    linear = {part: f"{part}_projection.0" for part in ("query", "key", "value", "out")}
    names |= renamed(f"{ours}mixing.", f"{theirs}attention.", linear)
    filters = {"low": "swt.h0", "high": "swt.h1", "low_back": "out_projection.1.h0", "high_back": "out_projection.1.h1"}
    names |= {f"{ours}mixing.wavelet.{a}": f"{theirs}attention.{b}" for a, b in filters.items()}
    give(network, case.weights, names)
    memory = network.encode(case.inputs["drivers"], case.inputs["static"])
    case.assert_equals(network.decode(memory, case.inputs["condition"]))


def test_wavelets(arrays):
    case = Case(arrays, "wavelets")
    levels = StationaryWavelet(1, 3).double()(case.inputs["x"][None, None])[0, 0]
    case.assert_equals(levels, atol=1e-6)  # our filters start in single precision


def test_the_goldens_name_their_makers(arrays):
    makers = " ".join(arrays["versions"])
    assert all(name in makers for name in ("neuralforecast 3", "pypots 1", "PyWavelets 1", "torch 2", "SWTAttention"))
