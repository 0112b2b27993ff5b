"""The switch ``compile``: the sequence networks inside a model run as compiled code while it trains."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from dere.backbones.base import Backbone

log = logging.getLogger(__name__)

COMPILERS = ("g++", "clang++")


def compiler() -> str | None:
    """The C++ compiler that generated code is built with: ``CXX`` where it is set, else the first one found."""
    wanted = os.environ.get("CXX")
    return shutil.which(wanted) if wanted else next(filter(None, map(shutil.which, COMPILERS)), None)


@contextmanager
def compiled(model: nn.Module, wanted: bool) -> Iterator[None]:
    """Compile encoder and decoders of every backbone in ``model`` for a while.

    Weights, buffers and their names stay as they are, so checkpoints do not depend on the switch. Without a C++
    compiler a warning says so and nothing is compiled.
    """
    networks = [module for module in model.modules() if isinstance(module, Backbone)] if wanted else []
    if networks and compiler() is None:
        log.warning("compile is true, but there is no C++ compiler; the networks run without it (install g++, or set "
                    "CXX)")  # fmt: skip
        networks = []
    for network in networks:
        # methods of the instance that hide those of the class; the losses call them, not `forward`
        network.encode = torch.compile(network.encode)  # type: ignore[method-assign]
        network.decode = torch.compile(network.decode)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for network in networks:
            del network.encode, network.decode
