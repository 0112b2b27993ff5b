"""What some months of its own would give each test tower: the rows behind ``site_calibration.csv``.

From each test tower with a long record a stretch of labelled months is taken as known, beginning at random. Of it the
first 1, 3, 6, 12 or 24 sharpen the prediction (`dere.intervals.site_calibration`); judged are all months outside the
stretch, so that every number of months is judged by the same ones. Which months they are follows from which months have
a label, never from the labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.clusters import tower_clusters
from dere.evaluation.runs import POOLED
from dere.evaluation.site_scores import IDENTITY
from dere.evaluation.tower_coverage import SEASONS
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number
from dere.intervals.site_calibration import Conditioned, PlaceErrors, condition, errors_of
from dere.intervals.site_members import truth_mean
from dere.intervals.spread import label_scale
from dere.intervals.stated import read_stated, states_errors

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

Array = NDArray[np.float64]
Months = NDArray[np.int64]

KNOWN = (0, 1, 3, 6, 12, 24)
"""Months of its own that a tower is given."""
DRAWS = 3
"""Stretches of each tower."""
LONGEST_SEASON = 6
"""More months than these are of no season."""
INTERVAL = (0.05, 0.95)
COLUMNS = (*IDENTITY, "site", "cluster", "draw", "season", "known", "flux", "log_ratio", "coverage_90", "nse", "width")


def months_known(
    prediction: xr.Dataset,
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: EvaluationConfig,
    exchange: Exchange = CO2,
    found: Sequence[Reference] | None = None,
) -> pd.DataFrame:
    """Errors of one prediction file with and without months of a tower's own, at every test tower.

    Parameters
    ----------
    prediction
        File of one fold and seed that states its error model.
    towers, members, config, exchange
        See `dere.evaluation.truth.references`; the main quality threshold says which months have a label.
    found
        The references of the fold, where they are at hand.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: a row per tower, stretch, flux and number of known months. ``log_ratio`` is the logarithm
        of the RMSE over that without known months, ``coverage_90`` the share of labels in the interval, ``width`` the
        mean width of that over the one without known months. Empty for other files, and without long records.
    """
    empty = pd.DataFrame(columns=list(COLUMNS))
    if not states_errors(prediction.attrs) or str(prediction.attrs["fold"]) == POOLED:
        return empty
    every = references(towers, members, config, exchange=exchange) if found is None else found
    measured = [one for one in every if one.rows == "measured" and one.quality == config.testing_quality[0]]
    if not measured:
        return empty
    names = list(exchange.names)
    ids = measured[0].values["site"].values.astype(str)
    here = prediction.sel(site=ids, flux=names).transpose("site", "time", "flux", ...)
    labels, quality = (
        values.sel(site=ids, flux=names).transpose("site", "time", "flux").values.astype(np.float64)
        for values in (measured[0].values, towers["flux_quality"])
    )
    model = read_stated(prediction.attrs, exchange)
    mean, scale = here["prediction"].values.astype(np.float64), label_scale(here, model)
    calendar, lat = month_number(here["time"].values) % 12, towers["lat"].sel(site=ids).values.astype(float)
    cluster = tower_clusters(members)
    rows = []
    for place, site in enumerate(ids):
        months = np.flatnonzero(np.isfinite(mean[place]).all(-1))
        label = labels[place, months]
        drawn = list(stretches(label, site, config))
        if not drawn:
            continue
        errors = errors_of(scale[place, months], model, months)
        local = (calendar[months] + (6 if lat[place] < 0 else 0)) % 12
        for draw, (stretch, scored) in enumerate(drawn):
            base: list[Array] = []
            for count in KNOWN:
                shown = stretch[:count]
                given = shown_months(mean[place, months], errors, label, quality[place, months], shown)
                scores = _scores(given, label, scored, count, config.minimum_months)
                base = base or scores
                about = (site, cluster.get(site, site), draw, _season(local[shown]), count)
                rows += [(*about, *row) for row in _rows(names, scores, base)]
    table = pd.DataFrame(rows, columns=list(COLUMNS[len(IDENTITY) :]))
    return table.assign(**{key: str(prediction.attrs[key]) for key in IDENTITY})[list(COLUMNS)]


def shown_months(mean: Array, errors: PlaceErrors, label: Array, quality: Array, shown: Months) -> Conditioned:
    """Prediction of a place given the labels of the months ``shown``; those of others are not looked at.

    Parameters
    ----------
    mean, label, quality
        (month, flux).
    errors
        Of the place.
    shown
        (known,) positions of months.
    """
    known = np.full(label.shape, np.nan)
    known[shown] = label[shown]
    return condition(mean, errors, known, np.nan_to_num(quality))


def stretches(label: Array, site: str, config: EvaluationConfig) -> Iterator[tuple[Months, Months]]:
    """Known and judged months of each stretch; none where a record is too short for both."""
    there = np.flatnonzero(np.isfinite(label).any(-1))
    longest = KNOWN[-1]
    if len(there) < longest + config.minimum_months:
        return
    # the same stretches for every method, fold and seed
    rng = np.random.default_rng([config.seed, crc32(site.encode())])
    for _ in range(DRAWS):
        first = int(rng.integers(len(there) - longest + 1))
        stretch = there[first : first + longest]
        yield stretch, np.setdiff1d(there, stretch)


def _scores(given: Conditioned, label: Array, scored: Months, count: int, fewest: int) -> list[Array]:
    """RMSE, coverage, efficiency and width of each flux (flux,); NaN where too few months are judged."""
    mean = truth_mean(given) if count else given.mean
    limits = given.model.quantiles(given.mean, given.scale("label"), INTERVAL)[scored]
    observed = label[scored]
    good = np.isfinite(observed)
    number = np.where(good.sum(0) >= fewest, good.sum(0), np.nan)
    values = np.where(good, observed, 0.0)

    def average(values: Array) -> Array:
        found: Array = np.where(good, values, 0.0).sum(0) / number
        return found

    square = average((mean[scored] - values) ** 2)
    variance = average((values - average(values)) ** 2)
    inside = (values >= limits[..., 0]) & (values <= limits[..., 1])
    efficiency = 1.0 - square / np.where(variance > 0, variance, np.nan)
    return [np.sqrt(square), average(inside.astype(float)), efficiency, average(limits[..., 1] - limits[..., 0])]


def _rows(names: list[str], scores: list[Array], base: list[Array]) -> Iterator[tuple[str, float, float, float, float]]:
    """Scores of each flux that is judged beside those without known months."""
    rmse, coverage, efficiency, width = scores
    for flux, name in enumerate(names):
        # a prediction without any error has no ratio
        if base[0][flux] > 0 and rmse[flux] > 0:
            ratio = float(np.log(rmse[flux] / base[0][flux]))
            yield name, ratio, float(coverage[flux]), float(efficiency[flux]), float(width[flux] / base[3][flux])


def _season(local: Months) -> str:
    """Season of a stretch by its middle month, from calendar months as in the north; none of a long or empty one."""
    if not 0 < len(local) <= LONGEST_SEASON:
        return ""
    # December, of number 11, begins the winter
    return SEASONS[(int(local[len(local) // 2]) + 1) % 12 // 3]
