"""Where the land is: real coastlines on the run's grid, simple mountains, distance from the sea."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import shapely
from numpy.typing import NDArray

from dere.world.fields import EARTH_RADIUS_KM

Array = NDArray[np.float64]

MINIMUM_LAND = 0.55
"""Cells with a smaller share of land are left to the sea."""

# Centre (lat, lon), half axes (degrees along, across), bearing of the long axis (degrees from east), height (m).
_MOUNTAINS = (
    (33.0, 88.0, 14.0, 6.0, 0.0, 4300.0),  # Tibet, Himalaya
    (40.0, 72.0, 7.0, 4.0, 20.0, 2400.0),  # Tien Shan, Pamir
    (48.0, 95.0, 10.0, 5.0, -15.0, 1700.0),  # Altai, Mongolia
    (64.0, 140.0, 14.0, 7.0, 0.0, 900.0),  # East Siberia
    (33.0, 53.0, 9.0, 5.0, -20.0, 1500.0),  # Zagros, Iran
    (39.0, 38.0, 8.0, 3.0, 0.0, 1300.0),  # Anatolia, Caucasus
    (46.5, 10.0, 4.0, 1.8, 5.0, 1500.0),  # Alps
    (42.0, 0.0, 4.0, 2.5, 0.0, 700.0),  # Pyrenees, Meseta
    (62.0, 9.0, 7.0, 2.5, 60.0, 800.0),  # Scandes
    (8.0, 38.0, 6.0, 5.0, 60.0, 1900.0),  # Ethiopia
    (-2.0, 32.0, 9.0, 5.0, 80.0, 1200.0),  # East Africa
    (-25.0, 26.0, 10.0, 8.0, 0.0, 1150.0),  # South African plateau
    (32.0, -4.0, 7.0, 2.5, 25.0, 1000.0),  # Atlas
    (42.0, -109.0, 13.0, 7.0, -60.0, 1900.0),  # Rocky Mountains, Great Basin
    (56.0, -125.0, 12.0, 5.0, -50.0, 1100.0),  # Canadian Cordillera
    (63.0, -150.0, 8.0, 3.5, 0.0, 900.0),  # Alaska Range
    (24.0, -103.0, 8.0, 4.0, -60.0, 1700.0),  # Mexico
    (38.0, -80.0, 8.0, 2.5, 45.0, 500.0),  # Appalachians
    (-18.0, -68.5, 10.0, 4.0, -65.0, 3500.0),  # Central Andes
    (-35.0, -70.5, 10.0, 2.5, 88.0, 1600.0),  # Southern Andes
    (2.0, -76.0, 9.0, 3.0, 60.0, 1700.0),  # Northern Andes
    (-18.0, -47.0, 8.0, 6.0, 0.0, 600.0),  # Brazilian highlands
    (-30.0, 150.0, 9.0, 2.5, 80.0, 500.0),  # Great Dividing Range
    (-5.0, 141.0, 5.0, 2.5, -15.0, 1000.0),  # New Guinea
)


@dataclass(frozen=True)
class Grid:
    """A regular global grid; row 0 is the northernmost, column 0 starts at 180 W.

    Parameters
    ----------
    degrees
        Cell size; must divide 180.

    Raises
    ------
    ValueError
        When it does not.
    """

    degrees: float

    def __post_init__(self) -> None:
        """Check that the cells fill the globe."""
        if abs(180 / self.degrees - round(180 / self.degrees)) > 1e-9:
            raise ValueError(
                f"world.grid_degrees is {self.degrees:g}, expected a divisor of 180; take 6, 10 or 15 degrees"
            )

    @property
    def lat(self) -> Array:
        """(row,) cell centres, north to south."""
        return np.asarray(90 - self.degrees * (np.arange(round(180 / self.degrees)) + 0.5), dtype=np.float64)

    @property
    def lon(self) -> Array:
        """(column,) cell centres, west to east."""
        return np.asarray(-180 + self.degrees * (np.arange(round(360 / self.degrees)) + 0.5), dtype=np.float64)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.lat.size, self.lon.size

    def cell_of(self, lat: Array, lon: Array) -> NDArray[np.int64]:
        """Row-major index of the cell that covers each point."""
        rows, columns = self.shape
        row = np.clip(np.floor((90 - np.asarray(lat)) / self.degrees).astype(int), 0, rows - 1)
        column = np.floor((np.asarray(lon) + 180) / self.degrees).astype(int) % columns
        return row * columns + column


@dataclass(frozen=True)
class Land:
    """The land cells of a grid, all arrays (cell,).

    Parameters
    ----------
    grid
        The grid.
    cell
        Row-major index on the grid, ascending.
    lat, lon
        Centres in degrees.
    land_fraction
        Share of the cell's area that is land.
    area
        Area of the whole cell in m2.
    """

    grid: Grid
    cell: NDArray[np.int64]
    lat: Array
    lon: Array
    land_fraction: Array
    area: Array


@cache
def land_polygons() -> shapely.MultiPolygon:
    """The continents as polygons in degrees (see the provenance field of ``land.json``)."""
    text = resources.files("dere.world").joinpath("land.json").read_text()
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in json.loads(text)["coordinates"]]
    land = shapely.MultiPolygon(polygons)
    shapely.prepare(land)
    return land


def is_land(lat: Array, lon: Array) -> NDArray[np.bool_]:
    """Whether points, in degrees, lie on land."""
    lon = (np.asarray(lon) + 180) % 360 - 180
    return np.asarray(shapely.contains_xy(land_polygons(), lon, np.asarray(lat)))


def is_ice_sheet(lat: Array, lon: Array) -> NDArray[np.bool_]:
    """Antarctica and the Greenland ice sheet (a rough outline)."""
    greenland = (lat > 60) & (lon > -73) & (lon < -12) & (lat > 60 + np.clip((-lon - 55), 0, None))
    return (np.asarray(lat) < -60) | greenland


def find_land(grid: Grid) -> Land:
    """Cells with enough land, ice sheets left out.

    Areas are exact on the sphere: polygons are cut in (longitude, sine of latitude), an equal-area plane.
    """
    flat = shapely.transform(land_polygons(), lambda xy: np.column_stack([xy[:, 0], np.sin(np.deg2rad(xy[:, 1]))]))
    edge = np.sin(np.deg2rad(90 - grid.degrees * np.arange(grid.shape[0] + 1)))
    lat, lon = (v.ravel() for v in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    south, north = np.repeat(edge[1:], grid.shape[1]), np.repeat(edge[:-1], grid.shape[1])
    boxes = shapely.box(lon - grid.degrees / 2, south, lon + grid.degrees / 2, north)
    share = shapely.area(shapely.intersection(boxes, flat)) / (grid.degrees * (north - south))
    area = np.deg2rad(grid.degrees) * (north - south) * (EARTH_RADIUS_KM * 1e3) ** 2
    chosen = np.flatnonzero((share >= MINIMUM_LAND) & ~is_ice_sheet(lat, lon))
    return Land(grid, chosen, lat[chosen], lon[chosen], np.minimum(share[chosen], 1.0), area[chosen])


def elevation(lat: Array, lon: Array) -> Array:
    """Smooth height above the sea in m: a few elliptic mountain ranges on a low plain."""
    height = np.full(np.shape(lat), 120.0)
    for centre_lat, centre_lon, along, across, bearing, top in _MOUNTAINS:
        north = lat - centre_lat
        east = ((lon - centre_lon + 180) % 360 - 180) * np.cos(np.deg2rad(lat))
        turn = np.deg2rad(bearing)
        u, v = east * np.cos(turn) + north * np.sin(turn), -east * np.sin(turn) + north * np.cos(turn)
        height = height + top * np.exp(-((u / along) ** 2) - (v / across) ** 2)
    return height


def land_around(lat: Array, lon: Array) -> Array:
    """(point,) 0 far at sea to 1 deep inland: share of land within about 1200 km."""
    total = np.zeros(np.shape(lat))
    weight = 0.0
    for radius in (150, 400, 800, 1200):
        for bearing in np.arange(0, 360, 30):
            dlat = np.rad2deg(radius / EARTH_RADIUS_KM) * np.cos(np.deg2rad(bearing))
            dlon = np.rad2deg(radius / EARTH_RADIUS_KM) * np.sin(np.deg2rad(bearing)) / np.cos(np.deg2rad(lat))
            total += is_land(np.clip(lat + dlat, -89, 89), lon + dlon)
            weight += 1
    return total / weight


def fetch(lat: Array, lon: Array, direction: int, reach_km: float = 3000.0) -> Array:
    """(point,) 0 at the coast to 1 far inland, looking west (-1) or east (+1): land on the way of the wind."""
    lat = np.asarray(lat, dtype=float)
    steps = np.arange(100.0, reach_km, 150.0)
    weight = np.exp(-steps / 1200.0)
    total = np.zeros(np.shape(lat))
    for step, share in zip(steps, weight, strict=True):
        dlon = np.rad2deg(step / EARTH_RADIUS_KM) / np.cos(np.deg2rad(np.clip(lat, -80, 80)))
        total += share * is_land(lat, lon + direction * dlon)
    return total / weight.sum()
