"""Kinds of columns, and the check of a table against its schema; a table that breaks its schema is not written."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

TEXT = pa.Column(str)
NUMBER = pa.Column(float, nullable=True)
COUNT = pa.Column(int, pa.Check.ge(0))
POSITIVE = pa.Column(float, pa.Check.ge(0), nullable=True)
SHARE = pa.Column(float, pa.Check.in_range(0, 1), nullable=True)


def within(bounds: tuple[float, float]) -> pa.Column:
    """Column of numbers, empty ones allowed, within inclusive bounds; infinite ones do not bind."""
    least, most = bounds
    checks = [pa.Check.ge(least)] if np.isfinite(least) else []
    checks += [pa.Check.le(most)] if np.isfinite(most) else []
    return pa.Column(float, checks, nullable=True)


def one_of(names: Sequence[str]) -> pa.Column:
    """Column of some texts."""
    return pa.Column(str, pa.Check.isin(list(names)))


def validated(table: pd.DataFrame, name: str, key: Sequence[str], schema: pa.DataFrameSchema) -> pd.DataFrame:
    """Return the table with its types set.

    Raises
    ------
    ValueError
        When a column is missing or unknown, a value is impossible, or a row, named by ``key``, occurs twice.
    """
    key = list(key)
    twice = table.duplicated(key) if set(key) <= set(table) else pd.Series(dtype=bool)
    if twice.any():
        row = table.loc[twice.to_numpy(), key].iloc[0].to_dict()
        raise ValueError(
            f"{name}.csv would hold {int(twice.sum())} rows twice (first: {row}); one file per method, fold and seed"
        )
    try:
        return schema.validate(table)
    except pa.errors.SchemaError as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(f"{name}.csv would break its schema ({reason}); this is a fault in the evaluation") from None
