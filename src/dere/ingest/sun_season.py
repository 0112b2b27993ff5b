"""Seasons as a test of time axes and of the order of cells: shortwave against the sun, GPP against light and warmth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.ingest.checks import daily_top_of_atmosphere
from dere.ingest.months import MONTHS

# Nearer to the equator the sun has no clear yearly wave, beyond the circle clouds of a short season weigh too much
_BELT = (30.0, 66.0)
# Of 144 real sites beyond 30 degrees each one lies within 0.48 of a month of the sun, the middle one 0.03 behind it
AGREES = 0.6
"""Months by which the median of places may be off the sun, where a shift of one month is the question."""
OTHER_PLACES = 1.5
"""The same where other cells, hemispheres or years are the question, which also serves for invented seasons."""
_LEAST_WAVE = 0.1
_WAVE = np.exp(2j * np.pi * np.arange(MONTHS) / MONTHS)


# Of 77 real sites poleward of 40 degrees with such seasons half lie within 0.0 to 0.55 of a month, 80 % within -0.5 to
# 0.7; the rest are mown, burnt or dry in summer
GROWTH = (-0.6, 0.85)
"""Least and most months by which the median of places may grow after the middle of sunlight and warmth."""
_COLD_WINTERS = (40.0, 9.0)


def in_belt(lat: NDArray) -> NDArray[np.bool_]:
    """Which latitudes (degrees) have seasons that tell the month."""
    return (np.abs(lat) > _BELT[0]) & (np.abs(lat) < _BELT[1])


def mean_year(values: NDArray, months: NDArray) -> NDArray[np.float64]:
    """Means by calendar month.

    Parameters
    ----------
    values
        (cell, time); NaN = missing.
    months
        (time,) month numbers.

    Returns
    -------
    array
        (cell, 12); NaN where a cell has no value of a calendar month.
    """
    cycle = np.full((len(values), MONTHS), np.nan)
    for month in range(MONTHS):
        chosen = np.asarray(values, np.float64)[:, months % MONTHS == month]
        known = np.isfinite(chosen)
        total, count = np.where(known, chosen, 0.0).sum(1), known.sum(1)
        np.divide(total, count, out=cycle[:, month], where=count > 0)
    return cycle


def months_behind_sun(cycle: NDArray, lat: NDArray) -> float | None:
    """Median of the months by which the yearly wave of shortwave follows that of the sun, -6 to 6.

    Parameters
    ----------
    cycle
        (cell, 12) mean shortwave by calendar month, in any unit.
    lat
        (cell,) degrees north.

    Returns
    -------
    float or None
        None where no cell with complete seasons lies between 30 and 66 degrees.
    """
    wave, level = cycle @ _WAVE, cycle.sum(1)
    with np.errstate(invalid="ignore"):
        told = in_belt(lat) & np.isfinite(level) & (level > 0) & (np.abs(wave) > _LEAST_WAVE * level)
    if not told.any():
        return None
    sun = np.stack([daily_top_of_atmosphere(float(one)) for one in lat[told]]) @ _WAVE
    return _median_months(wave[told] * np.conj(sun))


def months_behind_warmth(growth: NDArray, shortwave: NDArray, temperature: NDArray, lat: NDArray) -> float | None:
    """Median of the months by which the yearly wave of GPP follows the middle of those of shortwave and temperature.

    Only cells poleward of 40 degrees count whose temperature swings by 9 K about its mean: there cold limits growth.

    Parameters
    ----------
    growth, shortwave, temperature
        (cell, 12) means by calendar month; temperature in K or degC, the others in any unit.
    lat
        (cell,) degrees north.

    Returns
    -------
    float or None
        None where no such cell has complete seasons.
    """
    waves = [cycle @ _WAVE for cycle in (growth, shortwave, temperature)]
    limit, swing = _COLD_WINTERS
    with np.errstate(invalid="ignore"):
        told = in_belt(lat) & (np.abs(lat) > limit) & (np.abs(waves[2]) / 6 > swing)
        told &= np.abs(waves[0]) > _LEAST_WAVE * np.abs(growth.sum(1))
    told &= np.isfinite(np.stack(waves)).all(0)
    if not told.any():
        return None
    grown, bright, warm = (wave[told] / np.abs(wave[told]) for wave in waves)
    return _median_months(grown * np.conj(bright + warm))


def _median_months(turn: NDArray) -> float:
    """Median of angles as months, -6 to 6, taken about their common middle because they go round."""
    middle = (turn / np.abs(turn)).sum()
    off = np.angle(middle) + np.median(np.angle(turn * np.conj(middle)))
    return float((off * MONTHS / (2 * np.pi) + 6) % MONTHS - 6)


def check_sun_season(cycle: NDArray, lat: NDArray, source: str, remedy: str, most: float = AGREES) -> None:
    """Check that shortwave has the seasons of its latitudes.

    Parameters
    ----------
    cycle, lat
        As for :func:`months_behind_sun`.
    source, remedy
        File and what to correct there, for the message.
    most
        Months by which it may be off.

    Raises
    ------
    ValueError
        When it is off the sun by more: a shifted time axis, or cells in another order.
    """
    behind = months_behind_sun(cycle, lat)
    if behind is not None and abs(behind) > most:
        raise ValueError(
            f"{source}: shortwave is {abs(behind):.1f} months {'behind' if behind > 0 else 'ahead of'} the sun at its "
            f"latitudes, but at most {most:g} is possible; {remedy}"
        )
