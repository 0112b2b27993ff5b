"""Make backbones.npz: what independent implementations of the sequence networks give, with their weights.

Run by hand where ``neuralforecast``, ``pypots``, ``pytorch-lightning``, ``PyWavelets`` and ``einops`` are installed
(they are no dependencies of this package): ``python tests/golden/make_backbones.py --simpletm FILE``. FILE is
``layers/SWTAttention_Family.py`` of the repository vietluong2110/simplebaseline_efficiency (an author of SimpleTM) at
commit 8396fc290a248db50fef28c536cae4d76a7f336f; no package holds SimpleTM.

Everything is synthetic: weights and inputs are random numbers of a fixed seed, exact in float32, computed in float64.
A case holds ``weights`` (all one after the other, a complex one as real and imaginary part of each number),
``manifest`` (JSON: their name, shape, and whether complex, in the same order), ``input/<name>``, ``draw/<number>``
(integers that their code drew) and ``output``. Where a network is put together from parts of both packages, the
case's function says so.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import types
from pathlib import Path

import numpy as np
import pywt
import torch
from recording import Arrays, Named, case, load_packages, load_simpletm, numbers, randomise
from torch import Tensor, nn

OUTPUT = Path(__file__).with_name("backbones.npz")
SIMPLETM = "vietluong2110/simplebaseline_efficiency 8396fc2 layers/SWTAttention_Family.py"
WIDTH, HEADS, HIDDEN, WINDOW = 8, 2, 12, 24


def attention(nf, causal: bool) -> Arrays:
    layer = randomise(nf.parts.AttentionLayer(nf.parts.FullAttention(causal, output_attention=True), WIDTH, HEADS))
    queries = numbers(2, 7, WIDTH)
    memory = queries if causal else numbers(2, 9, WIDTH)
    return case(
        {"": layer.eval()},
        {"queries": queries, "memory": memory},
        lambda: layer(queries, memory, memory, attn_mask=None)[0],
    )


def encoder(nf, pots, sparse: bool) -> Arrays:
    """Token embedding of neuralforecast, encoder with distilling of PyPOTS, its batch norm replaced by nothing.

    neuralforecast's distilling pads two months at each end, which the published comparison does not; its sparse
    attention leaves heads and months exchanged, as the published code does in the decoder only.
    """

    def layer() -> nn.Module:
        inner = Named(pots.informer.ProbAttention(False, 1)) if sparse else nf.parts.FullAttention(False)
        own = nf.parts.AttentionLayer(inner, WIDTH, HEADS)
        return pots.informer.InformerEncoderLayer(own, WIDTH, HIDDEN, dropout=0.0, activation="gelu")

    distilling = pots.informer.ConvLayer(WIDTH)
    distilling.norm = nn.Identity()
    embedding = nf.parts.TokenEmbedding(3, WIDTH)
    stack = pots.stacks.InformerEncoder([layer(), layer()], [distilling], nn.LayerNorm(WIDTH))
    randomise(embedding), randomise(stack)
    for module in stack.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    drivers = numbers(2, WINDOW, 3)
    position = nf.parts.PositionalEmbedding(WIDTH)
    # in training mode, where ours samples keys too
    return case(
        {"embedding.": embedding, "": stack.train()},
        {"drivers": drivers},
        lambda: stack(embedding(drivers) + position(drivers))[0],
    )


def decoder(nf, sparse: bool) -> Arrays:
    """Decoder of neuralforecast; its sparse attention leaves heads and months exchanged, as the published code does."""
    parts = nf.parts
    inner = nf.informer.ProbAttention(True, 1) if sparse else parts.FullAttention(True, output_attention=True)
    layer = parts.TransDecoderLayer(
        parts.AttentionLayer(inner, WIDTH, HEADS),
        parts.AttentionLayer(parts.FullAttention(False, output_attention=True), WIDTH, HEADS),
        WIDTH,
        HIDDEN,
        dropout=0.0,
        activation="gelu",
    )
    stack = randomise(parts.TransDecoder([layer], nn.LayerNorm(WIDTH)))
    for module in stack.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    tokens, memory = numbers(2, WINDOW, WIDTH), numbers(2, 10, WIDTH)
    return case({"": stack.train()}, {"tokens": tokens, "memory": memory}, lambda: stack(tokens, memory))


def fedformer_encoder(nf) -> Arrays:
    fed, width = nf.fedformer, 16  # the published weights have eight heads, whatever the setting says
    block = fed.FourierBlock(width, width, WINDOW, modes=5)
    layers = [
        fed.EncoderLayer(fed.AutoCorrelationLayer(block, width, 8), width, HIDDEN, 5, 0.0, "gelu") for _ in range(2)
    ]
    embedding, stack = nf.parts.TokenEmbedding(3, width), fed.Encoder(layers, norm_layer=fed.LayerNorm(width))
    randomise(embedding), randomise(stack)
    drivers = numbers(2, WINDOW, 3)
    position = nf.parts.PositionalEmbedding(width)
    arrays = case(
        {"embedding.": embedding, "": stack},
        {"drivers": drivers},
        lambda: stack(embedding(drivers) + position(drivers))[0],
    )
    return arrays | {"modes": np.array(block.index)}


def fedformer_decoder(nf, pots, activation: str) -> Arrays:
    """Decoder layer of neuralforecast with PyPOTS' cross block, whose tanh acts on real and imaginary parts apart."""
    fed, width = nf.fedformer, 16
    block = fed.FourierBlock(width, width, WINDOW, modes=5)
    cross = pots.fedformer.FourierCrossAttention(width, width, WINDOW, WINDOW, modes=4, activation=activation)
    layer = fed.DecoderLayer(
        fed.AutoCorrelationLayer(block, width, 8),
        fed.AutoCorrelationLayer(cross, width, 8),
        width,
        width,
        HIDDEN,
        5,
        0.0,
        "gelu",
    )
    # small, so that the activation is not saturated everywhere
    randomise(layer, 0.1)
    for weight in (cross.weights1, cross.weights2):
        weight.data *= 64
    x, memory = numbers(2, WINDOW, width), numbers(2, WINDOW, width)
    arrays = case({"": layer}, {"x": x, "memory": memory}, lambda: torch.stack(layer(x, memory)))
    return arrays | {
        "modes": np.array(block.index),
        "query_modes": np.array(cross.index_q),
        "key_modes": np.array(cross.index_kv),
    }


def decomposition(nf) -> Arrays:
    x = numbers(2, WINDOW, 3)
    return case({}, {"x": x}, lambda: torch.stack(nf.parts.SeriesDecomp(5)(x)))


def itransformer(nf) -> Arrays:
    """The whole model, for drivers, one static series and three conditions that start their series."""
    model = nf.itransformer.iTransformer(
        h=WINDOW,
        input_size=WINDOW,
        n_series=8,
        hidden_size=WIDTH,
        n_heads=HEADS,
        e_layers=2,
        d_ff=HIDDEN,
        dropout=0.0,
        use_norm=False,
    )
    randomise(model)
    drivers, static, condition = numbers(2, WINDOW, 4), numbers(2, WINDOW), numbers(2, 3)
    started = torch.zeros(2, WINDOW, 3).double()
    started[:, 0] = condition
    series = torch.cat([drivers, static[..., None], started], dim=-1)
    return case(
        {"": model.eval()},
        {"drivers": drivers, "static": static, "condition": condition},
        lambda: model.forecast(series)[..., -3:],
    )


def timexer(nf) -> Arrays:
    """The whole model but the normalisation of series, put together from its own parts, which its class fixes to ReLU.

    Two target series of a leading patch and the window; drivers, the target series in the window and one more token
    as exogenous variates.
    """
    patch, targets, months = 4, 2, WINDOW
    parts, own = nf.parts, nf.timexer

    def attention_layer() -> nn.Module:
        return parts.AttentionLayer(parts.FullAttention(False, output_attention=True), WIDTH, HEADS)

    embedding = own.EnEmbedding(targets, WIDTH, patch, 0.0)
    variates = parts.DataEmbedding_inverted(months, WIDTH, 0.0)
    layers = [
        own.EncoderLayer(attention_layer(), attention_layer(), WIDTH, HIDDEN, 0.0, "gelu").eval() for _ in range(2)
    ]
    stack = own.Encoder(layers, norm_layer=nn.LayerNorm(WIDTH))
    head = own.FlattenHead(targets, WIDTH * (months // patch + 2), months)
    modules = {"embedding.": embedding, "variates.": variates, "encoder.": stack, "head.": head}
    for module in modules.values():
        randomise(module).eval()
    drivers, condition, extra = numbers(2, months, 3), numbers(2, targets), numbers(WIDTH)
    series = torch.zeros(2, patch + months, targets).double()
    series[:, patch - 1] = condition
    started = torch.zeros(2, months, targets).double()
    started[:, 0] = condition

    def run() -> Tensor:
        tokens, _ = embedding(series.transpose(1, 2))
        known = torch.cat([variates(torch.cat([drivers, started], -1), None), extra.expand(2, 1, -1)], dim=1)
        encoded = stack(tokens, known).unflatten(0, (2, targets))
        return head(encoded.permute(0, 1, 3, 2)).permute(0, 2, 1)

    return case(modules, {"drivers": drivers, "condition": condition, "extra": extra}, run)


def simpletm(nf, layers: types.ModuleType, alpha: float) -> Arrays:
    """The authors' attention and wavelets in neuralforecast's inverted embedding and encoder layer."""
    variates = 6
    attention_layer = layers.GeomAttentionLayer(
        layers.GeomAttention(False, attention_dropout=0.0, alpha=alpha), WIDTH, wv="db1", m=3, d_channel=variates
    )
    embedding = nf.parts.DataEmbedding_inverted(WINDOW, WIDTH, 0.0)
    stack = nf.parts.TransEncoder(
        [nf.parts.TransEncoderLayer(attention_layer, WIDTH, HIDDEN, 0.0, "gelu")], norm_layer=nn.LayerNorm(WIDTH)
    )
    projector = nn.Linear(WIDTH, WINDOW)
    modules = {"embedding.": embedding, "": stack, "projector.": projector}
    for module in modules.values():
        randomise(module).eval()
    drivers, static, condition = numbers(2, WINDOW, 3), numbers(2, WINDOW), numbers(2, 2)
    started = torch.zeros(2, WINDOW, 2).double()
    started[:, 0] = condition
    series = torch.cat([drivers, static[..., None], started], dim=-1)
    return case(
        modules,
        {"drivers": drivers, "static": static, "condition": condition},
        lambda: projector(stack(embedding(series, None))[0]).permute(0, 2, 1)[..., -2:],
    )


def wavelets() -> Arrays:
    """PyWavelets' stationary transform, three levels of Haar; approximation, then details from coarse to fine."""
    x = numbers(16)
    levels = pywt.swt(x.numpy(), "db1", level=3, trim_approx=True)
    return {"input/x": x.numpy().astype(np.float32), "output": np.stack(levels)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simpletm", type=Path, required=True, metavar="FILE")
    path = parser.parse_args().simpletm
    nf, pots = load_packages()
    authors = load_simpletm(path)
    torch.manual_seed(20)
    np.random.seed(20)  # noqa: NPY002  their frequencies are drawn from this generator
    torch.cfloat = torch.cdouble  # their spectra are written to buffers of this type
    cases = {
        "attention": attention(nf, causal=False),
        "attention_causal": attention(nf, causal=True),
        "transformer_encoder": encoder(nf, pots, sparse=False),
        "informer_encoder": encoder(nf, pots, sparse=True),
        "transformer_decoder": decoder(nf, sparse=False),
        "informer_decoder": decoder(nf, sparse=True),
        "decomposition": decomposition(nf),
        "fedformer_encoder": fedformer_encoder(nf),
        "fedformer_decoder_tanh": fedformer_decoder(nf, pots, "tanh"),
        "fedformer_decoder_softmax": fedformer_decoder(nf, pots, "softmax"),
        "itransformer": itransformer(nf),
        "timexer": timexer(nf),
        "simpletm_dot": simpletm(nf, authors, 0.0),
        "simpletm_wedge": simpletm(nf, authors, 0.5),
        "wavelets": wavelets(),
    }
    versions = [f"{n} {importlib.metadata.version(n)}" for n in ("neuralforecast", "pypots", "PyWavelets", "torch")]
    arrays = {f"{name}/{key}": values for name, parts in cases.items() for key, values in parts.items()}
    np.savez_compressed(OUTPUT, versions=np.array([*versions, SIMPLETM]), **arrays)


if __name__ == "__main__":
    main()
