"""What every stage of a network shares: device, statistics and seed at the start, its weights at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
import xarray as xr
from torch import Tensor, nn

from dere.config.training import TrainingConfig
from dere.io import content_hash, read_netcdf
from dere.layers.blueprint import Blueprint
from dere.layers.inputs import Statistics
from dere.training import weights
from dere.training.compiling import compiled
from dere.training.dropout import dropout
from dere.training.fitted import Fitted
from dere.training.job import Job
from dere.training.loop import LossParts, Model, fit
from dere.training.noise import input_noise
from dere.training.parallel import local_device
from dere.training.snapshots import state_of

log = logging.getLogger(__name__)

Option = TypeVar("Option", bound=TrainingConfig)


def choose_device(gpu: int) -> str:
    """Device of this process from the rule's ``gpu`` resource; a missing CUDA device is said, not hidden."""
    if gpu > 0 and torch.cuda.is_available():
        return local_device()
    if gpu > 0:
        log.warning("gpu=%d was granted, but no CUDA device is visible; training on the CPU", gpu)
    return "cpu"


def read_statistics(dataset: xr.Dataset) -> Statistics:
    """Statistics of one fold as tensors."""
    names = Statistics.__dataclass_fields__
    return Statistics(**{n: torch.as_tensor(dataset[n].values, dtype=torch.float32) for n in names})


@dataclass(frozen=True)
class Refit(Generic[Option]):
    """How a tower stage is trained once more, on training and validation towers together.

    Parameters
    ----------
    start
        Weights to start from.
    draw
        Gives a random batch of all these towers.
    loss_of
        The loss under an option.
    """

    start: Mapping[str, Tensor]
    draw: Callable[[torch.Generator], Any]
    loss_of: Callable[[Option], Callable[[Any, Any], LossParts]]


@contextmanager
def changed_by(option: TrainingConfig, model: nn.Module) -> Iterator[None]:
    """Set dropout, noise and compilation of ``model`` as an option has them, while it is trained."""
    with (
        dropout(model, getattr(option, "dropout", None)),
        input_noise(model, getattr(option, "input_noise", 0.0)),
        compiled(model, option.compile),
    ):
        yield


class Context:
    """One training run.

    Parameters
    ----------
    job
        What is fitted; every random number follows from its seed.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.device = choose_device(job.gpu)
        torch.manual_seed(job.seed)

    @cached_property
    def statistics_file(self) -> xr.Dataset:
        """What the canonical set holds of this fold's statistics."""
        return read_netcdf(self.job.files["statistics"])

    @cached_property
    def statistics(self) -> Statistics:
        """Statistics of this fold."""
        return read_statistics(self.statistics_file)

    @cached_property
    def driver_names(self) -> tuple[str, ...]:
        """Names of the driver channels."""
        return tuple(self.statistics_file["driver"].values.astype(str).tolist())

    @cached_property
    def blueprint(self) -> Blueprint:
        """What the networks of this run are built from."""
        network = self.job.network
        assert network is not None
        window, exchange = self.job.windows.window, self.job.exchange
        return Blueprint(network.name, network.size, window, self.statistics, exchange, self.driver_names)

    def last(self, part: str) -> Path:
        """Undeclared file with the state of an unfinished run; a candidate and the refit have one each."""
        return self.job.scratch / f"last{part}.pt"

    def load(self, parent: str, model: Model, unseen: bool = False, member: int = 0) -> Model:
        """Load what an earlier stage left behind into ``model``: of its members one; see `weights.load`.

        Raises
        ------
        ValueError
            When the stages have different numbers of members, so that one would start where its test towers are known.
        """
        found = self.job.parents[parent].members
        if found not in (1, self.job.members):
            raise ValueError(
                f"members: stage {self.job.stage} has {self.job.members}, but {parent}, from which it starts, was "
                f"trained with {found}; train {parent} again with as many"
            )
        return weights.load(model, self.job.parents[parent].member(member), unseen)

    def fit(
        self,
        model: Model,
        *,
        draw: Callable[[torch.Generator], Any],
        validation: Sequence[Any],
        loss: Callable[[Model, Any], LossParts],
        config: TrainingConfig,
    ) -> Fitted:
        """Train ``model`` with the common loop; arguments as in `fit`."""
        return self.fit_best(model, draw=draw, validation=validation, loss_of=lambda option: loss, options=[config])

    def fit_best(
        self,
        model: Model,
        *,
        draw: Callable[[torch.Generator], Any],
        validation: Sequence[Any],
        loss_of: Callable[[Option], Callable[[Model, Any], LossParts]],
        options: Sequence[Option],
        refit: Refit[Option] | None = None,
    ) -> Fitted:
        """Train ``model`` once per option, from the same start and seed, and return the best by validation.

        Parameters
        ----------
        model
            Holds the best weights afterwards.
        draw, validation
            As in `fit`.
        loss_of
            The loss under an option.
        options
            At least one; several are compared on this fold's validation members only.
        refit
            How the chosen option is trained once more on all towers; the validated weights stay beside the new ones.
        """
        start = state_of(model)
        results, states = [], []
        for number, option in enumerate(options):
            if len(options) > 1:
                log.info("candidate %d of %d: %s", number + 1, len(options), _differing(option, options))
            model.load_state_dict(start)
            with changed_by(option, model):
                result = fit(
                    model,
                    draw=draw,
                    validation=validation,
                    loss=loss_of(option),
                    config=option,
                    seed=self.job.seed,
                    device=self.device,
                    last=self.last(str(number)),
                    identity=content_hash([self.job.identity, number]),
                )
            results.append(result)
            states.append(state_of(model))
        best = min(range(len(options)), key=lambda number: results[number].best_loss)
        model.load_state_dict(states[best])
        if refit is not None:
            self._refit(model, refit, options[best], results[best].best_epoch)
        facts = {
            **self.job.recorded,
            "drivers": list(self.driver_names),
            "best_epoch": results[best].best_epoch,
            "best_validation_loss": results[best].best_loss,
            "candidate": best,
            "candidate_validation_losses": [result.best_loss for result in results],
            "refit": refit is not None,
            "parameters": sum(p.numel() for p in model.parameters()),
        }
        unseen = weights.arrays_of(states[best]) if refit else None
        return Fitted(weights.arrays_of(model.state_dict()), facts, results[best].history, unseen)

    def _refit(self, model: Model, refit: Refit[Option], option: Option, epochs: int) -> None:
        """Train ``option`` on all towers for the number of epochs that validation chose."""
        log.info("once more on training and validation towers together: %d epochs", epochs)
        model.load_state_dict(refit.start)
        with changed_by(option, model):
            fit(
                model,
                draw=refit.draw,
                validation=(),
                loss=refit.loss_of(option),
                config=option,
                seed=self.job.seed,
                device=self.device,
                last=self.last("_refit"),
                identity=content_hash([self.job.identity, "refit", option.model_dump(mode="json"), epochs]),
                epochs=epochs,
            )


def _differing(option: TrainingConfig, options: Sequence[TrainingConfig]) -> dict[str, Any]:
    """Settings of an option that are not the same in all options."""
    return {name: value for name, value in option if any(getattr(other, name) != value for other in options)}
