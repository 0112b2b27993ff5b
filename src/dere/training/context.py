"""What every stage shares: its files, device and seed at the start, its checkpoint at the end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from dere.backbones import declaration
from dere.config.network import BackboneConfig
from dere.config.training import TrainingConfig
from dere.harmonise.splits import roles
from dere.io import content_hash, file_sha256, read_json, read_netcdf
from dere.models.inputs import Statistics
from dere.training import checkpoint
from dere.training.candidates import CHOSEN, dropout
from dere.training.compiling import compiled
from dere.training.job import Job
from dere.training.loop import LossParts, Model, fit
from dere.training.parallel import local_device
from dere.training.snapshots import discard, state_of

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


class Context:
    """One training run.

    Parameters
    ----------
    stage
        Name of the stage, for the manifest.
    job
        Its files, parents, output, parameters, fold, seed and device, which are attributes of the context too.
    """

    def __init__(self, stage: str, job: Job) -> None:
        self.stage = stage
        self.files, self.parents, self.output, self.params = job.files, job.parents, job.output, job.params
        self.fold, self.seed, self.code = job.fold, job.seed, job.code
        self.device = choose_device(job.gpu)
        torch.manual_seed(job.seed)

    @cached_property
    def split_hash(self) -> str:
        """Hash of the split file; every stage must read the same."""
        return file_sha256(Path(self.files["splits"]))

    @cached_property
    def roles(self) -> pd.DataFrame:
        """Split table with the role of each id in this fold."""
        table = pd.read_csv(self.files["splits"], dtype={"id": str, "kind": str, "cluster": str})
        return roles(table, self.fold)

    @cached_property
    def statistics(self) -> Statistics:
        """Statistics of this fold."""
        return read_statistics(read_netcdf(Path(self.files["statistics"])))

    @cached_property
    def backbone(self) -> BackboneConfig:
        """Sizes and options of the sequence networks."""
        return declaration(self.name).section(**self.params["backbone"])

    @property
    def name(self) -> str:
        """Registered backbone."""
        return str(self.params["backbone_name"])

    @property
    def window(self) -> int:
        """Months of a window."""
        return int(self.params["harmonise"]["window"])

    def network_arguments(self) -> tuple[str, BackboneConfig, int, Statistics]:
        """Arguments shared by all networks."""
        return self.name, self.backbone, self.window, self.statistics

    @property
    def last(self) -> Path:
        """Undeclared file with the state of an unfinished run; a candidate adds its number to the stem."""
        return Path(self.output) / "last.pt"

    @cached_property
    def identity(self) -> str:
        """Hash that must be equal for an unfinished run to be continued."""
        parents = {k: read_json(Path(v) / "manifest.json")["sha256"] for k, v in self.parents.items()}
        inputs = {k: file_sha256(Path(v)) for k, v in sorted(self.files.items())}
        made_of = [self.code, checkpoint.VARIABLES_HASH, parents, inputs]
        return content_hash([self.stage, dict(self.params), self.fold, self.seed, *made_of])

    def load(self, parent: str, model: Model, validated: bool = False) -> Model:
        """Load a parent checkpoint into ``model``, checking that it saw the same split; see `checkpoint.load`."""
        expect = {"split": self.split_hash, "fold": self.fold}
        checkpoint.load(Path(self.parents[parent]), model, expect, validated)
        return model

    def fit(
        self,
        model: Model,
        *,
        draw: Callable[[torch.Generator], Any],
        validation: Sequence[Any],
        loss: Callable[[Model, Any], LossParts],
        config: TrainingConfig,
    ) -> None:
        """Train ``model`` with the common loop and write checkpoint, manifest and history; arguments as in `fit`."""
        self.fit_best(model, draw=draw, validation=validation, loss_of=lambda option: loss, options=[config])

    def fit_best(
        self,
        model: Model,
        *,
        draw: Callable[[torch.Generator], Any],
        validation: Sequence[Any],
        loss_of: Callable[[Option], Callable[[Model, Any], LossParts]],
        options: Sequence[Option],
        refit: Refit[Option] | None = None,
    ) -> None:
        """Train ``model`` once per option, from the same start and seed, and write the best by validation.

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
        unfinished = [self.last.with_name(f"last{number}.pt") for number in range(len(options))]
        results, states = [], []
        for number, (option, last) in enumerate(zip(options, unfinished, strict=True)):
            if len(options) > 1:
                log.info("candidate %d of %d: %s", number + 1, len(options), option.model_dump(include=CHOSEN))
            model.load_state_dict(start)
            with dropout(model, getattr(option, "dropout", None)), compiled(model, option.compile):
                result = fit(
                    model,
                    draw=draw,
                    validation=validation,
                    loss=loss_of(option),
                    config=option,
                    seed=self.seed,
                    device=self.device,
                    last=last,
                    identity=content_hash([self.identity, number]),
                )
            results.append(result)
            states.append(state_of(model))
        best = min(range(len(options)), key=lambda number: results[number].best_loss)
        model.load_state_dict(states[best])
        if refit is not None:
            unfinished.append(self.last.with_name("last_refit.pt"))
            self._refit(model, refit, options[best], results[best].best_epoch, unfinished[-1])
        manifest = {
            "stage": self.stage,
            "fold": self.fold,
            "seed": self.seed,
            "split": self.split_hash,
            "params": dict(self.params),
            "parents": {k: read_json(Path(v) / "manifest.json")["sha256"] for k, v in self.parents.items()},
            "best_epoch": results[best].best_epoch,
            "best_validation_loss": results[best].best_loss,
            "candidate": best,
            "candidate_validation_losses": [result.best_loss for result in results],
            "refit": refit is not None,
            "parameters": sum(p.numel() for p in model.parameters()),
        }
        checkpoint.save(Path(self.output), model, manifest, results[best].history, states[best] if refit else None)
        discard(*unfinished)

    def _refit(self, model: Model, refit: Refit[Option], option: Option, epochs: int, last: Path) -> None:
        """Train ``option`` on all towers for the number of epochs that validation chose."""
        log.info("once more on training and validation towers together: %d epochs", epochs)
        model.load_state_dict(refit.start)
        with dropout(model, getattr(option, "dropout", None)), compiled(model, option.compile):
            fit(
                model,
                draw=refit.draw,
                validation=(),
                loss=refit.loss_of(option),
                config=option,
                seed=self.seed,
                device=self.device,
                last=last,
                identity=content_hash([self.identity, "refit", option.model_dump(mode="json"), epochs]),
                epochs=epochs,
            )
