"""The one training loop that every stage shares.

Plain torch: an epoch is a fixed number of random draws, the best checkpoint is chosen by validation only, a NaN is
an error, and a killed run resumes to bit-identical weights on the CPU. Test data are out of reach by construction:
the loop is given a way to draw training batches and a list of validation batches, and nothing else.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, TypeVar

import pandas as pd
import torch
from torch import Tensor, nn

from dere.config.training import TrainingConfig
from dere.io import write_atomically

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=nn.Module)


@dataclass
class LossParts:
    """A masked mean, kept as its two sums so that it can be added over batches and devices.

    Parameters
    ----------
    numerator
        Sum of the weighted errors, scalar.
    denominator
        Sum of the weights, scalar.
    """

    numerator: Tensor
    denominator: Tensor

    @property
    def mean(self) -> Tensor:
        """Numerator over denominator; exactly zero, with zero gradient, where nothing was observed."""
        return self.numerator / self.denominator.clamp_min(torch.finfo(self.numerator.dtype).tiny)


@dataclass
class FitResult:
    """What a training leaves behind."""

    history: pd.DataFrame
    best_epoch: int
    best_loss: float


def freeze(module: Model) -> Model:
    """Exclude ``module`` from training: no gradients, and `eval` mode even while the rest trains."""
    module.requires_grad_(False)
    module.eval()
    module.is_frozen = True  # type: ignore[assignment]
    return module


def freeze_parts(model: nn.Module, names: Sequence[str]) -> None:
    """Freeze the named parts of ``model`` that it has."""
    for name, part in model.named_children():
        if name in names:
            freeze(part)


def train_mode(model: nn.Module) -> None:
    """Set train mode everywhere except in frozen parts."""
    model.train()
    for module in model.modules():
        if getattr(module, "is_frozen", False):
            module.eval()


def _schedule(step: int, steps: int) -> float:
    """Linear warm-up over 5 % of the steps, then cosine decay to 5 % of the peak rate."""
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _validate(model: Model, batches: Sequence[Any], loss: Callable[[Model, Any], LossParts]) -> float:
    """Validation loss over all batches: sum of numerators over sum of denominators."""
    model.eval()
    numerator = denominator = 0.0
    with torch.no_grad():
        for batch in batches:
            parts = loss(model, batch)
            numerator += float(parts.numerator)
            denominator += float(parts.denominator)
    if denominator == 0:
        raise ValueError("the validation set holds no observed value; give the validation fold at least one member")
    return numerator / denominator


def _average(averaged: list[Tensor], parameters: list[nn.Parameter], decay: float, step: int) -> None:
    """Move the running average towards the weights; early on it is the plain mean, so that the start is forgotten."""
    decay = min(decay, step / (step + 1))
    with torch.no_grad():
        for mean, parameter in zip(averaged, parameters, strict=True):
            mean.lerp_(parameter, 1 - decay)


@contextmanager
def _replaced(parameters: list[nn.Parameter], averaged: list[Tensor]) -> Iterator[None]:
    """Put the running average in place of the weights; nothing changes where there is none."""
    if not averaged:
        yield
        return
    kept = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        for parameter, mean in zip(parameters, averaged, strict=True):
            parameter.copy_(mean)
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, own in zip(parameters, kept, strict=True):
                parameter.copy_(own)


def _resume(last: Path | None, identity: str) -> dict[str, Any] | None:
    """State of an interrupted run, if it belongs to exactly this configuration, data and code."""
    if last is None or not last.exists():
        return None
    try:
        state = torch.load(last, weights_only=True, map_location="cpu")
    except (RuntimeError, OSError, EOFError, ValueError, UnpicklingError) as error:
        log.warning("%s cannot be read (%s); training starts from the beginning", last, error)
        return None
    if state["identity"] != identity:
        log.info("%s belongs to another configuration; training starts from the beginning", last)
        return None
    return state


def fit(
    model: Model,
    *,
    draw: Callable[[torch.Generator], Any],
    validation: Sequence[Any],
    loss: Callable[[Model, Any], LossParts],
    config: TrainingConfig,
    seed: int,
    device: str = "cpu",
    last: Path | None = None,
    identity: str = "",
    stop_after: int | None = None,
) -> FitResult:
    """Train ``model`` and leave the best weights by validation in it.

    Parameters
    ----------
    model
        Only parameters that require a gradient are trained.
    draw
        Gives a random training batch from a generator; the only source of randomness beside dropout.
    validation
        Fixed batches.
    loss
        Maps model and batch to the sums of a masked mean.
    config
        Epochs, steps, learning rate, patience.
    seed
        Seeds draws and dropout.
    device
        Where the model is; batches are the caller's business.
    last
        File that holds the state after every epoch, for resuming; the caller removes it once the result is safe.
    identity
        Hash of everything that must be equal for a resume to be allowed.
    stop_after
        Stop after so many epochs as if killed (tests of resuming).

    Raises
    ------
    FloatingPointError
        When a training or validation loss is not finite; names epoch and step.
    ValueError
        When validation has no observed value.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("nothing to train: every parameter of the model is frozen")
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * config.steps_per_epoch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _schedule(step, steps))
    averaged = [p.detach().clone() for p in parameters] if config.average else []
    rows: list[dict[str, float]] = []
    best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
    best_loss, best_epoch, first = _validate(model, validation, loss), 0, 1
    if not math.isfinite(best_loss):
        raise FloatingPointError("validation loss before training is not finite; a validation input holds NaN")
    rows.append({"epoch": 0, "training_loss": math.nan, "validation_loss": best_loss, "seconds": 0.0})

    state = _resume(last, identity)
    if state is not None:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        generator.set_state(state["generator"])
        torch.set_rng_state(state["rng"])
        averaged = state["averaged"]
        best_state, best_loss, best_epoch = state["best"], state["best_loss"], state["best_epoch"]
        rows, first = state["rows"], state["epoch"] + 1
        log.info("resumed after epoch %d from %s", state["epoch"], last)

    amp = torch.autocast(device.split(":")[0], dtype=torch.bfloat16, enabled=config.bf16)
    for epoch in range(first, config.epochs + 1):
        if epoch - 1 - best_epoch >= config.patience:
            break
        started, total = time.perf_counter(), 0.0
        train_mode(model)
        for step in range(config.steps_per_epoch):
            batch = draw(generator)
            with amp:
                value = loss(model, batch).mean
            if not torch.isfinite(value):
                raise FloatingPointError(
                    f"training loss is {float(value)} at epoch {epoch}, step {step + 1}; lower the learning rate "
                    f"({config.learning_rate}) or look for NaN in the inputs"
                )
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(parameters, config.gradient_clip)
            optimiser.step()
            schedule.step()
            if averaged:
                _average(averaged, parameters, config.average, (epoch - 1) * config.steps_per_epoch + step)
            total += float(value.detach())
        with _replaced(parameters, averaged):
            validation_loss = _validate(model, validation, loss)
            if validation_loss < best_loss:
                best_loss, best_epoch = validation_loss, epoch
                best_state = {k: v.detach().clone() for k, v in model.state_dict().items()}
        if not math.isfinite(validation_loss):
            raise FloatingPointError(f"validation loss is {validation_loss} after epoch {epoch}")
        row = {
            "epoch": epoch,
            "training_loss": total / config.steps_per_epoch,
            "validation_loss": validation_loss,
            "seconds": time.perf_counter() - started,
        }
        rows.append(row)
        log.info(
            "epoch %3d  training %.4f  validation %.4f  %.1f s",
            epoch,
            row["training_loss"],
            validation_loss,
            row["seconds"],
        )
        if last is not None:
            snapshot = {
                "identity": identity,
                "model": model.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "generator": generator.get_state(),
                "rng": torch.get_rng_state(),
                "averaged": averaged,
                "best": best_state,
                "best_loss": best_loss,
                "best_epoch": best_epoch,
                "rows": rows,
                "epoch": epoch,
            }
            write_atomically(last, partial(torch.save, snapshot))
        if stop_after is not None and epoch >= stop_after:
            break
    else:
        epoch = config.epochs
    model.load_state_dict(best_state)
    model.eval()
    log.info("best epoch %d, validation loss %.4f", best_epoch, best_loss)
    return FitResult(pd.DataFrame(rows), best_epoch, best_loss)
