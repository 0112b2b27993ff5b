"""Predict as the rules do, without Snakemake."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pandas as pd
import xarray as xr

from dere.api.arguments import require
from dere.api.files import loaded
from dere.api.model import Model
from dere.api.run import Run
from dere.api.threads import threads
from dere.harmonise.splits import roles
from dere.intervals.stated import read_stated
from dere.knowledge.terms import NAMES as KNOWLEDGE
from dere.knowledge.terms import terms
from dere.training.places import Places
from dere.workflow.combine import Combination, clusters_of
from dere.workflow.predict import OWN, Task, at_sites
from dere.workflow.predict_cells import at_cells, distance_of, index_of


def predict(model: Model, where: Run | Places, *, at: Literal["sites", "cells"] = "sites", gpu: int = 0) -> xr.Dataset:
    """Predict by a fitted method.

    Parameters
    ----------
    model
        From `dere.fit` or ``run.fitted``.
    where
        A run: its sites, or all its cells. Or places of your own
        (`dere.training.places.Places`): all of them, without a spread unless the method has one of its own.
    at
        ``sites`` or ``cells`` of a run.
    gpu
        1 = compute on the GPU.

    Returns
    -------
    Dataset
        As a prediction file: ``prediction(site, time, flux)``, and ``std`` and ``quantile_value`` from the errors at
        towers that the model did not see; of an ensemble also ``member_prediction(member, site, time, flux)`` and
        ``held_out_prediction(site, time, flux)``, the towers seen in training by the members that left them out. Maps
        have ``cell`` in place of ``site`` and no members. The coordinate ``role`` says of a run's sites whether the
        model has seen them (`docs/tables.md#sitescsv`).

    Raises
    ------
    ValueError
        When the model belongs to another split or exchange, own places have other knowledge channels than it was
        fitted with or lack a series that it reads, or a month of a record has no prediction.
    """
    require("model", model, Model, "dere.fit")
    if isinstance(where, Places):
        return at_places(model, where, gpu=gpu)
    if model.parts:
        return _combined(model, where, at, gpu)
    require("where", where, Run, "dere.open_run")
    if (model.split, model.exchange.name) != (where.split, where.exchange.name):
        raise ValueError(
            f"{model!r} was fitted with another split table or exchange than {where.folder} has, so that it may have "
            "seen what it is asked to predict; fit it on this run"
        )
    if at not in ("sites", "cells"):
        raise ValueError(f"at: {at!r} is no kind of places; choose sites or cells")
    task = _task(model, roles(where.splits, model.fold), gpu)
    with threads(1, torch=model.method.env == "train"):
        sites = at_sites(task, loaded(where.towers))
        if at == "sites":
            return sites
        with where.simulation as simulation:
            canonical = {"drivers": loaded(where.drivers), "simulation": simulation, "cover": loaded(where.cover)}
            return at_cells(task, canonical, sites)


def at_places(
    model: Model,
    places: Places,
    sites: xr.Dataset | None = None,
    *,
    kind: Literal["site", "cell"] = "site",
    gpu: int = 0,
) -> xr.Dataset:
    """Predict places of one's own.

    Parameters
    ----------
    model, gpu
        As for `predict`.
    places
        With the channels that the model was fitted with.
    sites
        The model's prediction at the sites of its run, which states its error model; None = no spread but one of the
        method's own.
    kind
        ``site``: intervals are of the truth at a place. ``cell``: of the truth of a mean over a cell, as in maps,
        without members.
    """
    distance = None if sites is None else distance_of(places, sites)
    index = None if kind == "site" or sites is None else index_of(distance, sites)
    if model.parts:
        parts = {name: at_places(part, places, kind=kind, gpu=gpu) for name, part in model.parts.items()}
        return _combination(model).places(parts, None if sites is None else sites.attrs, distance, kind, index)
    _require_channels(model, places)
    _require_read(model, places)
    task = _task(model, pd.DataFrame(), gpu)
    with threads(1, torch=model.method.env == "train"):
        predicted = task.predict(places)
    if kind == "cell":
        # many times what the maps are
        predicted = replace(predicted, members=None)
    errors = None
    if sites is not None and OWN not in predicted.extras:
        errors = read_stated(sites.attrs, model.exchange)
    return task.dataset(predicted, places, errors, distance, kind, "truth" if kind == "site" else "cell", index=index)


def _combined(model: Model, where: Run, at: Literal["sites", "cells"], gpu: int) -> xr.Dataset:
    """Predict by a method over methods: by its parts first."""
    own = _combination(model)

    def parts(kind: Literal["sites", "cells"]) -> dict[str, xr.Dataset]:
        return {name: predict(part, where, at=kind, gpu=gpu) for name, part in model.parts.items()}

    found = parts(at)
    sites = found if at == "sites" else parts("sites")
    cluster = clusters_of(where.splits, next(iter(sites.values())))
    made = own.sites(sites, loaded(where.towers), cluster, model.windows.minimum_training_quality)
    return made if at == "sites" else own.cells(found, made.attrs)


def _combination(model: Model) -> Combination:
    return Combination(model.method, model.exchange, model.backbone, model.split, model.fold, model.seed)


def _require_channels(model: Model, places: Places) -> None:
    """Refuse places whose knowledge channels are not those of the model."""
    setting = model.windows.channels
    wanted = [term.name for term in terms(setting, model.windows.satellites)]
    found = [name for name in places.driver_names if name in KNOWLEDGE]
    if found != wanted:
        raise ValueError(
            f"places: they have {len(found)} knowledge channels, but the model was fitted with {len(wanted)} "
            f"(harmonise.channels: {setting}); make them with channels='{setting}' (docs/knowledge.md)"
        )


def _require_read(model: Model, places: Places) -> None:
    """Refuse places without the series that the method reads."""
    for name in model.method.reads_places:
        if getattr(places, name) is None:
            raise ValueError(
                f"places: they have no {name} series, which {model.method.name} reads; make them with "
                f"reads=('{name}',) (dere.training.read_places), or predict with a method that does not need them"
            )


def _task(model: Model, members: pd.DataFrame, gpu: int) -> Task:
    return Task(
        method=model.method,
        exchange=model.exchange,
        backbone=model.backbone,
        fitted=model.stages,
        windows=model.windows,
        members=members,
        split=model.split,
        fold=model.fold,
        seed=model.seed,
        gpu=gpu,
    )
