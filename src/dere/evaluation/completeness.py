"""The evaluator's door: a prediction file with missing or extra rows is refused, so that no method wins by omission."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from dere.evaluation.closure import flux_residual
from dere.evaluation.predictions import sites_with_role
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.training.roles import PREDICTED

CLOSURE_TOLERANCE = 1e-5
"""Largest accepted residual of a predicted mean (in the unit of the fluxes): float32 rounding of large fluxes."""

_DIMS = ("site", "time", "flux")
_ATTRS = ("method", "backbone", "fold", "seed")
_SPREADS = {"std": _DIMS, "quantile_value": (*_DIMS, "quantile")}
"""What a method that states its uncertainty adds; a file that has one has it in every row, or it is refused."""


def check_prediction(
    prediction: xr.Dataset, towers: xr.Dataset, members: pd.DataFrame, name: str, exchange: Exchange = CO2
) -> None:
    """Refuse a prediction file that does not hold exactly the rows to be judged.

    Rows are all months of the record of all sites with role test or predict, all fluxes, on the time axis of the
    towers; where the file has ``std`` or ``quantile_value``, they have the same rows. Values outside a record are
    tolerated; nobody reads them.

    Parameters
    ----------
    prediction
        As written by a method.
    towers
        Canonical towers; uses ``record``.
    members
        Result of ``dere.harmonise.splits.roles`` for the file's fold.
    name
        Path or other name for the messages.
    exchange
        What is predicted.

    Raises
    ------
    ValueError
        One sentence with the file, the count and the first offender.
    """
    _check_structure(prediction, towers, name, exchange)
    expected = sites_with_role(members, PREDICTED)
    _check_sites(prediction["site"].values.astype(str).tolist(), expected, name)
    record = towers["record"].sel(site=expected).transpose("site", "time").values.astype(bool)
    values = prediction["prediction"].sel(site=expected).transpose(*_DIMS)
    _check_rows(values, record, "predicted values", name)
    for spread, dims in _SPREADS.items():
        if spread in prediction:
            _check_rows(prediction[spread].sel(site=expected).transpose(*dims), record, f"values of {spread}", name)
    _check_spreads(prediction.sel(site=expected), record, name)
    residual = flux_residual(values, exchange)
    worst = float(np.max(residual, where=record, initial=0.0))
    if worst > CLOSURE_TOLERANCE:
        site, month = np.argwhere(record & (residual == worst))[0]
        raise ValueError(
            f"{name}: {' or '.join(f'|{text}|' for text in exchange.identities)} reaches {worst:.3g} "
            f"{exchange.fluxes[0].unit} (at {expected[site]} in {_month(values['time'].values[month])}), but at most "
            f"{CLOSURE_TOLERANCE:g} is accepted; hand in means of a method that closes, or project the fluxes"
        )


def _check_rows(values: xr.DataArray, record: np.ndarray, what: str, name: str) -> None:
    """Refuse ``values`` (site, time, flux[, quantile]) with holes in the months of ``record`` (site, time)."""
    inside = record.reshape(*record.shape, *[1] * (values.ndim - 2))
    holes = inside & ~np.isfinite(values.values)
    if holes.any():
        site, month, flux = np.argwhere(holes)[0][:3]
        raise ValueError(
            f"{name}: {int(holes.sum())} of {int(record.sum()) * int(np.prod(values.shape[2:]))} {what} are missing or "
            f"not finite (first: {values['flux'].values[flux]!s} of {values['site'].values[site]!s} in "
            f"{_month(values['time'].values[month])}); predict every month of every record"
        )


def _check_spreads(prediction: xr.Dataset, record: np.ndarray, name: str) -> None:
    """Refuse negative standard deviations and quantiles that cross, in the months of ``record`` (site, time)."""
    wrong: dict[str, np.ndarray] = {}
    if "std" in prediction:
        wrong["values of std are negative, but none can be"] = prediction["std"].transpose(*_DIMS).values < 0
    if "quantile_value" in prediction:
        values = prediction["quantile_value"].transpose(*_DIMS, "quantile").sortby("quantile").values
        # neighbours that differ by rounding are equal
        steps, rounding = np.diff(values, axis=-1), 1e-6 * np.maximum(1.0, np.abs(values[..., 1:]))
        wrong["quantiles are smaller than those of a lower level"] = (steps < -rounding).any(-1)
    for what, found in wrong.items():
        found = found & record[..., None]
        if found.any():
            site, month, flux = np.argwhere(found)[0]
            raise ValueError(
                f"{name}: {int(found.sum())} {what} (first: {prediction['flux'].values[flux]!s} of "
                f"{prediction['site'].values[site]!s} in {_month(prediction['time'].values[month])}); correct the "
                "method's output"
            )


def _check_structure(prediction: xr.Dataset, towers: xr.Dataset, name: str, exchange: Exchange) -> None:
    if "prediction" not in prediction or set(prediction["prediction"].dims) != set(_DIMS):
        found = prediction["prediction"].dims if "prediction" in prediction else sorted(map(str, prediction.data_vars))
        raise ValueError(
            f"{name}: it needs a variable prediction over {_DIMS}, but holds {found}; correct the method's output"
        )
    for spread, dims in _SPREADS.items():
        if spread in prediction and set(prediction[spread].dims) != set(dims):
            raise ValueError(
                f"{name}: {spread} lies over {prediction[spread].dims}, but {dims} are expected; correct the method's "
                "output"
            )
    absent = [key for key in _ATTRS if key not in prediction.attrs]
    if absent:
        raise ValueError(f"{name}: the attributes {absent} are missing; write {list(_ATTRS)} with every prediction")
    fluxes = prediction["flux"].values.astype(str).tolist()
    judged = list(exchange.names)
    if sorted(fluxes) != sorted(judged):
        raise ValueError(f"{name}: it holds the fluxes {fluxes}, but {judged} are judged; predict exactly these")
    mine, theirs = (_months(dataset) for dataset in (prediction, towers))
    if mine.size != theirs.size or (mine != theirs).any():
        different = np.setxor1d(mine, theirs)
        first = (
            f"first month that only one of them has: {different[0]}" if different.size else "same months, other order"
        )
        raise ValueError(
            f"{name}: its time axis has {mine.size} months, that of the towers {theirs.size} ({first}); predict on the "
            "time axis of towers.nc"
        )


def _check_sites(found: Sequence[str], expected: Sequence[str], name: str) -> None:
    if len(set(found)) < len(found):
        twice = next(site for i, site in enumerate(found) if site in found[:i])
        raise ValueError(f"{name}: site {twice} occurs {found.count(twice)} times; predict every site once")
    missing = [site for site in expected if site not in set(found)]
    if missing:
        raise ValueError(
            f"{name}: {len(missing)} of {len(expected)} expected sites are missing (first: {missing[0]}); predict all "
            "test and predict sites of its fold"
        )
    extra = [site for site in found if site not in set(expected)]
    if extra:
        raise ValueError(
            f"{name}: {len(extra)} sites are too many (first: {extra[0]}); leave training and validation sites of its "
            "fold out"
        )


def _months(dataset: xr.Dataset) -> np.ndarray:
    return dataset["time"].values.astype("datetime64[M]")


def _month(time: np.datetime64) -> str:
    return str(time.astype("datetime64[M]"))
