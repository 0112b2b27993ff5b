"""Half-hourly, hourly and daily files of the FLUXNET family as months (Pastorello and others 2020).

The finer table becomes a monthly table with the same column names, which then passes the same checks as an official
one. Fluxes of half hours and hours are umolCO2 m-2 s-1, of days gC m-2 d-1; precipitation is a sum per step or mm d-1.
Quality of half hours is 0 (measured) to 3 (poor) and becomes the share of the month's steps with 0 or 1; of days it is
that share already. A step that is missing is not good.

Uncertainty: random errors of steps are independent, so that of a mean is sqrt(sum of squares) / n. What the joint
uncertainty holds beyond it is the threshold's, the same all month, so its mean is kept and added in quadrature.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure, specific_humidity
from dere.ingest.tables import numeric
from dere.ingest.tower.aggregate import full_steps, mean_diurnal_cycles, monthly_means
from dere.ingest.tower.record import CO2_COLUMN, DRIVER_COLUMNS
from dere.ingest.tower.steps import Steps
from dere.ingest.tower.variants import flux_columns
from dere.variables import UMOL_TO_GC_PER_DAY

HOURLY_STEPS = ("HH", "HR")
_UNCERTAIN = ("_RANDUNC", "_JOINTUNC")
_BEST_QUALITIES = 1


def to_months(
    table: pd.DataFrame, steps: Steps, columns: list[str], minimum_coverage: float, source: str
) -> pd.DataFrame:
    """Monthly table of a finer one.

    Parameters
    ----------
    table
        Columns by FLUXNET names, one row per step.
    steps
        Its time stamps.
    columns
        Columns to make monthly; absent ones are left out.
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
    for column in columns:
        if column not in table.columns:
            continue
        values = numeric(table, column, source)
        if hourly and column.endswith("_QC"):
            check_codes(values, source, column)
        if hourly:
            values = _per_day(column, values, steps.per_day)
        if column.endswith("_QC"):
            monthly[column] = _share(steps.month, values, full)
        elif not column.endswith(_UNCERTAIN):
            monthly[column] = monthly_means(steps.month, values, full, minimum_coverage)[1]
    for column in columns:
        if column.endswith("_RANDUNC") and column in table.columns:
            joint = column.replace("_RANDUNC", "_JOINTUNC")
            random, both = _uncertainty(table, column, joint, steps, full, minimum_coverage, source)
            monthly[column] = random
            if joint in columns:
                monthly[joint] = both
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


def _per_day(column: str, values: NDArray, per_day: int) -> NDArray:
    """Units and meaning of a half-hourly column as in daily files."""
    if column.endswith("_QC"):
        return np.where(np.isfinite(values), values <= _BEST_QUALITIES, np.nan)
    if column.startswith(("NEE_", "GPP_", "RECO_")):
        return values * UMOL_TO_GC_PER_DAY
    if column in DRIVER_COLUMNS["precipitation"]:
        return values * per_day
    return values


def _share(month: NDArray, values: NDArray, full: NDArray) -> NDArray:
    """Sum of good steps over the steps of the complete month; NaN where no step says anything."""
    _, mean, coverage = monthly_means(month, values, full, 0.0)
    return mean * coverage


def _uncertainty(
    table: pd.DataFrame, random: str, joint: str, steps: Steps, full: NDArray, minimum_coverage: float, source: str
) -> tuple[NDArray, NDArray]:
    """Random and joint uncertainty of monthly means, gC m-2 d-1, each (month,)."""
    factor = UMOL_TO_GC_PER_DAY if steps.per_day > 1 else 1.0
    of_steps = numeric(table, random, source) * factor
    _, square, coverage = monthly_means(steps.month, of_steps**2, full, minimum_coverage)
    of_mean = np.sqrt(square / np.maximum(coverage * full, 1))
    # rounding may leave the joint uncertainty a digit below the random one
    threshold = np.sqrt(np.maximum((numeric(table, joint, source) * factor) ** 2 - of_steps**2, 0))
    return of_mean, np.hypot(of_mean, monthly_means(steps.month, threshold, full, minimum_coverage)[1])


def measured_share(table: pd.DataFrame, steps: Steps, variant: str, source: str) -> dict[str, NDArray]:
    """Share of each month's half hours whose NEE was measured (quality 0), and of those that have NEE at all."""
    columns = flux_columns(variant)
    full = full_steps(np.unique(steps.month), steps.per_day)
    values = numeric(table, columns["nee"], source)
    shares = {"nee_coverage": monthly_means(steps.month, values, full, 0.0)[2]}
    if steps.per_day > 1:
        quality = numeric(table, columns["nee_quality"], source)
        measured = np.where(np.isfinite(quality), quality == 0, np.nan)
        shares["nee_measured_share"] = _share(steps.month, measured, full)
    return shares


def diurnal_cycles(
    table: pd.DataFrame, steps: Steps, minimum_coverage: float, source: str
) -> dict[str, NDArray[np.float64]]:
    """Mean diurnal cycles of half-hourly or hourly weather, hours in local standard time.

    Each quantity comes from the filled column, or from the reanalysis column where the file has no filled value.

    Returns
    -------
    dict
        Names of ``record.DIURNAL_VARIABLES`` to (month, 24); left out where the file has no value.
    """
    weather = {}
    for name in ("air_temperature", "vpd", "pressure", "shortwave", "wind"):
        filled, _, reanalysis = DRIVER_COLUMNS[name]
        values = numeric(table, filled, source)
        weather[name] = values if np.isfinite(values).any() else numeric(table, reanalysis, source)
    co2 = numeric(table, CO2_COLUMN, source)
    quantities = {
        "specific_humidity_hourly": humidity_of(weather["air_temperature"], weather["vpd"], weather["pressure"]),
        "air_temperature_hourly": weather["air_temperature"],
        "shortwave_hourly": weather["shortwave"],
        "wind_hourly": weather["wind"],
        # a mole fraction of zero is a gap that a compiler wrote as a number
        "co2_hourly": np.where(co2 == 0, np.nan, co2),
    }
    full = full_steps(np.unique(steps.month), steps.per_day)
    return {
        name: mean_diurnal_cycles(steps.month, steps.hour, values, full, minimum_coverage)[1]
        for name, values in quantities.items()
        if np.isfinite(values).any()
    }


def humidity_of(temperature: NDArray, vpd: NDArray, pressure: NDArray) -> NDArray:
    """Specific humidity (kg kg-1) from air temperature (degC), VPD (hPa) and pressure (kPa)."""
    vapour = saturation_vapour_pressure(temperature) - vpd
    vapour = np.where(vapour < 0, np.nan, vapour)  # more deficit than there is to lack: one of the two is wrong
    return specific_humidity(vapour, pressure)
