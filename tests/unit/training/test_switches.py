"""The switches bf16 and compile change how fast a step is, not what it learns or what is saved."""

import logging
from functools import partial

import pytest
import torch

from dere.backbones import declaration, names
from dere.config.training import TrainingConfig
from dere.exchange.co2 import EXCHANGE
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.methods.single_network import SingleNetwork
from dere.training import compiling
from dere.training.compiling import compiled
from dere.training.loop import fit
from dere.training.losses import target_loss

WINDOW, DRIVERS, STATIC = 24, 5, 3


def network(name="transformer", **sizes):
    torch.manual_seed(0)
    zeros, ones = torch.zeros, torch.ones
    statistics = Statistics(
        zeros(DRIVERS), ones(DRIVERS), zeros(STATIC), ones(STATIC), ones(10), ones(10), ones(3), ones(3)
    )
    section = declaration(name).section
    small = {"width": 8, "heads": 2, "feedforward": 8, "dropout": 0}.items()
    size = section(**{key: value for key, value in small if key in section.model_fields} | sizes)
    return SingleNetwork(Blueprint(name, size, WINDOW, statistics, EXCHANGE))


def draw(generator, rows=4):
    return (
        torch.randn(rows, WINDOW, DRIVERS, generator=generator),
        torch.randn(rows, STATIC, generator=generator),
        torch.rand(rows, 2, 10, generator=generator),
        torch.rand(rows, 2, WINDOW, 10, generator=generator),
    )


def loss(model, batch):
    drivers, static, state, truth = batch
    free = model.ages(drivers, static, state, torch.tensor([10.0, 100.0]))
    return target_loss(model.normaliser.outputs(free), truth, model.normaliser.target_std)


def train(model, epochs=2, **switches):
    config = TrainingConfig(epochs=epochs, steps_per_epoch=3, **switches)
    validation = [draw(torch.Generator().manual_seed(1))]
    with compiled(model, config.compile):
        return fit(model, draw=draw, validation=validation, loss=loss, config=config, seed=0).history


@pytest.mark.parametrize("name", names())
def test_bf16_trains_every_backbone_nearly_as_float32(name):
    model, plain = network(name), network(name)
    low, full = train(model, bf16=True), train(plain)
    assert low["training_loss"].iloc[1:].ne(full["training_loss"].iloc[1:]).all()
    assert low["validation_loss"].to_numpy() == pytest.approx(full["validation_loss"].to_numpy(), rel=0.01)
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_bf16_sums_the_loss_in_float32():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        parts = loss(network(), draw(torch.Generator().manual_seed(0)))
    assert parts.numerator.dtype == torch.float32


def test_compiled_networks_learn_the_same(monkeypatch):
    # traced as always, but run without generated C++, whose building takes a minute
    monkeypatch.setattr(compiling, "compiler", lambda: "g++")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    model, plain = network(encoder_layers=1), network(encoder_layers=1)
    names = list(model.state_dict())
    fast, slow = train(model, 1, compile=True), train(plain, 1)
    assert fast["validation_loss"].to_numpy() == pytest.approx(slow["validation_loss"].to_numpy(), rel=1e-5)
    assert list(model.state_dict()) == names


def test_compiling_lasts_as_long_as_the_training(monkeypatch):
    wrapped = []
    monkeypatch.setattr(compiling, "compiler", lambda: "g++")
    monkeypatch.setattr(torch, "compile", lambda function: wrapped.append(function.__name__) or function)
    model = network()
    with compiled(model, True):
        assert "encode" in vars(model.backbone)
    assert wrapped == ["encode", "decode"] and "encode" not in vars(model.backbone)
    with compiled(model, False):
        assert "encode" not in vars(model.backbone)


def test_without_a_compiler_it_is_said_and_nothing_compiled(monkeypatch, caplog):
    monkeypatch.setenv("CXX", "no-such-compiler")
    model = network()
    with caplog.at_level(logging.WARNING), compiled(model, True):
        assert "encode" not in vars(model.backbone)
    assert "no C++ compiler" in caplog.text and "CXX" in caplog.text


def test_the_compiler_is_the_one_named_else_one_that_is_there(monkeypatch):
    monkeypatch.setattr(compiling.shutil, "which", lambda name: f"/bin/{name}" if name != "g++" else None)
    monkeypatch.delenv("CXX", raising=False)
    assert compiling.compiler() == "/bin/clang++"
    monkeypatch.setenv("CXX", "mine")
    assert compiling.compiler() == "/bin/mine"
