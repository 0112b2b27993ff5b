"""Schema of ``imputation.csv``; beside those of the evaluation, so that a new score does not impute again."""

from __future__ import annotations

import pandas as pd
import pandera.pandas as pa

from dere.evaluation.columns import COUNT, NUMBER, POSITIVE, SHARE, TEXT, one_of, validated
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.imputation.scores import COLUMNS, KEY, METHODS, SCALES

_MEANINGS = {
    "scale": one_of(SCALES),
    "method": one_of(METHODS),
    **dict.fromkeys(("fold", "seed", "gap"), TEXT),
    **dict.fromkeys(("sites", "values"), COUNT),
    **dict.fromkeys(("coverage_50", "coverage_90"), SHARE),
    **dict.fromkeys(("mae", "spread_error"), POSITIVE),
}
"""Of its fair CRPS, few samples and values may leave a sum below zero, so that it is any number."""


def schema(exchange: Exchange) -> pa.DataFrameSchema:
    """Schema of the table; its fluxes are those of the exchange."""
    meanings = {**_MEANINGS, "flux": one_of(exchange.names)}
    described = {column: meanings.get(column, NUMBER) for column in COLUMNS}
    return pa.DataFrameSchema(described, strict=True, ordered=True, coerce=True)


def checked(table: pd.DataFrame, exchange: Exchange = CO2) -> pd.DataFrame:
    """Return the table with its types set, or refuse it (`dere.evaluation.columns.validated`)."""
    return validated(table, "imputation", KEY, schema(exchange))
