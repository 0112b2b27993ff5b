"""The mean seasonal cycle of the plant class and climate, from the training towers.

Each training tower gives its own mean cycle, southern ones shifted by six months, and counts once. Class means are
shrunk towards the next coarser level: class within climate -> class -> all towers, as if ``PRIOR_TOWERS`` towers of
the coarser level had been seen; an absent class falls back by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.harmonise.axis import month_number
from dere.harmonise.koppen import climate_group
from dere.io import read_netcdf
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.places import Places
from dere.training.read_places import site_labels, site_places
from dere.training.roles import TRAINED
from dere.training.texts import decoded, encoded

PRIOR_TOWERS = 3.0
_HALF_YEAR = 6


def fit(job: Job) -> Fitted:
    """Mean cycles of the training and validation towers, and of the training towers alone."""
    towers = read_netcdf(job.files["towers"])
    places = site_places(
        towers, job.roles, satellites=job.windows.satellites, channels=job.windows.channels, exchange=job.exchange
    )
    everything = _cycles_of(job, towers, places, *TRAINED)
    alone = _cycles_of(job, towers, places, "training")
    history = pd.DataFrame({"towers": [len(everything["cycles"])], "towers_unseen": [len(alone["cycles"])]})
    return Fitted(everything, job.recorded, history, alone)


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places by the cycle of their class and climate; every year is alike."""
    stage = fitted["climatology"]
    arrays = stage.chosen(unseen)
    exchange = exchanges.get(str(stage.facts.get("exchange", exchanges.DEFAULT)))
    lookup = class_cycles(arrays["cycles"], decoded(arrays["igbp"]), decoded(arrays["climate"]))
    by_place = np.stack([lookup(igbp, climate) for igbp, climate in zip(*_classes(places), strict=True)])
    values = by_place[np.arange(len(places))[:, None], _local_month(places)]
    return Prediction(exchange.close(values))


def _cycles_of(job: Job, towers: xr.Dataset, places: Places, *roles: str) -> dict[str, NDArray]:
    """Cycles and classes of the towers of some roles."""
    allowed = job.allowed(*roles)
    labels = site_labels(towers, allowed, job.windows.minimum_training_quality, job.exchange)
    if not np.isfinite(labels.flux).any():
        raise ValueError(
            f"towers.nc holds no month of quality >= {job.windows.minimum_training_quality:g} at the {len(allowed)} "
            f"{' and '.join(roles)} towers; lower harmonise.minimum_training_quality or bring more towers"
        )
    order = {site: row for row, site in enumerate(places.ids.tolist())}
    rows = np.array([order[site] for site in allowed if site in order])
    here = places.take(rows)
    igbp, climate = _classes(here)
    return {
        "cycles": tower_cycles(labels.flux[rows], _local_month(here)),
        "igbp": encoded(igbp),
        "climate": encoded(climate),
    }


def tower_cycles(flux: NDArray, month: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean seasonal cycle of each tower on northern months, (place, 12, flux); NaN for months never seen.

    Parameters
    ----------
    flux
        (place, time, flux) labels, NaN = none.
    month
        (place, time) calendar month, 0-11.
    """
    values = flux.astype(np.float64)
    present = np.isfinite(values)
    cycles = np.full((values.shape[0], 12, values.shape[2]), np.nan)
    for calendar in range(12):
        chosen = present & (month == calendar)[..., None]
        count = chosen.sum(1)
        cycles[:, calendar] = np.where(chosen, values, 0.0).sum(1) / np.where(count > 0, count, np.nan)
    return cycles


def class_cycles(cycles: NDArray, igbp: list[str], climate: list[str]) -> Callable[[str, str], NDArray[np.float64]]:
    """Shrunk cycles by class.

    Parameters
    ----------
    cycles
        (site, 12, flux).
    igbp, climate
        Classes of the sites.

    Returns
    -------
    callable
        (igbp, climate) to (12, flux), without NaN.
    """
    everything = _fill_months(_mean(cycles)[0])
    classes, climates = np.asarray(igbp), np.asarray(climate)

    def lookup(one_igbp: str, one_climate: str) -> NDArray[np.float64]:
        of_class = _shrink(cycles[classes == one_igbp], everything)
        return _shrink(cycles[(classes == one_igbp) & (climates == one_climate)], of_class)

    return lookup


def _shrink(cycles: NDArray, prior: NDArray) -> NDArray:
    mean, count = _mean(cycles)
    total = np.where(count > 0, np.nan_to_num(mean) * count, 0.0)
    return (total + PRIOR_TOWERS * prior) / (count + PRIOR_TOWERS)


def _mean(cycles: NDArray) -> tuple[NDArray, NDArray]:
    finite = np.isfinite(cycles)
    count = finite.sum(0)
    return np.where(finite, cycles, 0.0).sum(0) / np.where(count > 0, count, np.nan), count


def _fill_months(cycle: NDArray) -> NDArray:
    """Calendar months that no tower has seen take the interpolation around the year."""
    filled = cycle.copy()
    for i in range(cycle.shape[1]):
        known = np.flatnonzero(np.isfinite(cycle[:, i]))
        around = np.concatenate([known - 12, known, known + 12])
        filled[:, i] = np.interp(np.arange(12), around, np.tile(cycle[known, i], 3))
    return filled


def _local_month(places: Places) -> NDArray[np.int64]:
    """Calendar month 0-11 of each place and time, southern places shifted by half a year, (place, time)."""
    return (month_number(places.time)[None] + _HALF_YEAR * (places.lat[:, None] < 0)) % 12


def _classes(places: Places) -> tuple[list[str], list[str]]:
    igbp = places.classes["igbp"].astype(str).tolist()
    return igbp, [climate_group(code) for code in places.classes["koppen"].astype(str)]
