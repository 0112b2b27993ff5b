"""Half-hourly, hourly and daily files of the FLUXNET family as months (Pastorello and others 2020).

The finer table becomes a monthly table with the same column names, which then passes the same checks as an official
one. Fluxes of half hours and hours are umolCO2 m-2 s-1, of days gC m-2 d-1; precipitation is a sum per step or mm d-1.
Quality of half hours is 0 (measured) to 3 (poor) and becomes the share of the month's steps with 0 or 1; of days it is
that share already. A step that is missing is not good.

Uncertainty: random errors of steps are independent, so that of a mean is sqrt(sum of squares) / n. What the joint
uncertainty holds beyond it is the threshold's, the same all month, so its mean is kept and added in quadrature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.source import Column
from dere.ingest.tables import numeric
from dere.ingest.tower.aggregate import full_steps, monthly_means
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.fluxnet_columns import flux_names
from dere.ingest.tower.steps import Steps

HOURLY_STEPS = ("HH", "HR")
RANDOM, JOINT = "nee_random_uncertainty", "nee_joint_uncertainty"
_BEST_QUALITIES = 1


def to_months(
    table: pd.DataFrame, steps: Steps, columns: Sequence[Column], minimum_coverage: float, source: str
) -> pd.DataFrame:
    """Monthly table of a finer one.

    Parameters
    ----------
    table
        Columns by FLUXNET names, one row per step.
    steps
        Its time stamps.
    columns
        Columns to make monthly, in the units of this table; absent ones are left out.
    minimum_coverage
        Months with a smaller share of steps are missing.
    source
        File name for messages.

    Returns
    -------
    DataFrame
        TIMESTAMP (YYYYMM) and the columns in the units of a monthly file, NaN missing.

    Raises
    ------
    ValueError
        Text in a number column, or half-hourly quality that is no code.
    """
    months = np.unique(steps.month)
    full = full_steps(months, steps.per_day)
    hourly = steps.per_day > 1
    monthly: dict[str, NDArray] = {"TIMESTAMP": months // 12 * 100 + months % 12 + 1}
    # a mole fraction of zero is judged in the monthly table, as it is in an official one
    present = [replace(column, missing=(), counted="") for column in columns if column.name in table.columns]
    values = canonical(table, present, source, per_day=steps.per_day)
    for column in present:
        found = values[column.variable]
        if column.name.endswith("_QC"):
            monthly[column.name] = _share(steps.month, _good(found, source, column.name) if hourly else found, full)
        elif not column.variable.endswith("_uncertainty"):
            monthly[column.name] = monthly_means(steps.month, found, full, minimum_coverage)[1]
    names = {column.variable: column.name for column in columns}
    if RANDOM in values:
        joint = values.get(JOINT, np.full(len(table), np.nan))
        both = _uncertainty(values[RANDOM], joint, steps, full, minimum_coverage)
        monthly |= dict(zip((names[RANDOM], names[JOINT]), both, strict=True))
    return pd.DataFrame(monthly)


def check_codes(values: NDArray, source: str, column: str) -> None:
    """Check that the quality of half hours is a code of 0 (measured) to 3 (poor).

    Daily and monthly files hold shares of 0 to 1 instead, which would all count as good.

    Raises
    ------
    ValueError
        When a value is another.
    """
    finite = values[np.isfinite(values)]
    odd = finite[~np.isin(finite, (0, 1, 2, 3))]
    if odd.size:
        raise ValueError(
            f"{source}: column {column} holds {odd[0]:g}, but the quality of half hours is 0, 1, 2 or 3; use the "
            "half-hourly file of the product"
        )


def _good(codes: NDArray, source: str, column: str) -> NDArray:
    """Whether the quality of half hours is good, 1 or 0, NaN unknown."""
    check_codes(codes, source, column)
    return np.where(np.isfinite(codes), codes <= _BEST_QUALITIES, np.nan)


def _share(month: NDArray, values: NDArray, full: NDArray) -> NDArray:
    """Sum of good steps over the steps of the complete month; NaN where no step says anything."""
    _, mean, coverage = monthly_means(month, values, full, 0.0)
    return mean * coverage


def _uncertainty(
    random: NDArray, joint: NDArray, steps: Steps, full: NDArray, minimum_coverage: float
) -> tuple[NDArray, NDArray]:
    """Random and joint uncertainty of monthly means from those of steps, gC m-2 d-1, each (month,)."""
    _, square, coverage = monthly_means(steps.month, random**2, full, minimum_coverage)
    of_mean = np.sqrt(square / np.maximum(coverage * full, 1))
    # rounding may leave the joint uncertainty a digit below the random one
    threshold = np.sqrt(np.maximum(joint**2 - random**2, 0))
    return of_mean, np.hypot(of_mean, monthly_means(steps.month, threshold, full, minimum_coverage)[1])


def measured_share(table: pd.DataFrame, steps: Steps, variant: str, source: str) -> dict[str, NDArray]:
    """Share of each month's half hours whose NEE was measured (quality 0), and of those that have NEE at all."""
    columns = flux_names(variant)
    full = full_steps(np.unique(steps.month), steps.per_day)
    values = numeric(table, columns["nee"], source)
    shares = {"nee_coverage": monthly_means(steps.month, values, full, 0.0)[2]}
    if steps.per_day > 1:
        quality = numeric(table, columns["nee_quality"], source)
        measured = np.where(np.isfinite(quality), quality == 0, np.nan)
        shares["nee_measured_share"] = _share(steps.month, measured, full)
    return shares
