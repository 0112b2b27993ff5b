"""Where the towers stand: clustered where research money is, while virtual towers spread over all vegetated land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.climates import main_climates
from dere.world.climate import Climate
from dere.world.fields import EARTH_RADIUS_KM, distance_km
from dere.world.geography import Land, is_ice_sheet, is_land
from dere.world.landscape import Landscape

Array = NDArray[np.float64]

NEIGHBOUR_KM = 40.0
VIRTUAL_DISTANCE_KM = 60.0
"""Virtual towers keep at least this distance from every tower (a cluster reaches 50 km)."""

TOWERS, VIRTUAL = "XT", "XV"
"""Instead of a country: ISO 3166 leaves XA to XZ to users, so that no code of a network, which begins with a country,
is among them."""

# latitude and longitude limits, share of the towers: many in Europe and North America
_REGIONS = (
    (40.0, 62.0, -8.0, 30.0, 0.30),
    (33.0, 50.0, -95.0, -70.0, 0.16),
    (33.0, 58.0, -125.0, -100.0, 0.14),
    (22.0, 48.0, 105.0, 140.0, 0.09),
    (-38.0, -15.0, 115.0, 152.0, 0.09),
    (58.0, 70.0, 20.0, 170.0, 0.06),
    (54.0, 69.0, -160.0, -100.0, 0.05),
    (-32.0, 5.0, -72.0, -40.0, 0.06),
    (-28.0, 14.0, -12.0, 40.0, 0.05),
)


@dataclass(frozen=True)
class Sites:
    """Tower positions.

    Parameters
    ----------
    site
        Ids of ``TOWERS`` or ``VIRTUAL``, a hyphen and three characters.
    lat, lon
        (site,) degrees.
    """

    site: list[str]
    lat: Array
    lon: Array


def place_towers(land: Land, vegetated: Array, count: int, rng: np.random.Generator) -> Sites:
    """Place flux towers; about a third has a neighbour within 40 km, none shares its place.

    Parameters
    ----------
    land, vegetated
        Land cells and their (cell,) vegetated share.
    count
        Number of towers.
    rng
        Source of randomness.
    """
    extras = max(1, round(count * 0.2))
    lat, lon = _base_towers(land, vegetated, count - extras, rng)
    hosts = rng.choice(count - extras, size=max(1, round(extras * 0.75)), replace=False)
    for index in range(extras):
        host = int(hosts[index % len(hosts)])
        for _ in range(200):
            near_lat, near_lon = _offset(lat[host], lon[host], rng.uniform(4, NEIGHBOUR_KM - 5), rng.uniform(0, 360))
            if _usable(land, vegetated, near_lat, near_lon):
                break
        else:
            near_lat, near_lon = lat[host], lon[host] + 0.05
        lat.append(near_lat)
        lon.append(near_lon)
    names = _tower_names(count, rng)
    order = np.argsort(names)
    return Sites([names[i] for i in order], np.round(np.array(lat)[order], 4), np.round(np.array(lon)[order], 4))


def place_virtual(land: Land, vegetated: Array, towers: Sites, count: int, rng: np.random.Generator) -> Sites:
    """Spread virtual towers evenly over vegetated land, at least 60 km from every tower.

    Raises
    ------
    ValueError
        When no such place is found.
    """
    weight = land.area * land.land_fraction * np.clip(vegetated - 0.1, 0, None)
    weight = weight / weight.sum()
    half = land.grid.degrees / 2
    lat: list[float] = []
    lon: list[float] = []
    for _ in range(200):
        if len(lat) >= count:
            break
        cell = rng.choice(land.cell.size, size=max(count, 50), p=weight)
        south, north = np.sin(np.deg2rad(land.lat[cell] - half)), np.sin(np.deg2rad(land.lat[cell] + half))
        new_lat = np.rad2deg(np.arcsin(rng.uniform(south, north)))
        new_lon = land.lon[cell] + rng.uniform(-half, half, cell.size)
        far = distance_km(new_lat, new_lon, towers.lat, towers.lon).min(axis=1) > VIRTUAL_DISTANCE_KM
        keep = far & is_land(new_lat, new_lon) & ~is_ice_sheet(new_lat, new_lon)
        lat += list(new_lat[keep])
        lon += list(new_lon[keep])
    if len(lat) < count:
        raise ValueError(
            f"world.virtual_towers is {count}, but only {len(lat)} places lie {VIRTUAL_DISTANCE_KM:g} km from every "
            "tower; ask for fewer"
        )
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    names = [f"{VIRTUAL}-{digits[i // 1296]}{digits[i // 36 % 36]}{digits[i % 36]}" for i in range(count)]
    return Sites(names, np.round(lat[:count], 4), np.round(lon[:count], 4))


def igbp_class(footprint: Landscape, climate: Climate) -> list[str]:
    """IGBP class of each footprint from its plant fractions, leaf habit and climate."""
    layers = footprint.layers / footprint.layers[:, :10].sum(axis=1, keepdims=True)
    broadleaf, needleleaf = layers[:, 0:2].sum(axis=1), layers[:, 2:4].sum(axis=1)
    trees, shrubs, crops = broadleaf + needleleaf, layers[:, 4:8].sum(axis=1), layers[:, 9]
    warm = climate.monthly["air_temperature"].mean(axis=1) > 14
    bare = footprint.layers[:, 10]
    names = []
    for i in range(len(trees)):
        if footprint.wetland[i] > 0.5:
            names.append("WET")
        elif trees[i] > (0.6 if warm[i] else 0.35):
            if min(broadleaf[i], needleleaf[i]) > 0.3 * trees[i]:
                names.append("MF")
            elif needleleaf[i] > broadleaf[i]:
                names.append("DNF" if layers[i, 2] > layers[i, 3] else "ENF")
            else:
                names.append("DBF" if layers[i, 0] > layers[i, 1] else "EBF")
        elif crops[i] > 0.4:
            names.append("CRO")
        elif warm[i] and trees[i] > 0.3:
            names.append("WSA")
        elif warm[i] and trees[i] > 0.1:
            names.append("SAV")
        elif shrubs[i] > 0.45:
            names.append("CSH" if bare[i] < 0.04 and not warm[i] else "OSH")
        elif crops[i] > 0.3:
            names.append("CVM")
        else:
            names.append("GRA")
    return names


def koppen_class(climate: Climate) -> list[str]:
    """Climate class after Köppen (main rules) from the mean seasonal cycle."""
    normals = climate.climatology
    temperature, rain = normals["air_temperature"], normals["precipitation"] * 30.4
    names = []
    for main, t, p, lat in zip(
        main_climates(temperature, rain, climate.lat), temperature, rain, climate.lat, strict=True
    ):
        summer = np.zeros(12, bool)
        summer[3:9] = True
        summer = summer if lat >= 0 else ~summer
        share = p[summer].sum() / p.sum()
        dry_limit = 20 * t.mean() + (280 if share > 0.7 else 0 if share < 0.3 else 140)
        if main == "E":
            names.append("ET" if t.max() > 0 else "EF")
        elif main == "B":
            names.append(("BW" if p.sum() < dry_limit / 2 else "BS") + ("h" if t.mean() >= 18 else "k"))
        elif main == "A":
            names.append("Af" if p.min() >= 60 else "Am" if p.min() >= 100 - p.sum() / 25 else "Aw")
        else:
            dry_summer = p[summer].min() < min(40.0, p[~summer].max() / 3)
            dry_winter = p[~summer].min() < p[summer].max() / 10
            season = "s" if dry_summer and share < 0.5 else "w" if dry_winter else "f"
            heat = "a" if t.max() >= 22 else "b" if (t > 10).sum() >= 4 else "d" if t.min() < -38 else "c"
            names.append(main + season + heat)
    return names


def _usable(land: Land, vegetated: Array, lat: float, lon: float) -> bool:
    cell = land.grid.cell_of(np.array([lat]), np.array([lon]))[0]
    at = np.searchsorted(land.cell, cell)
    known = at < land.cell.size and land.cell[at] == cell
    return bool(known and vegetated[at] > 0.25 and is_land(np.array([lat]), np.array([lon]))[0])


def _offset(lat: float, lon: float, km: float, bearing: float) -> tuple[float, float]:
    arc = np.rad2deg(km / EARTH_RADIUS_KM)
    north, east = arc * np.cos(np.deg2rad(bearing)), arc * np.sin(np.deg2rad(bearing))
    return lat + north, lon + east / np.cos(np.deg2rad(lat))


def _base_towers(land: Land, vegetated: Array, count: int, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Towers that stand more than 80 km apart, most of them in the regions with many."""
    lat: list[float] = []
    lon: list[float] = []
    shares = np.array([region[-1] for region in _REGIONS])
    for _ in range(20000):
        if len(lat) == count:
            break
        south, north, west, east, _share = _REGIONS[rng.choice(len(_REGIONS), p=shares / shares.sum())]
        new_lat = float(np.rad2deg(np.arcsin(rng.uniform(np.sin(np.deg2rad(south)), np.sin(np.deg2rad(north))))))
        new_lon = float(rng.uniform(west, east))
        if not _usable(land, vegetated, new_lat, new_lon):
            continue
        if lat and distance_km(np.array([new_lat]), np.array([new_lon]), np.array(lat), np.array(lon)).min() < 80:
            continue
        lat.append(new_lat)
        lon.append(new_lon)
    if len(lat) < count:
        raise ValueError(
            f"world.towers needs {count} places 80 km apart, but only {len(lat)} are on vegetated land; ask for fewer"
        )
    return lat, lon


def _tower_names(count: int, rng: np.random.Generator) -> list[str]:
    """Ids such as XT-Bel, each once.

    Raises
    ------
    ValueError
        When there are more towers than such ids.
    """
    ends = "bdfgklmnprstvz0123456789"
    every = [f"{TOWERS}-{first}{vowel}{end}" for first in "BDFGHKLMNPRSTVWZ" for vowel in "aeiou" for end in ends]
    if count > len(every):
        raise ValueError(f"world.towers is {count}, but there are only {len(every)} tower codes; ask for fewer")
    return [every[i] for i in rng.choice(len(every), size=count, replace=False)]
