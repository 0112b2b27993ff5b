"""Units that a single column's median cannot betray: each site's whole record against physics, then all sites together.

A vapour pressure deficit of 0.3 can be that of a humid cold site in hPa or of a dry one in kPa; as a share of the
saturation pressure at the site's own temperature the two lie apart. What even that leaves open at one site (wind in
km h-1, rain in m per month) shows in the median over the sites of a product.

Limits and what 261 records of real sites of nine products give (in brackets), all columns and their reanalysis twins:

- shortwave over the top of the atmosphere at least 0.15 (0.32 to 0.73; in MJ m-2 d-1 0.03 to 0.06),
- VPD over saturation pressure at least 0.05 (0.094 to 0.79; in kPa 0.009 to 0.08), median over sites at least 0.11
  (0.27 to 0.42; in kPa at most 0.08),
- rain of the wettest month at least 0.35 mm d-1 (0.80; in m per month 0.9 and less), median of means over sites 0.2 to
  12 mm d-1 (1.4 to 2.6; in m per month below 0.1, in mm per month above 40),
- mean wind at most 10 m s-1 (6.9; in km h-1 2.5 to 25), median over sites at most 6.5 m s-1 (2.3 to 3.2; in km h-1
  8.2 and more),
- mean of the tower's own column over that of the reanalysis at most 4 (VPD; 0.85 to 1.26), 8 (rain; 0.95 to 1.42) and 3
  (wind; 0.61 to 1.21), or its inverse.

One real column fails: SW_IN_ERA of SN-Dhr (0.03 of sunlight). A reanalysis column that only fills gaps of a good one is
therefore warned of, not refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure
from dere.ingest.checks import daily_top_of_atmosphere
from dere.ingest.tower.fluxnet_columns import DRIVERS
from dere.ingest.tower.record import SiteRecord
from dere.variables import VARIABLES

log = logging.getLogger(__name__)

LEAST_SUNLIGHT = 0.15
LEAST_DRYNESS = 0.05
LEAST_WETTEST_MONTH = 0.35
LARGEST_WIND = 10.0
LARGEST_RATIO = {"vpd": 4.0, "precipitation": 8.0, "wind": 3.0}
MEDIAN_DRYNESS = 0.11
MEDIAN_RAIN = (0.2, 12.0)
MEDIAN_WIND = 6.5
FEWEST_MONTHS = 12
FEWEST_SITES = 3
# polar night says nothing about a unit
_DARK = 20.0


def check_record(record: SiteRecord, lat: float) -> None:
    """Check the units of a site's shortwave, VPD, precipitation and wind over its whole record.

    Parameters
    ----------
    record
        Record of the site; columns with fewer than ``FEWEST_MONTHS`` months are not judged.
    lat
        Latitude in degrees.

    Raises
    ------
    ValueError
        When a column that is used cannot have the expected unit; names file, site, column, value, expectation, remedy.
    """
    for name, find in {"shortwave": _sunlight, "vpd": _dryness, "precipitation": _rain, "wind": _wind}.items():
        own = _fault(find(record, lat, ""), record, name, "")
        twin = _fault(find(record, lat, "_reanalysis"), record, name, "_reanalysis")
        if own or (twin and not _enough(_column(record, name))):
            raise ValueError(own or twin)
        if twin:
            log.warning("%s; it only fills gaps of %s", twin, DRIVERS[name][0])
        _check_ratio(record, name)


def check_products(records: Sequence[SiteRecord]) -> None:
    """Check the units of VPD, precipitation and wind by the median over the sites of each product.

    Products with fewer than ``FEWEST_SITES`` judged sites are not judged: so few may all be humid, dry or windy.

    Raises
    ------
    ValueError
        When a median over sites cannot be right.
    """
    products: dict[str, list[SiteRecord]] = {}
    for record in records:
        products.setdefault(record.product, []).append(record)
    for product, members in products.items():
        for suffix in ("", "_reanalysis"):
            _check_product(product, members, suffix)


def _check_product(product: str, members: Sequence[SiteRecord], suffix: str) -> None:
    found = {
        "vpd": [_share_of_saturation(record, suffix) for record in members],
        "precipitation": [_mean(record, "precipitation", suffix) for record in members],
        "wind": [_mean(record, "wind", suffix) for record in members],
    }
    for name, given in found.items():
        values = [value for value in given if np.isfinite(value)]
        if len(values) < FEWEST_SITES:
            continue
        median = float(np.median(values))
        column = DRIVERS[name][2 if suffix else 0]
        about = f"{product}: {name} ({column}) of its {len(values)} sites"
        if name == "vpd" and median < MEDIAN_DRYNESS:
            raise ValueError(
                f"{about} has a median of {median:.2g} of the saturation pressure at their temperatures, but at least "
                f"{MEDIAN_DRYNESS:g} is expected; it looks like kPa: multiply the column by 10 to get hPa"
            )
        if name == "precipitation" and not MEDIAN_RAIN[0] <= median <= MEDIAN_RAIN[1]:
            guess = "m or m per month" if median < MEDIAN_RAIN[0] else "mm per month"
            raise ValueError(
                f"{about} has a median of {median:.2g} mm d-1, but {MEDIAN_RAIN[0]:g} to {MEDIAN_RAIN[1]:g} is "
                f"expected; it looks like {guess}: convert the column to mm d-1"
            )
        if name == "wind" and median > MEDIAN_WIND:
            raise ValueError(
                f"{about} has a median of {median:.2g} m s-1, but at most {MEDIAN_WIND:g} is expected; it looks like "
                "km h-1: divide the column by 3.6 to get m s-1"
            )


def _column(record: SiteRecord, name: str, suffix: str = "") -> NDArray[np.float64]:
    """Values of a driver, NaN where the record has none."""
    values = record.values.get(f"{name}{suffix}")
    return np.full(len(record.months), np.nan) if values is None else np.asarray(values, float)


def _enough(values: NDArray[np.float64]) -> bool:
    return int(np.isfinite(values).sum()) >= FEWEST_MONTHS


def _mean(record: SiteRecord, name: str, suffix: str) -> float:
    values = _column(record, name, suffix)
    return float(np.nanmean(values)) if _enough(values) else float("nan")


def _share_of_saturation(record: SiteRecord, suffix: str) -> float:
    """Sum of VPD over the sum of saturation pressure in the same months; NaN where they are too few."""
    vpd, temperature = _column(record, "vpd", suffix), _column(record, "air_temperature", suffix)
    both = np.isfinite(vpd) & np.isfinite(temperature)
    if both.sum() < FEWEST_MONTHS:
        return float("nan")
    return float(vpd[both].sum() / saturation_vapour_pressure(temperature[both]).sum())


Finding = tuple[str, str, str] | None
"""What the column does, what is expected, and what it looks like; None = nothing wrong."""


def _fault(finding: Finding, record: SiteRecord, name: str, suffix: str) -> str:
    """Sentence of a finding, or nothing."""
    if finding is None:
        return ""
    does, expected, remedy = finding
    column = DRIVERS[name][2 if suffix else 0]
    return f"{record.source}: site {record.site}: {name} ({column}) {does}, but {expected} is expected; {remedy}"


def _sunlight(record: SiteRecord, lat: float, suffix: str) -> Finding:
    shortwave = _column(record, "shortwave", suffix)
    top = daily_top_of_atmosphere(lat)[record.months % 12]
    lit = np.isfinite(shortwave) & (top > _DARK)
    if lit.sum() < FEWEST_MONTHS:
        return None
    share = float(shortwave[lit].sum() / top[lit].sum())
    if share >= LEAST_SUNLIGHT:
        return None
    return (
        f"averages {shortwave[lit].mean():.3g} W m-2, {share:.1%} of the sunlight above the atmosphere",
        f"at least {LEAST_SUNLIGHT:.0%}",
        "it looks like MJ m-2 d-1: multiply it by 11.574 to get W m-2",
    )


def _dryness(record: SiteRecord, lat: float, suffix: str) -> Finding:
    share = _share_of_saturation(record, suffix)
    if not share < LEAST_DRYNESS:
        return None
    return (
        f"averages {np.nanmean(_column(record, 'vpd', suffix)):.3g} hPa, {share:.2%} of the saturation pressure at its "
        "temperature",
        f"at least {LEAST_DRYNESS:.0%}",
        "it looks like kPa: multiply it by 10 to get hPa",
    )


def _rain(record: SiteRecord, lat: float, suffix: str) -> Finding:
    rain = _column(record, "precipitation", suffix)
    if not _enough(rain) or np.nanmax(rain) >= LEAST_WETTEST_MONTH:
        return None
    return (
        f"has {np.nanmax(rain):.3g} mm d-1 in its wettest month",
        f"at least {LEAST_WETTEST_MONTH:g}",
        "it looks like m per month, m d-1 or kg m-2 s-1: convert it to mm d-1",
    )


def _wind(record: SiteRecord, lat: float, suffix: str) -> Finding:
    mean = _mean(record, "wind", suffix)
    if not mean > LARGEST_WIND:
        return None
    unit = VARIABLES["wind"].unit
    return (
        f"averages {mean:.3g} {unit}",
        f"at most {LARGEST_WIND:g}",
        "it looks like km h-1: divide it by 3.6 to get m s-1",
    )


def _check_ratio(record: SiteRecord, name: str) -> None:
    """Compare the tower's own column with its reanalysis twin: one in another unit differs by a factor."""
    if name not in LARGEST_RATIO:
        return
    own, twin = _column(record, name), _column(record, name, "_reanalysis")
    both = np.isfinite(own) & np.isfinite(twin)
    if both.sum() < FEWEST_MONTHS:
        return
    means: Mapping[str, float] = {"own": float(own[both].mean()), "twin": float(twin[both].mean())}
    large, small = max(means.values()), min(means.values())
    if large <= LARGEST_RATIO[name] * max(small, 1e-12):
        return
    columns = DRIVERS[name]
    raise ValueError(
        f"{record.source}: site {record.site}: {name} averages {means['own']:.3g} in {columns[0]} and "
        f"{means['twin']:.3g} in {columns[2]}, but the two should agree within a factor of {LARGEST_RATIO[name]:g}; "
        f"one of them has another unit: convert both to {VARIABLES[name].unit}"
    )
