"""Reference rows: what a tower's own months would give, made by the judge from labels and predictions.

They use labels of the very towers that are tested, so they are no methods: nothing trains, blends, predicts maps or is
compared in ``paired.csv`` with them. They say how far predictions at unseen towers are from what a year or more of
measurements on the spot gives. Their names begin with ``reference_``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.reference_rows import REFERENCE
from dere.evaluation.runs import ENSEMBLE, OWN_CLIMATOLOGY, OWN_LEVEL, POOLED
from dere.evaluation.site_scores import IDENTITY, described, score_reference
from dere.evaluation.tables import average_runs
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number
from dere.harmonise.splits import roles

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
LEVEL_MONTHS = 12
"""First good months of a tower that give its level."""


def own_climatology(observed: Array, month: NDArray[np.int64]) -> Array:
    """Mean of the same calendar month in the tower's other years; NaN where there is no other.

    Parameters
    ----------
    observed
        (site, time, flux) good months, NaN = none.
    month
        (time,) calendar month.
    """
    finite = np.isfinite(observed)
    values = np.where(finite, observed, 0.0)
    found = np.full(observed.shape, np.nan)
    for calendar in np.unique(month):
        here = month == calendar
        others = finite[:, here].sum(1, keepdims=True) - finite[:, here]
        total = values[:, here].sum(1, keepdims=True) - values[:, here]
        found[:, here] = np.where(others > 0, total / np.maximum(others, 1), np.nan)
    return found


def level_corrected(predicted: Array, observed: Array, months: int = LEVEL_MONTHS) -> Array:
    """Predictions moved by the mean error of the first good months; NaN in these, and where there are fewer.

    Parameters
    ----------
    predicted, observed
        (site, time, flux); NaN = no good month.
    months
        Months that give the level, of each flux by itself.
    """
    good = np.isfinite(observed) & np.isfinite(predicted)
    order = np.cumsum(good, axis=1)
    shown = good & (order <= months)
    error = np.where(shown, observed - predicted, 0.0).sum(1, keepdims=True) / months
    enough = order[:, -1:] >= months
    return np.where(enough & ~shown, predicted + error, np.nan)


def reference_scores(
    site_skill: pd.DataFrame,
    predictions: Mapping[str, xr.Dataset],
    towers: xr.Dataset,
    splits: pd.DataFrame,
    config: EvaluationConfig,
    exchange: Exchange = CO2,
) -> list[pd.DataFrame]:
    """Monthly scores of the tower's own climatology and of the best method on the tower's own level.

    Parameters
    ----------
    site_skill
        Scores of the methods, which say what the best one is.
    predictions
        Files of single folds and seeds; ensembles are passed over.
    towers, splits
        Canonical towers and split table.
    config
        Thresholds and minimum counts, those of every method. Months without a reference are not scored, so that
        ``months`` is smaller than that of a method.
    exchange
        What is predicted.

    Returns
    -------
    list of DataFrame
        Tables as of ``site_scores.site_skill``, rows measured.
    """
    files = [file for file in predictions.values() if str(file.attrs["seed"]) != ENSEMBLE]
    files = [file for file in files if str(file.attrs["fold"]) != POOLED]
    chosen = best_method(site_skill, exchange, config)
    if chosen is None:
        return []
    log.info("%s: %s on backbone %s", OWN_LEVEL, *chosen)
    # the climatology of a tower depends on no seed: one row per fold
    first = {str(file.attrs["fold"]): file for file in reversed(files)}
    tables = []
    for file in files:
        fold = str(file.attrs["fold"])
        is_best = (str(file.attrs["method"]), str(file.attrs["backbone"])) == chosen
        if not is_best and first[fold] is not file:
            continue
        members = roles(splits, int(fold))
        for reference in references(towers, members, config, exchange=exchange):
            if reference.rows != "measured":
                continue
            observed = _ordered(reference.values, reference, exchange)
            made = {}
            if first[fold] is file:
                made[OWN_CLIMATOLOGY] = own_climatology(observed, month_number(towers["time"].values) % 12)
            if is_best:
                made[OWN_LEVEL] = level_corrected(_ordered(file["prediction"], reference, exchange), observed)
            for method, values in made.items():
                identity = {key: str(file.attrs[key]) for key in IDENTITY} | {"method": method, "backbone": "none"}
                array = reference.values.sel(flux=list(exchange.names)).copy(data=values)
                table = score_reference(reference, array, config, identity, exchange)
                tables.append(described(table[table["scale"] == "monthly"], towers, members))
    return tables


def best_method(site_skill: pd.DataFrame, exchange: Exchange, config: EvaluationConfig) -> tuple[str, str] | None:
    """Method and backbone with the highest median NSE over towers, monthly, of the first flux (GPP); None = none."""
    rows = site_skill[
        (site_skill["flux"] == exchange.names[0])
        & (site_skill["scale"] == "monthly")
        & (site_skill["rows"] == "measured")
        & (site_skill["quality"] == config.testing_quality[0])
        & (site_skill["seed"].astype(str) != ENSEMBLE)
        & ~site_skill["method"].str.startswith(REFERENCE)
    ]
    if rows["nse"].notna().sum() == 0:
        return None
    of_tower = average_runs(rows, ["fold", "seed"])
    of_method = of_tower.groupby(["method", "backbone"], as_index=False)["nse"].median()
    best = of_method.loc[of_method["nse"].idxmax()]
    return str(best["method"]), str(best["backbone"])


def _ordered(values: xr.DataArray, reference: Reference, exchange: Exchange) -> Array:
    """Values at the sites of a reference, (site, time, flux)."""
    here = values.sel(site=reference.values["site"].values, flux=list(exchange.names))
    return here.transpose("site", "time", "flux").values.astype("float64")
