"""Months that physics allows, but the site's own record does not (docs/decisions/0013).

A value is odd where both hold. It departs from the same calendar month of the site's other years by more than
``DEVIATIONS`` robust standard deviations and ``AMOUNT``. And it is beyond what the site was ever seen to do under such
weather, in months a year or more away: more net release than any respiration in months at most ``WARMER`` degC warmer
(months whose respiration departs itself apart), more production or net uptake than any production in months of at most
``BRIGHTER`` times the light, in the bright half of the year more than twice that, or a production or respiration below
zero. Drought, harvest, fire and clear-cut take production away and leave respiration, so that net release stays within
what the site respires; another crop or a wet year may double what grows in the light. None of them is odd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.axis import month_number
from dere.harmonise.label_months import usable
from dere.harmonise.label_quality import series_of
from dere.variables import FLUXES

YEARS = 4
"""Other years with the calendar month that a judgement needs."""
DEVIATIONS = 6.0
SMALLEST_DEVIATION = 0.2
"""Floor of the robust standard deviation in gC m-2 d-1: few years may agree by chance."""
AMOUNT = 2.0
"""Smallest departure from the median in gC m-2 d-1."""
BEYOND = 1.0
BEYOND_SHARE = 1 / 3
"""By how much a value exceeds what the site was seen to do: gC m-2 d-1, and a share of it; the larger counts. Fresh
litter raises respiration, and partitioning scatters with it."""
WARMER = 5.0
BRIGHTER = 2.0
DOUBLED = 2.0
"""Another crop or a wet year may raise production in the bright half of the year by this factor."""
MAD_TO_DEVIATION = 1.4826
COLUMNS = ("site", "month", "flux", "value", "median", "low", "high", "years", "quality", "left_out")
_GPP, _RECO, _NEE = (FLUXES.index(name) for name in ("gpp", "reco", "nee"))


@dataclass(frozen=True)
class OddRule:
    """How odd months are treated.

    Parameters
    ----------
    quality
        Least quality of the months that are compared and judged.
    leave_out
        Whether odd months are no labels; they are listed either way.
    """

    quality: float
    leave_out: bool = True


@dataclass(frozen=True)
class SameMonths:
    """Other years' values of the same calendar month, each (time, flux): count, median, robust spread, range."""

    years: NDArray[np.int64]
    median: NDArray[np.float64]
    spread: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True)
class OddMonths:
    """Labels that odd values cost, each (site, time, flux), whether they are left out, and the table of odd values."""

    odd: NDArray[np.bool_]
    left_out: NDArray[np.bool_]
    table: pd.DataFrame


def no_table() -> pd.DataFrame:
    """Table of odd values without a row."""
    return pd.DataFrame(columns=list(COLUMNS))


def find_odd(towers: xr.Dataset, values: NDArray, quality: NDArray, rule: OddRule | None) -> OddMonths:
    """Odd months of the towers.

    Parameters
    ----------
    towers
        Interim towers; ``shortwave`` and ``air_temperature`` (site, time), else their reanalysis.
    values, quality
        (site, time, flux) labels in gC m-2 d-1, order of ``FLUXES``, NaN where there is none, and their quality.
    rule
        How they are treated; None = nothing is odd.

    Returns
    -------
    OddMonths
        NEE that is odd costs all fluxes of its month, GPP or RECO cost each other and leave NEE.
    """
    nothing = np.zeros(values.shape, bool)
    if rule is None:
        return OddMonths(nothing, nothing, no_table())
    good = np.where(usable(values, quality, rule.quality), values, np.nan)
    number = month_number(towers["time"].values)
    odd, usual = odd_months(good, _driver(towers, "shortwave"), _driver(towers, "air_temperature"), number)
    cost = np.stack([odd[..., _NEE] if flux == "nee" else odd.any(-1) for flux in FLUXES], -1)
    cost &= np.isfinite(values)
    table = odd_table(odd, usual, values, quality, towers["site"].values.astype(str), number, rule.leave_out)
    return OddMonths(cost, cost if rule.leave_out else nothing, table)


def _driver(towers: xr.Dataset, name: str) -> NDArray[np.float64]:
    """Own values of a driver (site, time), where missing those of the reanalysis."""
    own = series_of(towers, name)
    return np.where(np.isfinite(own), own, series_of(towers, f"{name}_reanalysis"))


def odd_months(
    values: NDArray, light: NDArray, warmth: NDArray, number: NDArray
) -> tuple[NDArray[np.bool_], dict[int, SameMonths]]:
    """Judge every month of every site.

    Parameters
    ----------
    values
        (site, time, flux) good months in gC m-2 d-1, order of ``FLUXES``, NaN elsewhere.
    light, warmth
        (site, time) shortwave (W m-2) and air temperature (degC); where missing, months of any light or warmth count.
    number
        (time,) month numbers without a gap.

    Returns
    -------
    tuple
        (site, time, flux) odd values; what they were compared with, of the sites that have any.
    """
    odd = np.zeros(values.shape, bool)
    usual = {}
    for site in np.flatnonzero(np.isfinite(values).any((1, 2))).tolist():
        same = same_months(values[site], number)
        limit = np.maximum(DEVIATIONS * np.maximum(same.spread, SMALLEST_DEVIATION), AMOUNT)
        departs = (same.years >= YEARS) & (np.abs(values[site] - same.median) > limit)
        for month in np.flatnonzero(departs.any(1)).tolist():
            beyond = _beyond(values[site], departs[:, _RECO], light[site], warmth[site], number, month)
            odd[site, month] = departs[month] & beyond
        if odd[site].any():
            usual[site] = same
    return odd, usual


def same_months(values: NDArray, number: NDArray) -> SameMonths:
    """Other years of each month of one site; ``values`` is (time, flux), NaN missing."""
    place = number - number[0] // 12 * 12
    count = int(place[-1]) // 12 + 1
    grid = np.full((count * 12, values.shape[1]), np.nan)
    grid[place] = values
    # (year judged, other year, calendar month, flux)
    others = np.repeat(grid.reshape(1, count, 12, -1), count, axis=0)
    others[np.arange(count), np.arange(count)] = np.nan
    ordered = np.sort(others, axis=1)
    years = np.isfinite(others).sum(1)
    median = _middle(ordered, years)
    spread = MAD_TO_DEVIATION * _middle(np.sort(np.abs(others - median[:, None]), axis=1), years)
    of_month = (part.reshape(count * 12, -1)[place] for part in (years, median, spread, *_ends(ordered, years)))
    return SameMonths(*of_month)


def odd_table(
    odd: NDArray[np.bool_],
    usual: dict[int, SameMonths],
    values: NDArray,
    quality: NDArray,
    sites: NDArray,
    number: NDArray,
    leave_out: bool,
) -> pd.DataFrame:
    """Table of the odd values: ``COLUMNS``, ordered by site, month and flux.

    Parameters
    ----------
    odd, usual
        Result of :func:`odd_months`.
    values, quality
        (site, time, flux).
    sites, number
        Names and month numbers.
    leave_out
        Whether they are left out of the labels.
    """
    rows = [
        (
            sites[site],
            f"{number[month] // 12}-{number[month] % 12 + 1:02d}",
            FLUXES[flux],
            values[site, month, flux],
            *(getattr(usual[site], name)[month, flux] for name in ("median", "low", "high", "years")),
            quality[site, month, flux],
            leave_out,
        )
        for site, month, flux in np.argwhere(odd).tolist()
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _beyond(
    values: NDArray, restless: NDArray, light: NDArray, warmth: NDArray, number: NDArray, month: int
) -> NDArray[np.bool_]:
    """Fluxes of a month that are beyond what the site was seen to do, (flux,)."""
    other = (np.abs(number - number[month]) >= 12) & np.isfinite(values).all(-1)
    release = _most(values[other & ~restless & ~(warmth > warmth[month] + WARMER), _RECO])
    uptake = _most(values[other & ~(light > BRIGHTER * light[month]), _GPP])
    brightest = np.max(light, where=np.isfinite(light), initial=0.0)
    gpp, reco, nee = values[month, _GPP], values[month, _RECO], values[month, _NEE]
    if not BRIGHTER * light[month] < brightest:
        uptake *= DOUBLED
    beyond = np.zeros(len(FLUXES), bool)
    beyond[_NEE] = nee > release + _margin(release) or -nee > uptake + _margin(uptake)
    beyond[_GPP] = gpp < -_margin(release) or gpp > uptake + _margin(uptake)
    beyond[_RECO] = reco < -_margin(release)
    return beyond


def _margin(limit: float) -> float:
    """By how much a limit must be exceeded."""
    return max(BEYOND, BEYOND_SHARE * limit)


def _most(values: NDArray) -> float:
    """Largest of some values, not below 0; without any there is no limit."""
    return max(float(values.max()), 0.0) if len(values) else np.inf


def _middle(ordered: NDArray, count: NDArray) -> NDArray[np.float64]:
    """Median along axis 1 of values in order whose last ones are NaN; NaN where the count is 0."""
    below, above = (np.maximum(place, 0)[:, None] for place in ((count - 1) // 2, count // 2))
    above = np.minimum(above, ordered.shape[1] - 1)
    return 0.5 * (np.take_along_axis(ordered, below, 1) + np.take_along_axis(ordered, above, 1))[:, 0]


def _ends(ordered: NDArray, count: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest along axis 1 of values in order whose last ones are NaN."""
    return ordered[:, 0], np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, None], 1)[:, 0]
