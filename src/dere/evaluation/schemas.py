"""Schemas of the tables under ``tables/``; a table that breaks its schema is not written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

from dere.evaluation import bootstrap, calibration, closure, comparison, cost, site_scores, tables, totals
from dere.evaluation.metrics import METRICS
from dere.evaluation.scales import SCALES
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.imputation import scores as imputation

_TEXT = pa.Column(str)
_NUMBER = pa.Column(float, nullable=True)
_COUNT = pa.Column(int, pa.Check.ge(0))
_POSITIVE = pa.Column(float, pa.Check.ge(0), nullable=True)
_SHARE = pa.Column(float, pa.Check.in_range(0, 1), nullable=True)


def _within(bounds: tuple[float, float]) -> pa.Column:
    """Column of numbers, empty ones allowed, within inclusive bounds; infinite ones do not bind."""
    least, most = bounds
    checks = [pa.Check.ge(least)] if np.isfinite(least) else []
    checks += [pa.Check.le(most)] if np.isfinite(most) else []
    return pa.Column(float, checks, nullable=True)


_MEANINGS = {
    "scale": pa.Column(str, pa.Check.isin(SCALES)),
    "rows": pa.Column(str, pa.Check.isin(["measured", "daytime", "cold", "virtual", "map"])),
    "grouping": pa.Column(
        str, pa.Check.isin(["all", "igbp", "koppen", "quality", "daytime", "cold", "virtual", "map"])
    ),
    "statistic": pa.Column(str, pa.Check.isin([*tables.STATISTICS, "across"])),
    "kind": pa.Column(str, pa.Check.isin(["prediction", "product"])),
    **{name: _within(metric.bounds) for name, metric in METRICS.items()},
    "nse_ensemble": _within((-np.inf, 1.0)),
    **dict.fromkeys(("mean_residual", "maximum_residual", "spread_error"), _POSITIVE),
    **dict.fromkeys(("crps", "width_50", "width_90", "seconds", "max_rss_mb", "cpu_seconds"), _POSITIVE),
    **dict.fromkeys(("share_better", "coverage_50", "coverage_90", "coverage_90_tower_q25"), _SHARE),
    **dict.fromkeys(("nse_seed_std", "rmse_seed_std"), _POSITIVE),
    **dict.fromkeys(("rmse_ratio", "ratio_low", "ratio_high"), pa.Column(float, pa.Check.gt(0))),
    "parameters": _POSITIVE,
    **dict.fromkeys(("sites", "months", "clusters", "seeds", "folds", "values", "repeats", "year"), _COUNT),
}
_TEXTS = {
    *("site", "method", "backbone", "against", "against_backbone", "fold", "seed", "igbp", "koppen", "cluster"),
    *("group", "file", "rule", "wildcards", "region", "gap"),
    *("stages", "shared_stages"),
}


# Of its fair CRPS, few samples and values may leave a sum below zero.
_OF_IMPUTATION = {
    "scale": pa.Column(str, pa.Check.isin(imputation.SCALES)),
    "method": pa.Column(str, pa.Check.isin(imputation.METHODS)),
    "crps": _NUMBER,
}


_RUN = ("method", "backbone", "fold", "seed")
TABLES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "site_skill": (site_scores.COLUMNS, ("site", *_RUN, "flux", "scale", "rows", "quality")),
    "skill": (tables.COLUMNS, (*tables.KEY, "statistic")),
    "paired": (bootstrap.COLUMNS, bootstrap.COLUMNS[: bootstrap.COLUMNS.index("sites")]),
    "calibration": (calibration.COLUMNS, (*_RUN, "grouping", "flux")),
    "closure": (closure.COLUMNS, ("file", "kind")),
    "cost": (cost.COLUMNS, ("rule", "wildcards")),
    "comparison": ((), comparison.KEY),
    "totals": ((), totals.KEY),
    "imputation": (imputation.COLUMNS, imputation.KEY),
}
"""Columns of each table, those of an exchange or of a run's references apart, and the columns that name a row."""
_OWN_MEANINGS = {"imputation": _OF_IMPUTATION}


def schema(name: str, exchange: Exchange, references: Sequence[str] = ()) -> pa.DataFrameSchema:
    """Schema of a table; its fluxes are those of the exchange, its ratios those to the run's references."""
    own = {"totals": totals.columns(exchange), "comparison": comparison.columns(references)}
    columns = own.get(name, TABLES[name][0])
    ratios = dict.fromkeys(comparison.ratio_columns(references), pa.Column(float, pa.Check.gt(0), nullable=True))
    meanings = {
        **_MEANINGS,
        **ratios,
        "flux": pa.Column(str, pa.Check.isin(exchange.names)),
        **_OWN_MEANINGS.get(name, {}),
    }
    described = {column: meanings.get(column, _TEXT if column in _TEXTS else _NUMBER) for column in columns}
    return pa.DataFrameSchema(described, strict=True, ordered=True, coerce=True)


def checked(table: pd.DataFrame, name: str, exchange: Exchange = CO2, references: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table with its types set.

    Raises
    ------
    ValueError
        When a column is missing or unknown, a value is impossible, or a row occurs twice.
    """
    key = list(TABLES[name][1])
    twice = table.duplicated(key) if set(key) <= set(table) else pd.Series(dtype=bool)
    if twice.any():
        row = table.loc[twice.to_numpy(), key].iloc[0].to_dict()
        raise ValueError(
            f"{name}.csv would hold {int(twice.sum())} rows twice (first: {row}); one file per method, fold and seed"
        )
    try:
        return schema(name, exchange, references).validate(table)
    except pa.errors.SchemaError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{name}.csv would break its schema ({reason}); this is a fault in the evaluation") from None
