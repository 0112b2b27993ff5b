"""The regular grid of a product: centres, bounds, areas, and placing of cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EARTH_RADIUS_M = 6_371_007.2
"""Radius of the sphere with the Earth's area (authalic)."""

# Upper bound of the mean cell diagonal (km) -> label, from the CMIP6 controlled vocabulary.
_RESOLUTIONS = (
    (0.72, "0.5 km"),
    (1.6, "1 km"),
    (3.6, "2.5 km"),
    (7.2, "5 km"),
    (16.0, "10 km"),
    (36.0, "25 km"),
    (72.0, "50 km"),
    (160.0, "100 km"),
    (360.0, "250 km"),
    (720.0, "500 km"),
    (1600.0, "1000 km"),
    (3600.0, "2500 km"),
    (7200.0, "5000 km"),
)


@dataclass(frozen=True)
class Grid:
    """A global regular grid with ascending latitudes and longitudes.

    Parameters
    ----------
    degrees
        Cell size; must divide 180.
    """

    degrees: float

    def __post_init__(self) -> None:
        rows = 180.0 / self.degrees
        if self.degrees <= 0 or abs(rows - round(rows)) > 1e-6:
            raise ValueError(
                f"grid_degrees is {self.degrees:g}, but a global grid needs a size that divides 180; use 6 or 0.5"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns)."""
        rows = round(180.0 / self.degrees)
        return rows, 2 * rows

    @property
    def lat_bounds(self) -> np.ndarray:
        """(row, 2), degrees north, ascending."""
        edges = np.linspace(-90.0, 90.0, self.shape[0] + 1)
        return np.stack([edges[:-1], edges[1:]], axis=1)

    @property
    def lon_bounds(self) -> np.ndarray:
        """(column, 2), degrees east, ascending from -180."""
        edges = np.linspace(-180.0, 180.0, self.shape[1] + 1)
        return np.stack([edges[:-1], edges[1:]], axis=1)

    @property
    def lat(self) -> np.ndarray:
        """(row,) centres."""
        return self.lat_bounds.mean(axis=1)

    @property
    def lon(self) -> np.ndarray:
        """(column,) centres."""
        return self.lon_bounds.mean(axis=1)

    @property
    def area(self) -> np.ndarray:
        """(row, column) full cell area in m2, from the sines of the latitude bounds."""
        height = np.diff(np.sin(np.deg2rad(self.lat_bounds)), axis=1)
        strip = EARTH_RADIUS_M**2 * np.deg2rad(self.degrees) * height
        return np.broadcast_to(strip, self.shape).copy()

    @property
    def nominal_resolution(self) -> str:
        """CMIP6 label of the area-weighted mean cell diagonal."""
        side = np.deg2rad(self.degrees) * EARTH_RADIUS_M / 1000.0
        width = side * np.cos(np.deg2rad(self.lat))
        diagonal = np.average(np.hypot(side, width), weights=self.area[:, 0])
        return next((label for bound, label in _RESOLUTIONS if diagonal < bound), "10000 km")

    def position(self, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of cells given by their centres.

        Raises
        ------
        ValueError
            When a point is no cell centre, or two cells share one.
        """
        longitude = (np.asarray(lon) + 180.0) % 360.0 - 180.0
        row = (np.asarray(lat) + 90.0) / self.degrees - 0.5
        column = (longitude + 180.0) / self.degrees - 0.5
        rows, columns = np.rint(row).astype(int), np.rint(column).astype(int)
        off = (np.abs(row - rows) > 0.01) | (np.abs(column - columns) > 0.01)
        if off.any():
            i = int(off.argmax())
            raise ValueError(
                f"cell at lat {lat[i]:g}, lon {lon[i]:g} is no centre of the {self.degrees:g} degree grid ({off.sum()} "
                "such cells); maps need a gridded run (simulation.provider: files)"
            )
        flat = rows * self.shape[1] + columns
        if np.unique(flat).size != flat.size:
            raise ValueError(
                f"{flat.size - np.unique(flat).size} cells share their place on the {self.degrees:g} degree grid; "
                "remove the duplicates from the drivers"
            )
        return rows, columns

    def place(self, values: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Spread (cell, ...) values to (..., row, column); places without a cell are NaN.

        Parameters
        ----------
        values
            (cell,) or (cell, time).
        lat, lon
            (cell,) centres in degrees.
        """
        rows, columns = self.position(lat, lon)
        out = np.full((*values.shape[1:], *self.shape), np.nan, dtype=values.dtype)
        out[..., rows, columns] = np.moveaxis(values, 0, -1)
        return out
