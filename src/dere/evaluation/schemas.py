"""Schemas of the tables under ``tables/``; a table that breaks its schema is not written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

from dere.evaluation import (
    bootstrap,
    calibration,
    closure,
    comparison,
    cost,
    site_calibration,
    site_scores,
    tables,
    total_columns,
    tower_coverage,
    transfers,
)
from dere.evaluation.columns import COUNT, NUMBER, POSITIVE, SHARE, TEXT, one_of, validated, within
from dere.evaluation.metrics import METRICS
from dere.evaluation.scales import SCALES
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

_MEANINGS = {
    "scale": one_of([*SCALES, "annual"]),
    "rows": one_of(["measured", "daytime", "cold", "odd", "with_odd", "virtual", "map"]),
    "grouping": one_of(["all", "igbp", "koppen", "quality", "daytime", "cold", "odd", "with_odd", "virtual", "map"]),
    "statistic": one_of([*tables.STATISTICS, "across"]),
    "kind": one_of(["prediction", "product"]),
    **{name: within(metric.bounds) for name, metric in METRICS.items()},
    "nse_ensemble": within((-np.inf, 1.0)),
    **dict.fromkeys(("mean_residual", "maximum_residual", "spread_error"), POSITIVE),
    **dict.fromkeys(("crps", "width_50", "width_90", "seconds", "max_rss_mb", "cpu_seconds"), POSITIVE),
    **dict.fromkeys(("share_better", *tower_coverage.COVERAGES, *tower_coverage.PIT, "towers_below_70"), SHARE),
    **dict.fromkeys(("coverage_90_low", "coverage_90_high", "coverage_90_tower_q25"), SHARE),
    "support_season": one_of([site_calibration.WHOLE, *tower_coverage.SEASONS]),
    "part": one_of([calibration.WHOLE, *calibration.PARTS]),
    **dict.fromkeys(("nse_seed_std", "rmse_seed_std"), POSITIVE),
    **dict.fromkeys(("rmse_ratio", "ratio_low", "ratio_high", "detectable_ratio"), pa.Column(float, pa.Check.gt(0))),
    **dict.fromkeys(("parameters", "tried", "width_ratio"), POSITIVE),
    **dict.fromkeys(
        ("sites", "months", "clusters", "seeds", "folds", "values", "repeats", "year", "periods", "known_months"), COUNT
    ),
}
_TEXTS = {
    *("site", "method", "backbone", "against", "against_backbone", "fold", "seed", "igbp", "koppen", "cluster"),
    *("group", "file", "rule", "wildcards", "region", "stages", "shared_stages"),
    *("stage", "quantity"),
}
_RUN = ("method", "backbone", "fold", "seed")
TABLES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "site_skill": (site_scores.COLUMNS, ("site", *_RUN, "flux", "scale", "rows", "quality")),
    "skill": (tables.COLUMNS, (*tables.KEY, "statistic")),
    "paired": (bootstrap.COLUMNS, bootstrap.COLUMNS[: bootstrap.COLUMNS.index("sites")]),
    "calibration": (calibration.COLUMNS, calibration.KEY),
    "site_calibration": (site_calibration.COLUMNS, site_calibration.KEY),
    "closure": (closure.COLUMNS, ("file", "kind")),
    "cost": (cost.COLUMNS, ("rule", "wildcards")),
    "comparison": ((), comparison.KEY),
    "totals": ((), total_columns.KEY),
    "transfers": (transfers.COLUMNS, transfers.KEY),
}
"""Columns of each table, those of an exchange or of a run's references apart, and the columns that name a row."""


def schema(name: str, exchange: Exchange, references: Sequence[str] = ()) -> pa.DataFrameSchema:
    """Schema of a table; its fluxes are those of the exchange, its ratios those to the run's references."""
    own = {"totals": total_columns.columns(exchange), "comparison": comparison.columns(references)}
    columns = own.get(name, TABLES[name][0])
    ratios = dict.fromkeys(comparison.ratio_columns(references), pa.Column(float, pa.Check.gt(0), nullable=True))
    pooled = [transfers.EVERY] if name == "transfers" else []
    meanings = {**_MEANINGS, **ratios, "flux": one_of([*exchange.names, *pooled])}
    described = {column: meanings.get(column, TEXT if column in _TEXTS else NUMBER) for column in columns}
    return pa.DataFrameSchema(described, strict=True, ordered=True, coerce=True)


def checked(table: pd.DataFrame, name: str, exchange: Exchange = CO2, references: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table with its types set, or refuse it (`dere.evaluation.columns.validated`)."""
    return validated(table, name, TABLES[name][1], schema(name, exchange, references))
