"""How one prediction file's intervals fare at each tower: the rows behind ``calibration.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.clusters import tower_clusters, virtual_clusters
from dere.evaluation.interval_limits import LEVELS, Limits, Scale, by_years, limits
from dere.evaluation.probabilistic import BINS, PIT, crps_gaussian, crps_quantiles
from dere.evaluation.site_scores import IDENTITY
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number
from dere.intervals.driver_distance import DISTANCE
from dere.variables import QUANTILES

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

Array = NDArray[np.float64]

GROUPINGS = {"measured": "all", "virtual": "virtual"}
"""Rows of the evaluation to the grouping of the table."""
SEASONS = ("winter", "spring", "summer", "autumn")
"""Of the place itself: winter is December to February in the north, June to August in the south."""
COVERAGES = tuple(f"coverage_{level}" for level in LEVELS)
WIDTHS = ("width_50", "width_90")
MEANS = (*COVERAGES, *WIDTHS, "square_spread", "square_error", "crps", *PIT)
"""Means over the periods of a tower; NaN where the file does not say."""
ABOUT = ("site", "cluster", "igbp", "distance")
COLUMNS = (*IDENTITY, *ABOUT, "grouping", "season", "scale", "flux", "periods", *MEANS)
_TOLERANCE = 1e-3


def tower_coverage(
    prediction: xr.Dataset,
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: EvaluationConfig,
    truth: xr.Dataset | None = None,
    exchange: Exchange = CO2,
    found: Sequence[Reference] | None = None,
) -> pd.DataFrame:
    """Coverage, width, errors and CRPS of one prediction file at every tower that is judged.

    Parameters
    ----------
    prediction
        ``quantile_value(site, time, flux, quantile)`` and/or ``std(site, time, flux)`` beside ``prediction``. What the
        file says of labels is held against labels, and what follows for the truth against the truth, if it states its
        error model; any other file is taken at its word.
    towers, members, config, truth, exchange
        See ``references``.
    found
        The references of the fold, where they are at hand.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: one row per tower, flux and scale, and one per season of its months. Empty for a file
        without intervals.
    """
    frames = []
    for reference in references(towers, members, config, truth, exchange) if found is None else found:
        main = reference.rows == "virtual" or reference.quality == config.testing_quality[0]
        if reference.rows in GROUPINGS and main:
            frames += _of_reference(prediction, reference, exchange)
    if not frames:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(frames, ignore_index=True)
    classes = dict(zip(towers["site"].values.astype(str), towers["igbp"].values.astype(str), strict=True))
    by_tower, by_block = (table["site"].map(names(members)) for names in (tower_clusters, virtual_clusters))
    cluster = by_tower.where(table["grouping"] != "virtual", by_block).fillna(table["site"])
    known = prediction[DISTANCE].to_series() if DISTANCE in prediction else pd.Series(dtype=float)
    identity = {key: str(prediction.attrs[key]) for key in IDENTITY}
    igbp, distance = table["site"].map(classes).fillna(""), table["site"].map(known)
    return table.assign(**identity, cluster=cluster, igbp=igbp, distance=distance)[list(COLUMNS)]


def _of_reference(prediction: xr.Dataset, reference: Reference, exchange: Exchange) -> list[pd.DataFrame]:
    """Frames of one set of values."""
    here = prediction.sel(site=reference.values["site"].values)
    observed = reference.values.sel(flux=list(exchange.names)).transpose("site", "time", "flux").values.astype("f8")
    time = here["time"].values
    frames = []
    scales: tuple[Scale, ...] = ("monthly", "annual")
    for scale in scales:
        found = limits(here, scale, "truth" if reference.rows == "virtual" else "label", exchange)
        if found is None:
            continue
        values = observed if scale == "monthly" else by_years(observed, time)
        complete = np.isfinite(found.mean) & (True if found.std is None else np.isfinite(found.std))
        values = np.where(complete & np.isfinite(found.quantiles).all(-1), values, np.nan)
        fewest = reference.minimum_months if scale == "monthly" else 1
        values = np.where((np.isfinite(values).sum(1) >= fewest)[:, None], values, np.nan)
        scores = _scores(found, values)
        seasons = {"all": np.ones(values.shape[:2], bool)}
        if scale == "monthly":
            seasons |= {name: own for name, own in zip(SEASONS, _seasons(here, time, reference), strict=True)}
        for season, inside in seasons.items():
            frame = _frame(scores, values, inside, here["site"].values.astype(str), exchange)
            frames.append(frame.assign(grouping=GROUPINGS[reference.rows], season=season, scale=scale))
    return frames


def _scores(found: Limits, values: Array) -> dict[str, Array]:
    """Score of each period (site, period, flux) by the names of ``MEANS``; NaN where the file does not say."""
    scores: dict[str, Array] = {}
    for level in LEVELS:
        low, high = (_level(found, tail, needed=level in (50, 90)) for tail in (0.5 - level / 200, 0.5 + level / 200))
        if low is not None and high is not None:
            scores[f"coverage_{level}"] = ((values >= low) & (values <= high)).astype(float)
            scores[f"width_{level}"] = high - low
    if found.std is not None:
        scores["square_spread"] = found.std**2
    scores["square_error"] = (found.mean - values) ** 2
    if len(found.levels):
        at = [int(np.abs(found.levels - level).argmin()) for level in QUANTILES]
        scores["crps"] = crps_quantiles(QUANTILES, found.quantiles[..., at], values)
    elif found.std is not None:
        scores["crps"] = crps_gaussian(found.mean, found.std, values)
    below = found.below(values)
    if np.isfinite(below).any():
        bins = np.clip(np.nan_to_num(below * BINS).astype(np.int64), 0, BINS - 1)
        scores |= {name: (bins == number).astype(float) for number, name in enumerate(PIT)}
    return scores


def _frame(
    scores: dict[str, Array], values: Array, inside: NDArray[np.bool_], ids: NDArray[np.str_], exchange: Exchange
) -> pd.DataFrame:
    """Means over the periods of each tower and flux that are ``inside`` (site, period)."""
    present = np.isfinite(values) & inside[..., None]
    count = present.sum(1)
    site, flux = np.nonzero(count)
    columns: dict[str, object] = {
        "site": ids[site],
        "flux": np.asarray(exchange.names)[flux],
        "periods": count[site, flux],
    }
    for name in MEANS:
        if name in scores:
            total = np.where(present, scores[name], 0.0).sum(1)
            columns[name] = total[site, flux] / count[site, flux]
        else:
            columns[name] = np.nan
    return pd.DataFrame(columns)


def _seasons(here: xr.Dataset, time: NDArray[np.datetime64], reference: Reference) -> list[NDArray[np.bool_]]:
    """(site, month) of each season."""
    month = month_number(time) % 12
    lat = reference.values["lat"].values if "lat" in reference.values.coords else np.zeros(here.sizes["site"])
    own = (month + np.where(np.asarray(lat, float) < 0, 6, 0)[:, None]) % 12
    # December, of number 11, begins the winter
    return [np.asarray((own + 1) % 12 // 3 == number) for number in range(len(SEASONS))]


def _level(found: Limits, level: float, *, needed: bool) -> Array | None:
    """Quantiles (site, period, flux) of a level; None where the file has none at all, or lacks one it need not have.

    Raises
    ------
    ValueError
        When the file has quantiles but lacks one that it needs.
    """
    if not len(found.levels):
        return None
    nearest = int(np.abs(found.levels - level).argmin())
    if abs(found.levels[nearest] - level) <= _TOLERANCE:
        own: Array = found.quantiles[..., nearest]
        return own
    if needed:
        raise ValueError(
            f"quantile_value has the levels {found.levels.tolist()}, but {level:g} is needed for the central interval; "
            "write the quantiles 0.05, 0.25, 0.5, 0.75, 0.95"
        )
    return None
