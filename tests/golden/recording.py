"""What make_backbones.py needs beside its cases: other packages' layers, random weights, a record of a run."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

Arrays = dict[str, np.ndarray]


def shell(name: str) -> None:
    """Register a package without running its start-up, which would import far more than layers need."""
    parent, _, last = name.rpartition(".")
    if parent:
        places = [f"{place}/{last}" for place in sys.modules[parent].__path__]
    else:
        found = importlib.util.find_spec(name)
        assert found is not None and found.submodule_search_locations, f"install {name}"
        places = list(found.submodule_search_locations)
    module = types.ModuleType(name)
    module.__path__ = places
    sys.modules[name] = module


def load_packages() -> tuple[types.SimpleNamespace, types.SimpleNamespace]:
    for name in ("neuralforecast", "neuralforecast.models", "pypots", "pypots.nn", "pypots.nn.modules"):
        shell(name)
    for name in ("autoformer", "fedformer", "informer", "transformer"):
        shell(f"pypots.nn.modules.{name}")
    models = {
        n: importlib.import_module(f"neuralforecast.models.{n}") for n in ("fedformer", "informer", "itransformer")
    }
    nf = types.SimpleNamespace(
        **models,
        timexer=importlib.import_module("neuralforecast.models.timexer"),
        parts=importlib.import_module("neuralforecast.common._modules"),
    )
    pots = types.SimpleNamespace(
        informer=importlib.import_module("pypots.nn.modules.informer.layers"),
        stacks=importlib.import_module("pypots.nn.modules.informer.autoencoder"),
        fedformer=importlib.import_module("pypots.nn.modules.fedformer.layers"),
    )
    return nf, pots


def load_simpletm(path: Path) -> types.ModuleType:
    """Import the authors' file; what it imports and does not use is replaced by empty modules."""
    for name, attributes in {
        "utils": (),
        "utils.masking": ("TriangularCausalMask", "ProbMask"),
        "reformer_pytorch": ("LSHSelfAttention",),
    }.items():
        sys.modules[name] = types.ModuleType(name)
        for attribute in attributes:
            setattr(sys.modules[name], attribute, None)
    found = importlib.util.spec_from_file_location("simpletm_layers", path)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def numbers(*shape: int, scale: float = 1.0) -> Tensor:
    return (scale * torch.randn(*shape)).double()


def randomise(module: nn.Module, scale: float = 0.4) -> nn.Module:
    """Give every parameter random values that float32 holds exactly, in double precision; no dropout."""
    for parameter in module.parameters():
        if parameter.is_complex():
            parameter.data = torch.complex(
                numbers(*parameter.shape, scale=scale), numbers(*parameter.shape, scale=scale)
            )
        else:
            # norms around one, so that nothing is scaled away
            offset = 1.0 if parameter.dim() == 1 and parameter.min() == 1 else 0.0
            parameter.data = (offset + numbers(*parameter.shape, scale=scale)).float().double()
    return module


def recorded(run: Callable[[], Tensor]) -> tuple[Tensor, Arrays]:
    """Run, and keep the integers drawn on the way."""
    draws: list[Tensor] = []
    original = torch.randint

    def drawing(*arguments, **options):
        draws.append(original(*arguments, **options))
        return draws[-1]

    torch.randint = drawing
    try:
        output = run()
    finally:
        torch.randint = original
    return output, {f"draw/{i}": d.numpy().astype(np.int16) for i, d in enumerate(draws)}


def case(modules: dict[str, nn.Module], inputs: dict[str, Tensor], run: Callable[[], Tensor]) -> Arrays:
    with torch.no_grad():
        output, arrays = recorded(run)
    named = [
        (f"{prefix}{name}", p.detach()) for prefix, module in modules.items() for name, p in module.named_parameters()
    ]
    manifest = [(name, list(p.shape), p.is_complex()) for name, p in named]
    flat = [(torch.view_as_real(p) if p.is_complex() else p).flatten() for _, p in named]
    arrays["manifest"] = np.array(json.dumps(manifest))
    arrays["weights"] = torch.cat([torch.zeros(0), *flat]).numpy().astype(np.float32)
    arrays |= {f"input/{name}": values.numpy().astype(np.float32) for name, values in inputs.items()}
    arrays["output"] = output.numpy()
    return arrays


class Named(nn.Module):
    """PyPOTS' attention called with neuralforecast's names of the arguments."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, queries, keys, values, attn_mask, **_):
        return self.attention(queries, keys, values, attn_mask)
