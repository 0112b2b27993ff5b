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
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import pandas as pd
import torch
from torch import Tensor, nn

from dere.config.training import TrainingConfig
from dere.training.clipping import clip
from dere.training.optimiser import optimiser_of
from dere.training.parallel import Team, team
from dere.training.snapshots import Progress, read_last, write_broken, write_last

log = logging.getLogger(__name__)

Model = TypeVar("Model", bound=nn.Module)


@dataclass
class LossParts:
    """A masked mean, or several that add up to the loss, kept as sums that can be added over batches and devices.

    Parameters
    ----------
    numerator
        Sum of the weighted errors, scalar; (k,) for several means.
    denominator
        Sum of the weights, of the same shape.
    """

    numerator: Tensor
    denominator: Tensor

    @property
    def mean(self) -> Tensor:
        """Numerator over denominator; exactly zero, with zero gradient, where nothing was observed."""
        return (self.numerator / self.denominator.clamp_min(torch.finfo(self.numerator.dtype).tiny)).sum()


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
    """Freeze the named parts of ``model``.

    Raises
    ------
    ValueError
        When it has no such part.
    """
    parts = dict(model.named_children())
    for name in names:
        if name not in parts:
            raise ValueError(
                f"stages: frozen names '{name}', but this network has {', '.join(parts)}; correct the list"
            )
        freeze(parts[name])


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


@dataclass
class _Training:
    """One call of `fit`; arguments as there."""

    model: nn.Module
    draw: Callable[[torch.Generator], Any]
    validation: Sequence[Any]
    loss: Callable[[Any, Any], LossParts]
    config: TrainingConfig
    seed: int
    device: str
    last: Path | None
    parameters: list[nn.Parameter]
    progress: Progress
    ranks: Team
    members: int = 1

    def epoch(self, epoch: int) -> float:
        """Take the steps of one epoch; mean training loss."""
        self.ranks.seed_epoch(self.seed, epoch)
        train_mode(self.model)
        amp = torch.autocast(self.device.split(":")[0], dtype=torch.bfloat16, enabled=self.config.bf16)
        return sum(self.step(epoch, step, amp) for step in range(self.config.steps_per_epoch)) / (
            self.config.steps_per_epoch
        )

    def step(self, epoch: int, step: int, amp: torch.autocast) -> float:
        """Draw a batch and move the weights; training loss of the whole batch, whichever process computed what."""
        progress, generator = self.progress, self.progress.generator.get_state()
        batch = self.draw(progress.generator)
        with amp:
            parts = self.loss(self.model, self.ranks.share(batch))
        whole = LossParts(*self.ranks.total(parts.numerator, parts.denominator))
        progress.optimiser.zero_grad(set_to_none=True)
        # each process adds its own numerator over everybody's denominator
        LossParts(parts.numerator, whole.denominator).mean.backward()
        self.ranks.add_gradients(self.parameters)
        norm = clip(self.parameters, self.config.gradient_clip, self.members)
        value = float(whole.mean) / self.members
        # a finite loss with an infinite gradient would make the next batch, an innocent one, stop the run
        if not (math.isfinite(value) and math.isfinite(norm)):
            what = f"training loss is {value}" if not math.isfinite(value) else f"norm of the gradient is {float(norm)}"
            self.stop(
                f"{what} at epoch {epoch}, step {step + 1}; lower the learning rate ({self.config.learning_rate}) or "
                "look for NaN in the inputs",
                batch,
                {"what": what, "epoch": epoch, "step": step + 1, "generator": generator} | vars(whole),
            )
        progress.optimiser.step()
        progress.schedule.step()
        if progress.averaged:
            done = (epoch - 1) * self.config.steps_per_epoch + step
            _average(progress.averaged, self.parameters, self.config.average, done)
        return value

    def validate(self, epoch: int) -> float:
        """Validation loss over all batches: sum of numerators over sum of denominators."""
        self.model.eval()
        numerator = denominator = 0.0
        broken = len(self.validation)
        with torch.no_grad():
            for number in self.ranks.own(len(self.validation)):
                parts = self.loss(self.model, self.validation[number])
                numerator += float(parts.numerator)
                denominator += float(parts.denominator)
                if not math.isfinite(numerator + denominator):
                    broken = min(broken, number)
        (sums,) = self.ranks.total(torch.tensor([numerator, denominator], dtype=torch.float64))
        numerator, denominator = sums.tolist()
        if denominator == 0:
            raise ValueError("the validation set holds no observed value; give the validation fold at least one member")
        if not math.isfinite(numerator / denominator):
            number = min(self.ranks.smallest(broken), len(self.validation) - 1)
            when = f"after epoch {epoch}" if epoch else "before training"
            sentence = "is not finite; a validation input holds NaN" if not epoch else f"is {numerator / denominator}"
            self.stop(
                f"validation loss {when} {sentence} (batch {number + 1} of {len(self.validation)})",
                self.validation[number],
                {"what": "validation loss", "epoch": epoch, "step": number + 1},
            )
        return numerator / denominator

    def judge(self, epoch: int, blind: bool) -> float:
        """Validate and remember the weights if they are the best so far; NaN if ``blind``, then the last count."""
        loss = math.nan if blind else self.validate(epoch)
        if blind or loss < self.progress.best_loss:
            self.progress.keep(loss, epoch)
        return loss

    def stop(self, sentence: str, batch: Any, facts: dict[str, Any]) -> NoReturn:
        """Save the batch with the weights that met it, and raise."""
        content = {"batch": batch, "seed": self.seed, "model": self.model.state_dict(), **facts}
        raise FloatingPointError(sentence + write_broken(self.last, content))


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
    epochs: int | None = None,
    members: int = 1,
    stop_after: int | None = None,
) -> FitResult:
    """Train ``model`` and leave the best weights by validation in it.

    In a team of processes (`dere.training.parallel`) every member calls this with the same arguments.

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
    epochs
        Take exactly so many of the configured epochs, without validation, and leave the last weights in the model:
        how a stage whose length validation has chosen is trained on all towers.
    members
        Networks that train together: the first axis of every trained weight, whose losses ``loss`` gives one by one.
        Each has a gradient, and a largest norm of it, of its own; the history has the mean of their losses.
    stop_after
        Stop after so many epochs as if killed (tests of resuming).

    Raises
    ------
    FloatingPointError
        When a loss or gradient is not finite; names epoch and step, and the file with the batch beside ``last``.
    ValueError
        When validation has no observed value.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError("nothing to train: every parameter of the model is frozen")
    ranks = team()
    ranks.same_start(model)
    torch.manual_seed(seed)
    optimiser = optimiser_of(parameters, config.learning_rate, config.weight_decay)
    steps = config.epochs * config.steps_per_epoch
    progress = Progress(
        model,
        optimiser,
        torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _schedule(step, steps)),
        torch.Generator().manual_seed(seed),
        [p.detach().clone() for p in parameters] if config.average else [],
    )
    training = _Training(
        model, draw, validation, loss, config, seed, device, last, parameters, progress, ranks, members
    )
    blind = epochs is not None
    state = ranks.agree(read_last(last, identity))
    if state is not None and not progress.accepts(state):
        log.warning("%s is of a network of another shape; training starts from the beginning", last)
        state = None
    if state is not None:
        progress.restore(state)
        log.info("resumed after epoch %d from %s", progress.epoch, last)
    else:
        progress.note(math.nan, training.judge(0, blind), 0.0)
    for epoch in range(progress.epoch + 1, (config.epochs if epochs is None else epochs) + 1):
        if not blind and epoch - 1 - progress.best_epoch >= config.patience:
            break
        started = time.perf_counter()
        training_loss = training.epoch(epoch)
        progress.epoch = epoch
        with _replaced(parameters, progress.averaged):
            validation_loss = training.judge(epoch, blind)
        seconds = time.perf_counter() - started
        progress.note(training_loss, validation_loss, seconds)
        judged = "" if blind else f"  validation {validation_loss:.4f}"
        log.info("epoch %3d  training %.4f%s  %.1f s", epoch, training_loss, judged, seconds)
        if last is not None:
            write_last(last, progress, identity)
        if stop_after is not None and epoch >= stop_after:
            break
    model.load_state_dict(progress.best)
    model.eval()
    if not blind:
        log.info("best epoch %d, validation loss %.4f", progress.best_epoch, progress.best_loss)
    return FitResult(pd.DataFrame(progress.rows), progress.best_epoch, progress.best_loss)
