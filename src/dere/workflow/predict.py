"""Predict sites with a fitted method and write the prediction file."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere import plugins
from dere.config.windows import WindowConfig
from dere.exchange import Exchange
from dere.harmonise.site_roles import COORDINATE, LONG_NAME, OF_SPLIT
from dere.intervals.calibrator import Calibrator
from dere.intervals.driver_distance import Learned
from dere.intervals.fitting import fitted as fitted_errors
from dere.intervals.neighbours import regions_of
from dere.intervals.spread import Of, of_places
from dere.intervals.stated import stated
from dere.invented import invented_sources, marked
from dere.io import file_sha256, read_netcdf, write_netcdf
from dere.methods.base import Method, found_in, resolved
from dere.training import checkpoint
from dere.training.fitted import Fitted, Prediction
from dere.training.membership import LEFT_OUT
from dere.training.places import Places
from dere.training.prediction import prediction_dataset
from dere.training.read_places import label_uncertainty, site_labels, site_places
from dere.training.roles import PREDICTED, TRAINED
from dere.workflow.members import read_roles
from dere.workflow.rule_job import RuleJob

log = logging.getLogger(__name__)

OWN = "quantile_value"
"""Variable of a prediction that brings intervals of its own."""


@dataclass(frozen=True)
class Task:
    """A fitted method, and whom it predicts for.

    Parameters
    ----------
    method, exchange, backbone
        What predicts what, on which sequence network (``none`` without one).
    fitted
        What its stages left behind, by stage.
    windows
        How windows are cut, which channels they have, which months are labels.
    members
        Split table with the role of each member in this fold.
    split
        Hash of the split table.
    fold, seed
        Fold and seed.
    gpu
        Granted devices; 0 = compute on the CPU.
    """

    method: Method
    exchange: Exchange
    backbone: str
    fitted: Mapping[str, Fitted]
    windows: WindowConfig
    members: pd.DataFrame
    split: str
    fold: int
    seed: int
    gpu: int = 0

    def predict(self, places: Places, unseen: bool = False) -> Prediction:
        """Call the method's own function."""
        function = resolved(self.method.predict)
        predicted: Prediction = function(self.fitted, places, None, unseen=unseen, gpu=self.gpu)
        return predicted

    @property
    def leaves_out(self) -> bool:
        """Tell whether every tower that it learned from can be predicted without it."""
        return any(LEFT_OUT in fitted.facts for fitted in self.fitted.values())

    def dataset(
        self,
        predicted: Prediction,
        places: Places,
        errors: Calibrator | None,
        distance: NDArray[np.float64] | None,
        place: str,
        of: Of,
        held_out: NDArray[np.float64] | None = None,
        index: NDArray[np.float64] | None = None,
    ) -> xr.Dataset:
        """The prediction file: means, members, spread, and what the method adds; empty outside the records."""
        extras = predicted.extras.rename(place=place) if "place" in predicted.extras.dims else predicted.extras
        extras = extras.merge(of_places(predicted.mean, errors, place, of, distance, index))
        attrs = {
            "method": self.method.name,
            "backbone": self.backbone,
            "fold": self.fold,
            "seed": self.seed,
            "split": self.split,
            **predicted.facts,
            **(stated(errors) if errors else {}),
        }
        ids = places.ids if place == "site" else places.ids.astype(np.int64)
        axes = (place, ids, places.time, places.record)
        return prediction_dataset(
            predicted.mean, extras, self.exchange, *axes, attrs, members=predicted.members, held_out=held_out
        )


def at_sites(task: Task, towers: xr.Dataset) -> xr.Dataset:
    """Predict all record months of every site; the coordinate ``role`` says what a prediction is worth.

    The spread comes from towers predicted by what never saw them: the validation towers, or all that it learned from
    where a method can leave any of them out. Labels of all other towers are not looked at. Towers of which the model
    has used the labels are predicted by the same weights as any other place, apart from the sites that are judged,
    whose numbers so do not depend on them by a bit.

    Parameters
    ----------
    task
        What predicts.
    towers
        ``data/towers.nc``.

    Raises
    ------
    ValueError
        When a month of a record has no prediction, or there are too few labelled months for a spread.
    """
    method, exchange, settings = task.method, task.exchange, task.windows
    places = site_places(
        towers,
        task.members,
        satellites=settings.satellites,
        channels=settings.channels,
        reads=method.reads_places,
        exchange=exchange,
    )
    role = task.members[task.members["kind"] == "site"].set_index("id")["role"].reindex(places.ids)
    judged = role.isin(PREDICTED).to_numpy()
    order = np.argsort(np.argsort(~judged, kind="stable"), kind="stable")
    groups = [places.take(np.flatnonzero(chosen)) for chosen in (judged, ~judged) if chosen.any()]
    parts = [task.predict(group) for group in groups]
    for part, group in zip(parts, groups, strict=True):
        _require_complete(method.name, part, group)
    predicted = _taken(_joined(parts), order)
    learned = learned_from(places, role.isin(TRAINED).to_numpy())
    distance = learned.distance(places.static, places.classes["cluster"].to_numpy(str))
    errors: Calibrator | None = None
    held_out, own = None, OWN in predicted.extras
    if task.leaves_out or not own:
        rows = np.flatnonzero(role.isin(TRAINED if task.leaves_out else ("validation",)).to_numpy())
        unseen = task.predict(places.take(rows), unseen=True).mean
        held_out = np.full(predicted.mean.shape, np.nan)
        held_out[rows] = unseen
        if not own:
            labels = site_labels(towers, places.ids[rows].tolist(), settings.minimum_training_quality, exchange)
            uncertainty, cluster = label_uncertainty(towers, exchange), places.classes["cluster"].to_numpy(str)
            # where no member left a tower out, validation towers have the mean of all, whose errors need no rescaling
            scatter = parts[0].members if judged.any() and task.leaves_out else None
            about = uncertainty, cluster, distance, scatter, exchange, regions_of(towers, "site")
            errors = fitted_errors(held_out, labels.flux, *about)
    counted = "%s: %d sites, %d months, and %d sites seen in training"
    log.info(counted, method.name, judged.sum(), int(places.record[judged].sum()), (~judged).sum())
    made = task.dataset(predicted, places, errors, distance, "site", "label", held_out).assign(learned.variables())
    worth = ("site", role.map(OF_SPLIT).to_numpy(str), {"long_name": LONG_NAME})
    return made.assign_coords({COORDINATE: worth}).assign_attrs(marked(invented_sources([towers.attrs])))


def learned_from(places: Places, chosen: NDArray[np.bool_]) -> Learned:
    """Towers that a model learned from, of which ``chosen`` (place,) says which they are."""
    return Learned(places.static[chosen], places.classes["cluster"].to_numpy(str)[chosen])


def predict_sites(rule: RuleJob) -> None:
    """Write what `at_sites` gives for the job of a rule."""
    towers = read_netcdf(rule.files["towers"])
    write_netcdf(at_sites(task_of(rule), towers), rule.output)


def task_of(rule: RuleJob) -> Task:
    """Read what is fitted; refused when it saw another split, fold or exchange."""
    plugins.load(rule.plugins)
    exchange = exchanges.get(rule.exchange)
    split = file_sha256(rule.files["splits"])
    expect = {"split": split, "fold": rule.fold}
    return Task(
        method=found_in(rule.room, "METHODS", rule.name),
        exchange=exchange,
        backbone=str(rule.params["backbone_name"]),
        fitted={name: checkpoint.read(folder, exchange, expect) for name, folder in rule.parents.items()},
        windows=WindowConfig(**rule.params["harmonise"]),
        members=read_roles(rule.files["splits"], rule.fold),
        split=split,
        fold=rule.fold,
        seed=rule.seed,
        gpu=rule.gpu,
    )


def _joined(parts: Sequence[Prediction]) -> Prediction:
    """Predictions of several blocks of places below each other."""
    if len(parts) == 1:
        return parts[0]
    extras = xr.concat([part.extras for part in parts], "place", data_vars="minimal")
    members = [part.members for part in parts if part.members is not None]
    return Prediction(
        np.concatenate([part.mean for part in parts]),
        members=np.concatenate(members, axis=1) if members else None,
        extras=extras,
        facts=parts[0].facts,
    )


def _taken(predicted: Prediction, rows: NDArray[np.int64]) -> Prediction:
    """A prediction with its places in the order of ``rows``."""
    extras = predicted.extras.isel(place=rows) if "place" in predicted.extras.dims else predicted.extras
    members = None if predicted.members is None else predicted.members[:, rows]
    return replace(predicted, mean=predicted.mean[rows], members=members, extras=extras)


def _require_complete(name: str, predicted: Prediction, places: Places) -> None:
    missing = int((places.record & ~np.isfinite(predicted.mean).all(-1)).sum())
    if missing:
        raise ValueError(f"{name}: {missing} record months have no prediction; the windows do not cover the records")
