"""Static attributes: one list and one function for sites and cells alike.

They condition every network and the tree models. Classes that the plant fractions cannot tell apart (evergreen and
deciduous broadleaf, crops, wetlands) are told apart here. Everything is computed from a member's own drivers and
cover, never from fluxes, and from the cover of its first year only (``first_year_cover``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.config.tower_groups import IGBP_GROUPS
from dere.harmonise.axis import month_number, monthly_climatology
from dere.knowledge.water import potential_evaporation

CLASS_ATTRIBUTES = (*(f"igbp_{group}" for group in IGBP_GROUPS), "igbp_other")
FLAGS = ("crop", "wetland", "c4")
CLIMATE = ("mean_temperature", "temperature_amplitude", "mean_precipitation", "aridity", "mean_shortwave")
PLACE = ("elevation", "soil_depth", "abs_latitude")
SATELLITE_MEANS = ("lai_mean", "lai_amplitude", "evi_mean", "evi_amplitude", "has_satellite")
COVER = ("fraction_BL", "fraction_NL", "fraction_GS", "mean_age")
ATTRIBUTES = (*CLASS_ATTRIBUTES, *FLAGS, *CLIMATE, *PLACE, *SATELLITE_MEANS, *COVER)
"""Names in order. ``aridity`` is ln((P + 0.05) / (PET + 0.05)), ``soil_depth`` in m, ``mean_age`` is ln(1 + years)."""

BINARY = (*CLASS_ATTRIBUTES, *FLAGS, "has_satellite", "fraction_BL", "fraction_NL", "fraction_GS")
"""Attributes between 0 and 1 that normalisation leaves as they are."""

DEFAULT_SOIL_DEPTH = 1.5
"""Metres, where no source gives one."""


def static_attributes(
    climate: xr.Dataset,
    igbp: Sequence[str],
    latitude: NDArray,
    plant_fraction: NDArray,
    mean_age: NDArray,
    elevation: NDArray | None = None,
    soil_depth: NDArray | None = None,
    satellites: bool = False,
) -> NDArray[np.float32]:
    """Attributes of members.

    Parameters
    ----------
    climate
        (member, time) with the member dimension first: ``air_temperature`` (degC), ``precipitation`` (mm d-1),
        ``shortwave`` (W m-2), where known ``pressure`` (kPa), ``lai_satellite``, ``evi_satellite``. NaN = missing.
    igbp
        Class of each member; unknown ones count as "other".
    latitude
        (member,) degrees north.
    plant_fraction
        (member, plant_type) of the first year of the maps (``first_year_cover``).
    mean_age
        (member,) years.
    elevation, soil_depth
        (member,) in m; NaN or None = from mean pressure, and ``DEFAULT_SOIL_DEPTH``.
    satellites
        Use the satellite columns; otherwise their attributes are 0 and ``has_satellite`` too.

    Returns
    -------
    array
        (member, attribute) in the order of ``ATTRIBUTES``, without NaN.

    Raises
    ------
    ValueError
        When an attribute cannot be computed; names it and the first member.
    """
    month = month_number(climate["time"].values) % 12
    temperature = monthly_climatology(climate["air_temperature"].values, month)
    rain = monthly_climatology(climate["precipitation"].values, month)
    shortwave = monthly_climatology(climate["shortwave"].values, month)
    groups = list(IGBP_GROUPS.values())
    index = [next((i for i, group in enumerate(groups) if name in group), len(groups)) for name in igbp]
    one_hot = np.eye(len(groups) + 1)[index]
    columns: dict[str, NDArray] = dict(zip(CLASS_ATTRIBUTES, one_hot.T, strict=True))
    columns["crop"] = columns["igbp_CRO"]
    columns["wetland"] = columns["igbp_WET"]
    columns["c4"] = c4_share(temperature, rain) * plant_fraction[:, 2]
    columns["mean_temperature"] = temperature.mean(1)
    columns["temperature_amplitude"] = np.ptp(temperature, axis=1)
    columns["mean_precipitation"] = rain.mean(1)
    evaporation = potential_evaporation(temperature, shortwave)
    columns["aridity"] = np.log((rain.mean(1) + 0.05) / (evaporation.mean(1) + 0.05))
    columns["mean_shortwave"] = shortwave.mean(1)
    columns["elevation"] = _elevation(climate, elevation)
    depth = np.full(len(igbp), np.nan) if soil_depth is None else np.asarray(soil_depth, float)
    columns["soil_depth"] = np.where(np.isfinite(depth), depth, DEFAULT_SOIL_DEPTH)
    columns["abs_latitude"] = np.abs(latitude)
    columns |= _satellite_columns(climate, month, satellites)
    columns |= {f"fraction_{name}": plant_fraction[:, i] for i, name in enumerate(("BL", "NL", "GS"))}
    columns["mean_age"] = np.log1p(mean_age)
    table = np.stack([columns[name] for name in ATTRIBUTES], -1).astype(np.float32)
    if np.isnan(table).any():
        member, attribute = np.argwhere(np.isnan(table))[0]
        name = climate[climate["air_temperature"].dims[0]].values[member]
        raise ValueError(
            f"static attribute '{ATTRIBUTES[attribute]}' of member {name} is NaN, a number is needed; its "
            "drivers or cover are missing: complete them or drop the member"
        )
    return table


def without_classes(static: NDArray[np.float32], groups: Sequence[str]) -> NDArray[np.float32]:
    """Attributes in which members of some groups are of class "other", also by the flags crop and wetland.

    Parameters
    ----------
    static
        (member, attribute) in the order of ``ATTRIBUTES``.
    groups
        Names of ``IGBP_GROUPS`` to hide.
    """
    hidden = [f"igbp_{name}" for name in groups]
    hidden += [flag for name, flag in (("CRO", "crop"), ("WET", "wetland")) if name in groups]
    columns = [ATTRIBUTES.index(name) for name in hidden]
    found = static.copy()
    other = ATTRIBUTES.index("igbp_other")
    found[:, other] = np.where(static[:, columns].any(1), 1.0, static[:, other])
    found[:, columns] = 0.0
    return found


def first_year_cover(cover: xr.Dataset) -> tuple[NDArray, NDArray]:
    """Cover that attributes and derived classes are made of: that of the first year.

    Not the mean over the years: the plant-type network starts from the observed fractions before its window and learns
    those of the following years, so an input that is made of them would tell it what it should learn.

    Parameters
    ----------
    cover
        ``plant_fraction(member, year, plant_type)`` and ``vegetated_fraction(member, year)`` in any order of the
        dimensions; years ascend.

    Returns
    -------
    plant_fraction, vegetated_fraction
        (member, plant_type) of the vegetated area and (member,) of the land.
    """
    first = cover[["plant_fraction", "vegetated_fraction"]].isel(year=0)
    return first["plant_fraction"].transpose(..., "plant_type").values, first["vegetated_fraction"].values


def c4_share(temperature: NDArray, rain: NDArray) -> NDArray[np.float64]:
    """Share of growing months (warmer than 5 degC) whose climate favours C4 grasses.

    Above 22 degC with at least 25 mm of rain in the month (Collatz, Berry & Clark 1998). Arguments are (member, 12).
    """
    growing = temperature > 5.0
    favourable = (temperature > 22.0) & (rain * 30.4 > 25.0)
    return favourable.sum(1) / np.maximum(growing.sum(1), 1)


def derived_igbp(climate: xr.Dataset, plant_fraction: NDArray, vegetated_fraction: NDArray) -> list[str]:
    """IGBP class of cells from cover and climate, with the tree-cover limits of the class definitions.

    Broadleaf forest is evergreen where the coldest month is above 15 degC; treeless dry land (P below 0.3 of potential
    evaporation) is open shrubland, the rest grassland; "other" below 10 % vegetation. Crops and wetlands need a map
    of their own and are not told apart.

    Parameters
    ----------
    climate
        As in ``static_attributes``.
    plant_fraction
        (member, plant_type) of the vegetated area, of the first year (``first_year_cover``).
    vegetated_fraction
        (member,) of the land, of the same year.
    """
    month = month_number(climate["time"].values) % 12
    temperature = monthly_climatology(climate["air_temperature"].values, month)
    rain = monthly_climatology(climate["precipitation"].values, month).mean(1)
    shortwave = monthly_climatology(climate["shortwave"].values, month)
    dryness = rain / np.maximum(potential_evaporation(temperature, shortwave).mean(1), 0.05)
    coldest, mean = temperature.min(1), temperature.mean(1)
    broad, needle = plant_fraction[:, 0], plant_fraction[:, 1]
    trees = broad + needle
    conditions = [
        vegetated_fraction < 0.1,
        (trees >= 0.6) & (needle >= 0.75 * trees),
        (trees >= 0.6) & (broad >= 0.75 * trees) & (coldest > 15.0),
        (trees >= 0.6) & (broad >= 0.75 * trees),
        trees >= 0.6,
        trees >= 0.3,
        (trees >= 0.1) & (mean > 15.0),
        dryness < 0.3,
    ]
    classes = ["other", "ENF", "EBF", "DBF", "MF", "WSA", "SAV", "OSH"]
    return [str(name) for name in np.select(conditions, classes, "GRA")]


def _elevation(climate: xr.Dataset, elevation: NDArray | None) -> NDArray[np.float64]:
    """Given elevation, else the one whose standard-atmosphere pressure is the mean pressure, else 0 (m)."""
    members = climate["air_temperature"].shape[0]
    known = np.full(members, np.nan) if elevation is None else np.asarray(elevation, float)
    if "pressure" in climate:
        pressure = np.nanmean(climate["pressure"].values, axis=1)
        known = np.where(np.isfinite(known), known, 44331.0 * (1.0 - (pressure / 101.325) ** 0.19026))
    return np.nan_to_num(known)


def standard_pressure(elevation: NDArray) -> NDArray[np.float64]:
    """Pressure (kPa) of the standard atmosphere at an elevation (m), as elevation follows from pressure here."""
    return 101.325 * (1.0 - np.asarray(elevation, float) / 44331.0) ** (1.0 / 0.19026)


def _satellite_columns(climate: xr.Dataset, month: NDArray, satellites: bool) -> dict[str, NDArray]:
    members = climate["air_temperature"].shape[0]
    has = np.zeros(members)
    columns = {}
    for short, name in (("lai", "lai_satellite"), ("evi", "evi_satellite")):
        if satellites and name in climate:
            cycle = monthly_climatology(climate[name].values, month)
            present = np.asarray(np.isfinite(cycle).all(1))
            has = np.maximum(has, present.astype(float))
            cycle = np.where(present[:, None], cycle, 0.0)
        else:
            cycle = np.zeros((members, 12))
        columns[f"{short}_mean"] = cycle.mean(1)
        columns[f"{short}_amplitude"] = np.ptp(cycle, axis=1)
    return {**columns, "has_satellite": has}
