"""Whether predictions of others can be what they claim: another unit, sign or missing code is no prediction."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.api.foreign import PREDICTION
from dere.evaluation.completeness import CLOSURE_TOLERANCE
from dere.exchange import Exchange
from dere.ingest.tables import MISSING

SMALL = 1e-3
"""No ecosystem is so still that the median size of its monthly fluxes (gC m-2 d-1) is below this."""


def check_plausible(prediction: xr.Dataset, towers: xr.Dataset, exchange: Exchange, what: str) -> None:
    """Refuse values that no prediction can have, in the months of the records.

    Parameters
    ----------
    prediction
        As `dere.api.foreign.as_prediction` returns it.
    towers
        Canonical towers; uses ``record``.
    exchange
        What is predicted.
    what
        Name for messages.

    Raises
    ------
    ValueError
        When a flux lies beyond what physics allows, all are far too small for the unit, or NEE has the other sign.
    """
    if not _alike(prediction, towers):
        return  # the judge says what is wrong with it
    values = prediction[PREDICTION].assign_coords(time=towers["time"].values)
    values, record = xr.align(values, towers["record"].astype(bool), join="inner")
    for flux in exchange.fluxes:
        if flux.name in values["flux"]:
            _check_possible(values.sel(flux=flux.name).where(record), flux.name, flux.possible, flux.unit, what)
    inside = np.abs(values.where(record).values)
    median = float(np.median(inside[inside > 0])) if (inside > 0).any() else 1.0
    if median < SMALL and exchange.fluxes[0].unit == "gC m-2 d-1":
        raise ValueError(
            f"{what}: half of its values are smaller than {median:.3g}, but {exchange.fluxes[0].unit} is expected; it "
            f"looks like {exchange.fluxes[0].public_unit}: convert it"
        )
    _check_sign(values.where(record), exchange, what)


def _alike(prediction: xr.Dataset, towers: xr.Dataset) -> bool:
    """Tell whether a prediction can be laid over the towers: known dimensions, each site once, the same months."""
    if PREDICTION not in prediction or set(prediction[PREDICTION].dims) != {"site", "time", "flux"}:
        return False
    if not prediction.indexes.keys() >= {"site", "time", "flux"} or prediction["time"].dtype.kind != "M":
        return False
    mine, theirs = (dataset["time"].values.astype("datetime64[M]") for dataset in (prediction, towers))
    return prediction.indexes["site"].is_unique and np.array_equal(mine, theirs)


def _check_possible(values: xr.DataArray, name: str, possible: tuple[float, float], unit: str, what: str) -> None:
    low, high = possible
    wrong = values.where((values < low) | (values > high))
    count = int(np.isfinite(wrong).sum())
    if not count:
        return
    first = wrong.stack(row=("site", "time")).dropna("row")[0]
    where = f"{first['site'].item()} in {first['time'].values.astype('datetime64[M]')!s}"
    remedy = (
        f"{MISSING:g} is a number here: predict every month of every record"
        if float(first) == MISSING
        else "correct the values or their unit"
    )
    raise ValueError(
        f"{what}: {count} values of {name} are impossible (first: {float(first):g} for {where}), but {low:g} to "
        f"{high:g} {unit} are expected; {remedy}"
    )


def _check_sign(values: xr.DataArray, exchange: Exchange, what: str) -> None:
    """Say so where the fluxes do not close, but would with NEE counted the other way round."""
    there = set(values["flux"].values.tolist())
    if exchange.residuals is None or "nee" not in there or not set(exchange.names) <= there:
        return
    found = values.sel(flux=list(exchange.names)).transpose(..., "flux").values
    turned = found * np.where(np.array(exchange.names) == "nee", -1.0, 1.0)
    as_it_is, other = (np.nanmax(exchange.imbalance(each), initial=0.0) for each in (found, turned))
    if as_it_is > CLOSURE_TOLERANCE >= other:
        raise ValueError(
            f"{what}: RECO = GPP + NEE holds with the other sign of nee, but nee is expected positive to the "
            "atmosphere; turn its sign"
        )
