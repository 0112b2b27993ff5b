"""What a training writes while it is under way: its state after every epoch, and the batch that broke it.

Both files are undeclared, so that Snakemake does not remove them with the outputs of a failed job. They have their
name only when they are complete.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dere.io import write_atomically
from dere.training.parallel import team
from dere.training.unfinished import BROKEN

log = logging.getLogger(__name__)

FORMAT_ENTRIES = frozenset(
    ("identity", "model", "optimiser", "schedule", "generator", "rng", "averaged")
    + ("best", "best_loss", "best_epoch", "rows", "epoch")
)


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """Copy of the weights of ``model``."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


@dataclass
class Progress:
    """Everything a killed run needs to go on as if nothing had happened; independent of the number of processes.

    Parameters
    ----------
    model, optimiser, schedule, generator
        Objects in use; `restore` changes them in place.
    averaged
        Running average of the trained weights, empty where there is none.
    best, best_loss, best_epoch
        Weights, validation loss and epoch of the best state so far.
    rows
        History, one row per epoch.
    epoch
        Last complete epoch.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    generator: torch.Generator
    averaged: list[Tensor]
    best: dict[str, Tensor] = field(default_factory=dict)
    best_loss: float = float("inf")
    best_epoch: int = 0
    rows: list[dict[str, float]] = field(default_factory=list)
    epoch: int = 0

    def keep(self, loss: float, epoch: int) -> None:
        """Remember the present weights as those to leave behind."""
        self.best_loss, self.best_epoch = loss, epoch
        self.best = state_of(self.model)

    def note(self, training: float, validation: float, seconds: float) -> None:
        """Add the epoch just finished to the history."""
        row = {"training_loss": training, "validation_loss": validation, "seconds": seconds}
        self.rows.append({"epoch": self.epoch, **row})

    def state(self, identity: str) -> dict[str, Any]:
        """Content of the file ``last``."""
        return {
            "identity": identity,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "rng": torch.get_rng_state(),
            "averaged": self.averaged,
            "best": self.best,
            "best_loss": self.best_loss,
            "best_epoch": self.best_epoch,
            "rows": self.rows,
            "epoch": self.epoch,
        }

    def accepts(self, state: Mapping[str, Any]) -> bool:
        """Whether ``state`` is of a network with the same weights by name and shape."""
        own, stored = self.model.state_dict(), state["model"]
        return {k: v.shape for k, v in own.items()} == {k: v.shape for k, v in stored.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to ``state``, read by `read_last`."""
        device = next(self.model.parameters()).device
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["rng"])
        self.averaged = [value.to(device) for value in state["averaged"]]
        self.best = {name: value.to(device) for name, value in state["best"].items()}
        self.best_loss, self.best_epoch = state["best_loss"], state["best_epoch"]
        self.rows, self.epoch = state["rows"], state["epoch"]


def write_last(last: Path, progress: Progress, identity: str) -> None:
    """Write the state after an epoch; until the file is complete, ``last`` is that of the epoch before."""
    if team().leads:
        write_atomically(last, partial(torch.save, progress.state(identity)))


def read_last(last: Path | None, identity: str) -> dict[str, Any] | None:
    """State of an interrupted run, if it belongs to exactly this configuration, data and parents."""
    if last is None or not team().leads or not last.exists():
        return None
    try:
        state = torch.load(last, weights_only=True, map_location="cpu")
    except (RuntimeError, OSError, EOFError, ValueError, UnpicklingError) as error:
        log.warning("%s cannot be read (%s); training starts from the beginning", last, error)
        return None
    if not isinstance(state, dict) or set(state) != FORMAT_ENTRIES:
        log.warning("%s was written by another version; training starts from the beginning", last)
        return None
    if state["identity"] != identity:
        log.info("%s belongs to another configuration; training starts from the beginning", last)
        return None
    return state


def write_broken(last: Path | None, content: Mapping[str, Any]) -> str:
    """Write the batch that made a loss or gradient NaN beside ``last``, with all that is needed to compute it again.

    Returns
    -------
    str
        End of the error message: where the batch is; nothing where the run keeps no files.
    """
    if last is None:
        return ""
    path = last.with_name(BROKEN)
    if team().leads:
        write_atomically(path, partial(torch.save, plain(content)))
    return f"; the batch and the weights are in {path} (docs/running-on-a-cluster.md tells how to open it)"


def plain(value: Any) -> Any:
    """Tensors on the CPU in dicts and lists, which ``torch.load`` opens without any class of this package."""
    if isinstance(value, Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.copy())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value if isinstance(value, str | int | float | bool | None) else repr(value)
