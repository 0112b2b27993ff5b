"""Fields of drivers on a grid, from files of one's own: opened, and read block by block as cells.

A file is either the canonical set of a run (``drivers.nc`` and ``cover.nc``: cells with static attributes, final) or
plain fields over time, latitude and longitude with units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import slices
from dere.harmonise.axis import month_number
from dere.harmonise.field_axes import AXES, COVER, YEAR, degrees_of, require_axes, require_months
from dere.ingest.grid import cells_of_centres
from dere.ingest.igbp_classes import IGBP, igbp_code
from dere.ingest.months import mid_months
from dere.ingest.possible import only_possible
from dere.io import read_netcdf
from dere.variables import MONTHLY8, PLANT_TYPES, SATELLITE, VARIABLES, convert

FROM_RECORD = ("co2",)
"""Drivers that the global record gives where the fields lack them."""
NEEDED = tuple(name for name in MONTHLY8 if name not in FROM_RECORD)
NUMBERED = ("ENF", "EBF", "DNF", "DBF", "MF", "CSH", "OSH", "WSA", "SAV", "GRA", "WET", "CRO", "URB", "CVM", "SNO",
            "BSV", "WAT")  # fmt: skip
"""IGBP classes by their numbers from 1, as in land-cover maps."""
ROUNDED = 0.01
"""By which a share may lie beyond 0 or 1."""
UNITS = {"elevation": "m"}
"""Of what is no driver and no share."""
NO_NUMBER = (0, 255, -9999)
"""How maps of numbers write the same as `NO_CLASS`."""
NO_CLASS = ("", "nan", "none", "other", "unknown")
"""How fields write that a cell has no class, which then follows from climate and plant types."""


@dataclass(frozen=True)
class Fields:
    """Fields of cells, read when a block is asked for.

    Parameters
    ----------
    data
        As in the files: over (time, lat, lon), or over cells; lazy.
    source
        Names of the files, for messages.
    degrees
        Cell size.
    """

    data: xr.Dataset
    source: str
    degrees: float

    @property
    def canonical(self) -> bool:
        """Whether these are final cells of a run, which nothing has to be made of."""
        return "cell" in self.data.dims

    @cached_property
    def months(self) -> NDArray[np.int64]:
        """Month numbers (time,)."""
        return month_number(self.data["time"].values)

    def blocks(self, size: int) -> list[slice]:
        """Rows of `block`: cells, or whole rows of the grid, of about ``size`` cells."""
        if self.canonical:
            return slices(self.data.sizes["cell"], size)
        return slices(self.data.sizes["lat"], max(1, size // self.data.sizes["lon"]))

    def block(self, rows: slice) -> xr.Dataset:
        """Cells of a block in memory, with ``lat``, ``lon``, ``land_fraction``, ``cell_area``, by their number.

        Of plain fields: canonical units, what is impossible is missing, and every cell of the rows is there.
        """
        if self.canonical:
            return self._read(cell=rows)
        part = self._read(lat=rows).stack(cell=("lat", "lon"))
        lat, lon = part["lat"].values.astype(float), part["lon"].values.astype(float)
        number, area = cells_of_centres(lat, (lon + 180.0) % 360.0 - 180.0, self.degrees, self.source)
        # files round their axes, maps do not
        row, column = np.divmod(number, round(360.0 / self.degrees))
        lat, lon = 90.0 - self.degrees * (row + 0.5), self.degrees * (column + 0.5) - 180.0
        cells = xr.Dataset(coords={"cell": number, "time": mid_months(int(self.months[0]), len(self.months))})
        for name in (*MONTHLY8, *SATELLITE):
            if name in part:
                written = part[name].transpose("cell", "time").values.astype(float)
                values = self._converted(part[name], written)
                kept, _ = only_possible(name, values, self.source, name, written=written)
                cells[name] = (("cell", "time"), kept.astype(np.float32))
        land = np.ones(len(number))
        if "land_fraction" in part:
            land = self._land(part["land_fraction"])
        places = {"lat": lat, "lon": lon, "land_fraction": land, "cell_area": area}
        if "elevation" in part:
            places["elevation"] = self._in_own_unit(part["elevation"])
        if "igbp" in part:
            places["igbp"] = _classes(part["igbp"].values, self.source)
        for name in [name for name in (*COVER, "age_weight") if name in part]:
            shares = part[name].drop_vars(["cell", "lat", "lon"]).transpose("cell", ...)
            cells[name] = shares.copy(data=self._in_own_unit(shares))
        if "plant_type" in cells.dims:
            cells = cells.sel(plant_type=list(PLANT_TYPES))
        return cells.assign_coords({name: ("cell", values) for name, values in places.items()})

    def _read(self, **rows: slice) -> xr.Dataset:
        try:
            return self.data.isel(rows).load()
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{self.source} cannot be read ({error}); a file is damaged: make or download it again"
            ) from None

    def _land(self, variable: xr.DataArray) -> NDArray[np.float64]:
        """Share of land (cell,), none where it is not stated."""
        land = np.nan_to_num(self._converted(variable, variable.values.astype(float)))
        beyond = (land < -ROUNDED) | (land > 1.0 + ROUNDED)
        if beyond.any():
            raise ValueError(
                f"{self.source}: land_fraction holds {float(land[beyond][0]):g}, but shares from 0 to 1 are expected; "
                "correct its units (%?) or values"
            )
        return np.clip(land, 0.0, 1.0)

    def _in_own_unit(self, variable: xr.DataArray) -> NDArray[np.float64]:
        """Values of what may state a unit: a share or metres where it does not."""
        values = variable.values.astype(float)
        return self._converted(variable, values) if "units" in variable.attrs else values

    def _converted(self, variable: xr.DataArray, values: NDArray[np.float64]) -> NDArray[np.float64]:
        name = str(variable.name)
        unit = VARIABLES[name].unit if name in VARIABLES else UNITS.get(name, "1")
        return convert(values, _unit(variable, self.source), unit, f"{self.source}: {name}")


def read_fields(paths: Sequence[Path]) -> Fields:
    """Open files of fields; nothing but their axes is read.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a file is none of fields, the files do not fit each other, months are missing, or a driver, a unit or the
        cover is not stated; one sentence.
    """
    source = ", ".join(path.name for path in paths)
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist, but a file of fields is expected; correct the path")
    parts = [read_netcdf(path, load=False) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if not ("cell" in part.dims or {"lat", "lon"} <= set(part.dims)):
            raise ValueError(
                f"{path} has the dimensions {', '.join(map(str, part.sizes))}, but fields over time, lat and lon, or "
                "drivers.nc and cover.nc of a run are expected; rename its dimensions"
            )
    try:
        data = xr.merge([part.drop_vars("time_bnds", errors="ignore") for part in parts],
                        join="exact", compat="no_conflicts", combine_attrs="drop_conflicts")  # fmt: skip
    except (ValueError, xr.MergeError):
        raise ValueError(
            f"{source}: the files have other cells, months or values of one variable, but they are read as one set; "
            "give files of the same grid and months"
        ) from None
    require_months(data, source)
    if "cell" in data.dims:
        return Fields(data, source, _require_canonical(data, source))
    missing = [name for name in NEEDED if name not in data]
    if missing:
        raise ValueError(
            f"{source} lacks {missing[0]}, but {', '.join(NEEDED)} are needed of every cell; add the variable"
        )
    for name in [name for name in AXES if name in data]:
        require_axes(data[name], source)
    if "plant_fraction" in data or "vegetated_fraction" in data:
        _require_cover(data, source)
    for name in (*MONTHLY8, *SATELLITE, "land_fraction"):
        if name in data:
            _unit(data[name], source)
    return Fields(data, source, degrees_of(data, source))


def _unit(variable: xr.DataArray, source: str) -> str:
    """Unit that a variable states."""
    found = str(variable.attrs.get("units", ""))
    if not found:
        own = VARIABLES[str(variable.name)].unit if variable.name in VARIABLES else "1"
        raise ValueError(f"{source}: {variable.name} states no units; write the attribute, for example '{own}'")
    return found


def _classes(values: NDArray, source: str) -> NDArray[np.object_]:
    """IGBP codes of names, codes or numbers from 1 to 17; empty where there is none."""
    if values.dtype.kind in "fiu":
        number = np.nan_to_num(values).astype(int)
        inside = (number > 0) & (number <= len(NUMBERED))
        odd = number[~inside & ~np.isin(number, NO_NUMBER)]
        if odd.size:
            raise ValueError(
                f"{source}: igbp holds {int(odd[0])}, but numbers from 1 (ENF) to {len(NUMBERED)} (WAT) or codes are "
                "expected; write them, and 0 or 255 where there is no class"
            )
        return np.array(["", *NUMBERED], object)[np.where(inside, number, 0)]
    known = {str(text): igbp_code(text) or "" for text in np.unique(values.astype(str))}
    unknown = [text for text, code in known.items() if text.strip().lower() not in NO_CLASS and code not in IGBP]
    if unknown:
        raise ValueError(f"{source}: igbp holds '{unknown[0]:.30}', which is no IGBP class; write a code such as DBF")
    return np.array([known[text] for text in values.astype(str)], object)


def _require_canonical(data: xr.Dataset, source: str) -> float:
    """Cell size of final cells."""
    needed = ("static", "lat", "lon", "land_fraction", "cell_area", *COVER, "age_weight")
    missing = [name for name in needed if name not in data.variables]
    if missing:
        raise ValueError(
            f"{source} has cells without {missing[0]}, but those of a run are expected: drivers.nc and cover.nc of its "
            "folder data; give --grid for both"
        )
    months = month_number(data["time"].values)
    if months[0] % YEAR or len(months) % YEAR:
        raise ValueError(
            f"{source}: its cells are final and begin in {np.datetime64(data['time'].values[0], 'M')} with "
            f"{len(months)} months, but whole calendar years are expected, as those of a run; cut them at a January"
        )
    if not (degrees := float(data.attrs.get("grid_degrees", 0.0))):
        raise ValueError(
            f"{source}: its cells lie on no grid (grid_degrees is 0), so that there is no map; give fields over "
            "latitude and longitude"
        )
    return degrees


def _require_cover(data: xr.Dataset, source: str) -> None:
    for name in COVER:
        if name not in data:
            raise ValueError(f"{source} has a cover without {name}, but {' and '.join(COVER)} go together; add it")
    types = [str(name) for name in data["plant_type"].values] if "plant_type" in data.coords else []
    if sorted(types) != sorted(PLANT_TYPES):
        raise ValueError(
            f"{source}: plant_fraction has the plant types {', '.join(types) or 'without names'}, but a coordinate "
            f"plant_type with {', '.join(PLANT_TYPES)} is expected; write it"
        )
