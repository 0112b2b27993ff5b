"""Recurrent networks: torch's cells and the equations of EA-LSTM are the oracle; which months a month reaches."""

import pytest
import torch

from dere.layers.recurrent import Recurrent
from small_backbones import inputs, make

CELLS = ("lstm", "ea", "gru")
EXACT = {"rtol": 0, "atol": 1e-9}


def made(cell, both, static=0):
    torch.manual_seed(3)
    layer = Recurrent(5, 7, cell, both, static).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer, torch.randn(3, 24, 5, dtype=torch.float64)


def in_torch(layer, cell):
    """Torch's layer with the same weights."""
    oracle = getattr(torch.nn, cell.upper())(5, 7, batch_first=True, bidirectional=layer.directions == 2).double()
    with torch.no_grad():
        for parameter in oracle.parameters():
            parameter.zero_()
        for direction, end in enumerate(("", "_reverse")[: layer.directions]):
            getattr(oracle, f"weight_ih_l0{end}").copy_(layer.input_weight[direction].T)
            getattr(oracle, f"weight_hh_l0{end}").copy_(layer.state_weight[direction].T)
            getattr(oracle, f"bias_ih_l0{end}").copy_(layer.bias[direction, 0])
            if layer.state_bias is not None:
                getattr(oracle, f"bias_hh_l0{end}")[14:].copy_(layer.state_bias[direction, 0])
    return oracle


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_cells_are_those_of_torch(cell, both):
    layer, x = made(cell, both)
    oracle = in_torch(layer, cell)
    torch.testing.assert_close(layer(x), oracle(x)[0], **EXACT)
    # from another state than zero
    start = tuple(torch.randn(layer.directions, 3, 7, dtype=torch.float64) for _ in range(1 if cell == "gru" else 2))
    expected = oracle(x, start if cell == "lstm" else start[0])[0]
    torch.testing.assert_close(layer.states(layer.gates(x), start), expected, **EXACT)


@pytest.mark.parametrize("both", [False, True])
def test_ea_is_equations_8_to_13(both):
    layer, x = made("ea", both, static=4)
    static = torch.randn(3, 4, dtype=torch.float64)
    expected = torch.zeros(3, 24, 7 * layer.directions, dtype=torch.float64)
    for direction in range(layer.directions):
        own = slice(7 * direction, 7 * direction + 7)
        w, u, b = layer.input_weight[direction], layer.state_weight[direction], layer.bias[direction, 0]
        for site in range(3):
            i = torch.sigmoid(layer.gate.weight[own] @ static[site] + layer.gate.bias[own])
            h = c = torch.zeros(7, dtype=torch.float64)
            for month in range(24) if direction == 0 else reversed(range(24)):
                of = [w[:, k : k + 7].T @ x[site, month] + u[:, k : k + 7].T @ h + b[k : k + 7] for k in (0, 7, 14)]
                f, g, o = torch.sigmoid(of[0]), torch.tanh(of[1]), torch.sigmoid(of[2])
                c = f * c + i * g
                h = o * torch.tanh(c)
                expected[site, month, own] = h
    torch.testing.assert_close(layer(x, static), expected, **EXACT)


def test_forget_gates_start_open():
    for cell, place in (("lstm", 1), ("ea", 0)):
        bias = Recurrent(5, 7, cell, static=4).bias[0, 0].unflatten(-1, (-1, 7))
        assert (bias[place] == 1).all() and bias.eq(1).sum() == 7


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_a_causal_network_does_not_look_ahead(cell, layers):
    torch.manual_seed(0)
    drivers, static, condition, dynamic = (x.double() for x in inputs())
    moved, moved_dynamic = drivers.clone(), dynamic.clone()
    moved[:, 12] += 3
    moved_dynamic[:, 12] += 3

    def reached(bidirectional):
        network = make("lstm", cell=cell, encoder_layers=layers, bidirectional=bidirectional).double().eval()
        before = network.decode(network.encode(drivers, static), condition, dynamic)
        after = network.decode(network.encode(moved, static), condition, moved_dynamic)
        return (after - before).abs().amax((0, 2)).gt(1e-12).nonzero().flatten().tolist()

    assert reached(bidirectional=False) == list(range(12, 24))
    assert reached(bidirectional=True) == list(range(24))


@pytest.mark.parametrize("cell", CELLS)
def test_attributes_reach_every_month(cell):
    drivers, static, condition, dynamic = inputs()
    network = make("lstm", cell=cell).eval()
    found = [network.decode(network.encode(drivers, s), condition, dynamic) for s in (static, static + 1)]
    assert (found[0] - found[1]).abs().amax((0, 2)).min() > 1e-6


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_members_together_are_as_one_by_one(cell, both):
    layers = [Recurrent(5, 7, cell, both, 4) for _ in range(3)]
    x, static = torch.randn(2, 24, 5), torch.randn(2, 4)
    stacked = {
        name: torch.stack([dict(m.named_parameters())[name] for m in layers])
        for name, _ in layers[0].named_parameters()
    }
    found = torch.func.vmap(lambda own: torch.func.functional_call(layers[0], own, (x, static)))(stacked)
    torch.testing.assert_close(found, torch.stack([layer(x, static) for layer in layers]), rtol=1e-5, atol=1e-6)
