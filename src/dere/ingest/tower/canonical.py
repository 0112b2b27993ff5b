"""From the columns of a table to canonical names, units and signs, and the checks that all formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.checks import check_unit
from dere.ingest.quantities import quantity
from dere.ingest.source import Column
from dere.ingest.tables import numeric
from dere.ingest.tower.fluxnet_columns import LARGEST_FLUX
from dere.variables import VARIABLES, convert, count_out_of_range

Array = NDArray[np.float64]
_PER_MONTH, _PER_STEP = " month-1", " step-1"


def canonical(
    table: pd.DataFrame,
    columns: Iterable[Column],
    source: str,
    counts: dict[str, int] | None = None,
    per_day: int = 1,
    days: NDArray[Any] | None = None,
) -> dict[str, Array]:
    """Take columns from a table: missing codes as NaN, in canonical names, units and signs.

    Parameters
    ----------
    table
        Columns by their names in the file.
    columns
        What to take; one that the table lacks is NaN throughout.
    source
        File for messages.
    counts
        Oddities, added to: ``runaway_fluxes`` and what the columns count.
    per_day
        Steps of a day, for sums per step.
    days
        Days of each row's month, shape (row,), for sums per month (``aggregate.full_steps``).

    Returns
    -------
    dict
        Values by canonical name, shape (row,), in the order of ``columns``.

    Raises
    ------
    ValueError
        When a field is text, or infinite in a column without a largest number, a unit is not known, or two columns
        become one variable.
    """
    counts = {} if counts is None else counts
    values: dict[str, Array] = {}
    for column in columns:
        if column.variable in values:
            raise ValueError(
                f"{source}: column {column.name} becomes {column.variable}, but a column before it does so already; "
                "declare one column per variable"
            )
        if column.largest:
            found = bounded_flux(table, column.name, source, counts, column.largest)
        else:
            found = numeric(table, column.name, source)
        if column.missing:
            empty = np.isin(found, column.missing)
            if column.counted:
                counts[column.counted] = counts.get(column.counted, 0) + int(empty.sum())
            found = np.where(empty, np.nan, found)
        unit = column.unit
        if unit.endswith(_PER_STEP):
            found, unit = found * per_day, unit.replace(_PER_STEP, " d-1")
        elif unit.endswith(_PER_MONTH):
            assert days is not None, f"{column.name} is a sum per month: the days of the months are needed"
            found, unit = found / days, unit.replace(_PER_MONTH, " d-1")
        kind = quantity(column.variable)
        found = convert(found, unit, VARIABLES[kind].unit if kind else "1", f"{source}: {column.name}")
        values[column.variable] = found if column.sign > 0 else -found
    return values


def bounded_flux(
    table: pd.DataFrame, column: str, source: str, counts: dict[str, int], largest: float = LARGEST_FLUX
) -> Array:
    """Flux column with values beyond ``largest``, infinite ones included, as NaN and counted as ``runaway_fluxes``.

    All NaN where the column is absent.

    Raises
    ------
    ValueError
        When a field is text.
    """
    if column not in table.columns:
        return np.full(len(table), np.nan)
    raw = table[column]
    if raw.dtype.kind == "f":
        counts["runaway_fluxes"] = counts.get("runaway_fluxes", 0) + int(np.isinf(raw.to_numpy()).sum())
        table = pd.DataFrame({column: raw.replace([np.inf, -np.inf], np.nan)})
    values = numeric(table, column, source)
    runaway = np.abs(values) > largest
    counts["runaway_fluxes"] = counts.get("runaway_fluxes", 0) + int(runaway.sum())
    return np.where(runaway, np.nan, values)


def check(
    values: Mapping[str, Array], source: str, columns: Mapping[str, str] | None = None, site: str = ""
) -> dict[str, int]:
    """Check monthly values in canonical units: qualities are shares, medians fit their unit, breaches are counted.

    Parameters
    ----------
    values
        By name of a record, shape (month,), NaN missing; uncertainties are left alone.
    source, site
        File, and site where it holds several, for messages.
    columns
        Name to column in the file, for messages.

    Returns
    -------
    dict
        Values outside the valid range by name, where there are any.

    Raises
    ------
    ValueError
        A unit that cannot be right by a column's median, or a quality outside 0 to 1.
    """
    breaches: dict[str, int] = {}
    for name, found in values.items():
        column = (columns or {}).get(name, name)
        kind = quantity(name)
        if not kind:
            check_quality(found, source, column)
        elif not name.endswith("_uncertainty"):
            check_unit(kind, found, source, column)
            if breach := count_out_of_range(kind, found, " ".join(filter(None, (source, site, column)))):
                breaches[name] = breach
    return breaches


def check_quality(values: Array, source: str, column: str) -> None:
    """Check that monthly quality is a share.

    Half-hourly files count 0 (measured) to 3 (poor), the opposite meaning.

    Raises
    ------
    ValueError
        When values lie outside 0 to 1.
    """
    finite = values[np.isfinite(values)]
    if finite.size and (finite.min() < -1e-6 or finite.max() > 1 + 1e-6):
        raise ValueError(
            f"{source}: column {column} reaches {finite.min():g} to {finite.max():g}, but monthly quality is a share "
            "of 0 to 1; use the monthly (MM) file of the product"
        )
