"""``imputation.csv``: scores of imputed months and years, by kind of gap and plant class, methods beside each other.

Beside the tables of the evaluation, so that a new score does not impute again. Methods are compared on identical hidden
values: the ratio of their CRPS to that of the first method, with an interval over clusters of towers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray

from dere.evaluation.columns import COUNT, NUMBER, POSITIVE, SHARE, TEXT, one_of, validated
from dere.evaluation.resampling import resample_clusters
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.imputation.label_truth import LABELS
from dere.imputation.masks import KINDS
from dere.imputation.scores import METHODS, SCALES, SUMS

ALL = "all"
"""Every kind of gap that hides whole months; every fold, seed and class."""
_MEANS = SUMS[: SUMS.index("square")]
KEY = ("fold", "seed", "gap", "igbp", "method", "flux", "scale")
RATIO = ("against", "crps_ratio", "ratio_low", "ratio_high")
COLUMNS = (*KEY, "sites", "clusters", "values", *_MEANS, "rmse", "spread_error", *RATIO)
RESAMPLES = 1000
_RANGE = (0.025, 0.975)

_MEANINGS = {
    "scale": one_of(SCALES),
    **dict.fromkeys(("method", "against"), one_of((*METHODS, LABELS))),
    **dict.fromkeys(("fold", "seed", "gap", "igbp"), TEXT),
    **dict.fromkeys(("sites", "clusters", "values"), COUNT),
    **dict.fromkeys(("coverage_50", "coverage_90"), SHARE),
    **dict.fromkeys(("mae", "rmse", "spread_error"), POSITIVE),
}
"""Of its fair CRPS, few samples and values may leave a sum below zero, so that it and ratios are any number."""


def table(sums: pd.DataFrame) -> pd.DataFrame:
    """Scores of each fold and seed and of all together, of each kind of gap and of all that hide whole months together.

    Parameters
    ----------
    sums
        From `dere.imputation.scores.gap_sums`, with the columns ``fold``, ``seed``, ``igbp`` and ``cluster``.

    Returns
    -------
    DataFrame
        `COLUMNS`: means over the hidden values; rows of classes of all folds and seeds together only.
    """
    sums = sums.astype({"fold": str, "seed": str}).assign(of=_identity(sums))
    sums = pd.concat([sums, sums[sums["gap"].isin(KINDS)].assign(gap=ALL)], ignore_index=True)
    pooled = sums.assign(fold=ALL, seed=ALL)
    sums = pd.concat([sums.assign(igbp=ALL), pooled.assign(igbp=ALL), pooled], ignore_index=True)
    grouped = sums.groupby(list(KEY), sort=False)
    total = grouped[["values", *SUMS]].sum(min_count=1)
    out = total[list(_MEANS)].div(total["values"], axis=0)
    out["rmse"] = np.sqrt(total["square"] / total["values"])
    out["spread_error"] = np.sqrt(total["variance"] / total["square"])
    out["sites"], out["clusters"] = grouped["site"].nunique(), grouped["cluster"].nunique()
    out["values"] = total["values"].astype(int)
    out = out.join(pd.DataFrame(_ratios(sums), columns=[*KEY, *RATIO]).set_index(list(KEY)))
    return out.reset_index()[list(COLUMNS)]


def _identity(sums: pd.DataFrame) -> pd.Series:
    """Number of the gap that a row is of: all methods of one have it."""
    return sums.groupby(["fold", "seed", "gap", "site"], sort=False).ngroup()


def _ratios(sums: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    """Key and `RATIO` of every method in every group; the first method of a group is what others are compared with."""
    at = KEY.index("method")
    for key, part in sums.groupby([name for name in KEY if name != "method"], sort=False):
        methods = dict(iter(part.set_index("of").groupby("method", sort=False)))
        first = next(iter(methods))
        for method, own in methods.items():
            found = (np.nan,) * 3 if method == first else _ratio(own, methods[first])
            yield (*key[:at], method, *key[at:], first, *found)


def _ratio(own: pd.DataFrame, other: pd.DataFrame) -> tuple[float, float, float]:
    """CRPS of ``own`` over that of ``other`` in the gaps that both filled, with its 95 % interval over clusters."""
    shared = own.index.intersection(other.index)
    if not len(shared):
        return (np.nan,) * 3
    _, cluster = np.unique(own.loc[shared, "cluster"].astype(str), return_inverse=True)
    above, below = (np.bincount(cluster, part.loc[shared, "crps"]) for part in (own, other))
    if below.sum() <= 0:
        return (np.nan,) * 3
    value = float(above.sum() / below.sum())
    if len(above) < 2:
        return value, np.nan, np.nan
    return value, *_interval(above, below)


def _interval(above: NDArray, below: NDArray) -> tuple[float, float]:
    """95 % interval of the ratio of two sums over clusters (cluster,)."""
    drawn = resample_clusters(np.arange(len(above)), RESAMPLES, np.random.default_rng(0))
    under = drawn @ below
    low, high = np.quantile((drawn @ above)[under > 0] / under[under > 0], _RANGE)
    return float(low), float(high)


def schema(exchange: Exchange) -> pa.DataFrameSchema:
    """Schema of the table; its fluxes are those of the exchange."""
    meanings = {**_MEANINGS, "flux": one_of(exchange.names)}
    described = {column: meanings.get(column, NUMBER) for column in COLUMNS}
    return pa.DataFrameSchema(described, strict=True, ordered=True, coerce=True)


def checked(table: pd.DataFrame, exchange: Exchange = CO2) -> pd.DataFrame:
    """Return the table with its types set, or refuse it (`dere.evaluation.columns.validated`)."""
    return validated(table, "imputation", KEY, schema(exchange))
