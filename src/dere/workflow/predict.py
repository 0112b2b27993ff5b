"""Predict sites and cells with a fitted method and write the prediction files."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from dere import exchange as exchanges
from dere.config.windows import WindowConfig
from dere.exchange import Exchange
from dere.intervals.error import ErrorModel
from dere.intervals.spread import fit_errors, read_errors, spread, stated
from dere.io import file_sha256, read_netcdf, write_netcdf
from dere.methods.base import Method, found_in, resolved
from dere.training import checkpoint
from dere.training.fitted import Fitted, Prediction
from dere.training.places import Places
from dere.training.prediction import prediction_dataset
from dere.training.read_places import cell_places, site_labels, site_places
from dere.training.roles import PREDICTED
from dere.workflow.members import read_roles
from dere.workflow.rule_job import RuleJob

log = logging.getLogger(__name__)

OWN = "quantile_value"
"""Variable of a prediction that brings intervals of its own."""
BLOCK = 2000
"""Cells predicted at a time."""


def predict_sites(rule: RuleJob) -> None:
    """Write the predictions of a method for all record months of test and predict-only sites.

    The spread comes from the validation towers, predicted by what never saw them; labels of all other towers are
    removed on loading.

    Raises
    ------
    ValueError
        When a month of a record has no prediction, or there are too few labelled months for a spread.
    """
    method, exchange = _method(rule), exchanges.get(rule.exchange)
    settings = WindowConfig(**rule.params["harmonise"])
    towers, members = read_netcdf(rule.files["towers"]), read_roles(rule.files["splits"], rule.fold)
    places = site_places(towers, members, satellites=settings.satellites, reads=method.reads_places, exchange=exchange)
    role = members[members["kind"] == "site"].set_index("id")["role"].reindex(places.ids)
    wanted = places.take(np.flatnonzero(role.isin(PREDICTED).to_numpy()))
    fitted = _fitted(rule, exchange)
    predicted = _predict(method, fitted, wanted, rule.gpu)
    _require_complete(method.name, predicted, wanted)
    errors: tuple[ErrorModel, ...] = ()
    if OWN not in predicted.extras:
        held_out = np.flatnonzero(role.eq("validation").to_numpy())
        unseen = _predict(method, fitted, places.take(held_out), rule.gpu, unseen=True)
        allowed = places.ids[held_out].tolist()
        labels = site_labels(towers, allowed, settings.minimum_training_quality, exchange)
        errors = fit_errors(unseen.mean, labels.flux[held_out], exchange)
    result = _dataset(rule, method, predicted, wanted, exchange, errors, "site")
    write_netcdf(result, rule.output)
    log.info("%s: %d sites, %d months", method.name, len(wanted), int(wanted.record.sum()))


def predict_cells(rule: RuleJob) -> None:
    """Write fluxes per vegetated area for every cell and month; the spread is that of ``rule.files['sites']``."""
    method, exchange = _method(rule), exchanges.get(rule.exchange)
    settings = WindowConfig(**rule.params["harmonise"])
    places = cell_places(
        read_netcdf(rule.files["drivers"]),
        read_netcdf(rule.files["simulation"], load=False),
        read_netcdf(rule.files["cover"]),
        read_roles(rule.files["splits"], rule.fold),
        satellites=settings.satellites,
        window=settings.window,
        stride=settings.window_stride,
        reads=method.reads_places,
        exchange=exchange,
    )
    fitted = _fitted(rule, exchange)
    parts = [_predict(method, fitted, block, rule.gpu) for block in places.blocks(BLOCK)]
    predicted = Prediction(
        np.concatenate([part.mean for part in parts]),
        extras=xr.concat([part.extras for part in parts], "place", data_vars="minimal")
        if len(parts) > 1
        else parts[0].extras,
        facts=parts[0].facts,
    )
    errors: tuple[ErrorModel, ...] = ()
    if OWN not in predicted.extras:
        with read_netcdf(rule.files["sites"], load=False) as sites:
            errors = read_errors(sites.attrs, exchange)
    write_netcdf(_dataset(rule, method, predicted, places, exchange, errors, "cell"), rule.output)
    log.info("%s: %d cells, %d months", method.name, len(places), len(places.time))


def _method(rule: RuleJob) -> Method:
    method: Method = found_in(rule.room, "METHODS", rule.name)
    return method


def _fitted(rule: RuleJob, exchange: Exchange) -> dict[str, Fitted]:
    """What the stages left behind that the method predicts from; refused when they saw another split or fold."""
    expect = {"split": file_sha256(rule.files["splits"]), "fold": rule.fold}
    return {name: checkpoint.read(folder, exchange, expect) for name, folder in rule.parents.items()}


def _predict(
    method: Method, fitted: Mapping[str, Fitted], places: Places, gpu: int, unseen: bool = False
) -> Prediction:
    predicted: Prediction = resolved(method.predict)(fitted, places, None, unseen=unseen, gpu=gpu)
    return predicted


def _require_complete(name: str, predicted: Prediction, places: Places) -> None:
    missing = int((places.record & ~np.isfinite(predicted.mean).all(-1)).sum())
    if missing:
        raise ValueError(f"{name}: {missing} record months have no prediction; the windows do not cover the records")


def _dataset(
    rule: RuleJob,
    method: Method,
    predicted: Prediction,
    places: Places,
    exchange: Exchange,
    errors: tuple[ErrorModel, ...],
    place: str,
) -> xr.Dataset:
    """The prediction file: means, spread, and what the method adds; empty outside the records."""
    extras = predicted.extras.rename(place=place) if "place" in predicted.extras.dims else predicted.extras
    if errors:
        extras = extras.merge(spread(predicted.mean, errors, exchange, place))
    attrs = {
        "method": method.name,
        "backbone": str(rule.params["backbone_name"]),
        "fold": rule.fold,
        "seed": rule.seed,
        "split": file_sha256(Path(rule.files["splits"])),
        **predicted.facts,
        **(stated(errors, exchange) if errors else {}),
    }
    ids = places.ids if place == "site" else places.ids.astype(np.int64)
    return prediction_dataset(predicted.mean, extras, exchange, place, ids, places.time, places.record, attrs)
