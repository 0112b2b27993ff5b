"""From the columns of a table to canonical names, units and signs, and the checks that all formats share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.checks import check_unit
from dere.ingest.possible import COUNT, only_possible
from dere.ingest.quantities import quantity
from dere.ingest.source import Column
from dere.ingest.tables import numbers
from dere.ingest.tower.fluxnet_columns import LARGEST_FLUX
from dere.variables import VARIABLES, Step, convert, count_out_of_range

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
    """Take columns from a table: marks of missing values and impossible numbers as NaN; canonical names, units, signs.

    Parameters
    ----------
    table
        Columns by their names in the file.
    columns
        What to take; one that the table lacks is NaN throughout.
    source
        File for messages.
    counts
        Oddities, added to: ``runaway_fluxes``, what the columns count, and ``impossible_<variable>``.
    per_day
        Steps of a day, for sums per step, and for what is possible within one.
    days
        Days of each row's month, shape (row,), for sums per month (``aggregate.full_steps``).

    Returns
    -------
    dict
        Values by canonical name, shape (row,), in the order of ``columns``.

    Raises
    ------
    ValueError
        When a field is text, a unit is not known, too many values of a column are impossible, or two columns become one
        variable.
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
            found = numbers(table, column.name, source)
        if column.missing:
            empty = np.isin(found, column.missing)
            if column.counted:
                counts[column.counted] = counts.get(column.counted, 0) + int(empty.sum())
            found = np.where(empty, np.nan, found)
        values[column.variable] = _possible(found, column, source, counts, per_day, days)
    return values


def possible_columns(
    table: pd.DataFrame,
    columns: Iterable[Column],
    source: str,
    counts: dict[str, int],
    per_day: int = 1,
) -> pd.DataFrame:
    """Return the table with NaN, in its own units, in place of marks and impossible numbers of some columns.

    For readers that look at a table more than once; :func:`canonical` does the same for those that look once.

    Parameters
    ----------
    table, columns, source, counts, per_day
        As for :func:`canonical`.

    Raises
    ------
    ValueError
        As :func:`canonical`.
    """
    changed = {}
    for column in columns:
        if column.name not in table.columns:
            continue
        found = numbers(table, column.name, source)
        lost = np.isnan(_possible(found, column, source, counts, per_day, None)) & ~np.isnan(found)
        if lost.any():
            changed[column.name] = np.where(lost, np.nan, found)
    return table.assign(**changed)


def _possible(
    found: Array, column: Column, source: str, counts: dict[str, int], per_day: int, days: NDArray[Any] | None
) -> Array:
    """A column in canonical unit and sign; NaN in place of what is impossible within a step, which is counted."""
    step: Step = "hour" if per_day > 1 else "day"
    if quantity(column.variable):
        values = column.sign * _in_unit(found, column, source, per_day, days)
        kept, count = only_possible(column.variable, values, source, column.name, step, found)
    else:
        # the marks of shares are told before percent become shares
        kept, count = only_possible(column.variable, found, source, column.name, step)
        kept = _in_unit(kept, column, source, per_day, days)
    if count:
        counts[f"{COUNT}{column.variable}"] = counts.get(f"{COUNT}{column.variable}", 0) + count
    return kept


def _in_unit(found: Array, column: Column, source: str, per_day: int, days: NDArray[Any] | None) -> Array:
    """A column in its canonical unit."""
    unit = column.unit
    if unit.endswith(_PER_STEP):
        found, unit = found * per_day, unit.replace(_PER_STEP, " d-1")
    elif unit.endswith(_PER_MONTH):
        assert days is not None, f"{column.name} is a sum per month: the days of the months are needed"
        found, unit = found / days, unit.replace(_PER_MONTH, " d-1")
    kind = quantity(column.variable)
    return convert(found, unit, VARIABLES[kind].unit if kind else "1", f"{source}: {column.name}")


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
    values = numbers(table, column, source)
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
