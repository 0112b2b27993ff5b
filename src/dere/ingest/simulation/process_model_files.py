"""Variables of process-model NetCDF: found by pattern, opened lazily, read for some rows of the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.simulation.process_model_axes import Lattice, Steps, lattice_of, steps_of
from dere.netcdf_sizes import NotHeld, open_held
from dere.regular_file import require_regular

_LAT, _LON, _TIME = ("lat", "latitude", "y"), ("lon", "longitude", "x"), ("time", "t")
# some models write -99999 without saying so in an attribute; no quantity here comes near
_MISSING = -9000.0


def find_file(folder: Path, pattern: str, what: str, **parts: str) -> Path:
    """The one file of a pattern with its placeholders filled.

    Raises
    ------
    FileNotFoundError
        When there is none.
    ValueError
        When there are several, or the pattern has an unknown placeholder or leads out of the folder.
    """
    try:
        wanted = pattern.format(**parts)
    except (KeyError, IndexError, ValueError):
        raise ValueError(
            f"sources.simulation.netcdf: pattern '{pattern}' cannot be filled with {', '.join(parts)}; use these names "
            "in braces"
        ) from None
    if ".." in Path(wanted).parts or Path(wanted).is_absolute():
        raise ValueError(f"sources.simulation.netcdf: pattern '{wanted}' leads out of {folder}; give a path below it")
    found = sorted(path for path in Path(folder).rglob(wanted) if path.is_file())
    if not found:
        raise FileNotFoundError(
            f"{folder} holds no {wanted} ({what}); add the file, or correct the pattern and the name under "
            "sources.simulation.netcdf"
        )
    if len(found) > 1:
        raise ValueError(
            f"{folder} holds {len(found)} files {wanted} ({found[0].name}, {found[1].name}), but one is expected for "
            f"{what}; make the pattern narrower"
        )
    return found[0]


@dataclass(frozen=True)
class Quantity:
    """One variable of one file (or of one file per plant type), not in memory.

    Parameters
    ----------
    name
        File and variable, for messages.
    paths
        Files that were opened.
    arrays
        (time, lat, lon) or (plant_type, time, lat, lon) each; several are one per plant type.
    unit
        As the file writes it.
    steps, lattice
        Its axes.
    plant_types
        Names along the plant-type axis; empty = values of the whole cell.
    """

    name: str
    paths: tuple[Path, ...]
    arrays: tuple[xr.DataArray, ...]
    unit: str
    steps: Steps
    lattice: Lattice
    plant_types: tuple[str, ...]

    def rows(self, months: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64]) -> NDArray[np.float64]:
        """Values of cells, given by their places on the global grid.

        Parameters
        ----------
        months
            (time,) month numbers.
        row, column
            (cell,); rows may jump, all grid rows in between are read.

        Returns
        -------
        array
            (cell, time) or (cell, time, plant_type); NaN where the file has no value.
        """
        place = self.steps.find(months, self.name)
        first, last = int(place.min()), int(place.max())
        inside = np.isin(self.lattice.row, np.unique(row))
        lat = np.flatnonzero(inside)
        span = slice(int(lat.min()), int(lat.max()) + 1)
        y = _lookup(self.lattice.row[span], row, self.name, "latitude")
        x = _lookup(self.lattice.column, column, self.name, "longitude")
        parts = []
        for array in self.arrays:
            try:
                block = array.isel(time=slice(first, last + 1), lat=span).values.astype(np.float64)
            except (OSError, RuntimeError) as error:
                raise ValueError(
                    f"{self.name} cannot be read to its end ({error}); the file is damaged: make or download it again"
                ) from None
            block = np.where(block > _MISSING, block, np.nan)
            parts.append(np.moveaxis(block[..., place - first, :, :][..., y, x], -1, 0))
        values = parts[0] if len(parts) == 1 else np.stack(parts, axis=1)
        return np.moveaxis(values, 1, 2) if self.plant_types else values


def open_quantity(path: Path, variable: str, names: Sequence[str] = ()) -> Quantity:
    """Open a variable.

    Parameters
    ----------
    path
        NetCDF file.
    variable
        Its name there.
    names
        Names along a plant-type axis that has no labels of its own.

    Raises
    ------
    FileNotFoundError, ValueError
        When the file cannot be read, has no such variable, or its axes are not time, lat, lon and at most one more.
    """
    dataset = open_undecoded(path)
    what = f"{Path(path).name}: {variable}"
    if variable not in dataset:
        held = ", ".join(sorted(map(str, dataset.data_vars))[:12])
        raise ValueError(
            f"{Path(path).name} has no variable {variable} (it holds {held}); correct the name under "
            "sources.simulation.netcdf"
        )
    array = dataset[variable]
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{what} holds {array.dtype}, but numbers are needed; correct the name or export it again")
    axes = {}
    for role, words in (("time", _TIME), ("lat", _LAT), ("lon", _LON)):
        match = [dim for dim in array.dims if str(dim).lower() in words]
        if not match or match[0] not in dataset.variables:
            raise ValueError(
                f"{what} has dimensions {tuple(map(str, array.dims))}, but a {role} axis is needed; rename them"
            )
        axes[role] = match[0]
    rest = [dim for dim in array.dims if dim not in axes.values()]
    if len(rest) > 1:
        raise ValueError(
            f"{what} has dimensions {tuple(map(str, array.dims))}, but time, lat, lon and one of plant types are "
            "expected; select the others"
        )
    time = dataset[axes["time"]]
    bounds = dataset.get(str(time.attrs.get("bounds", "")))
    if bounds is not None and axes["time"] in bounds.dims:
        bounds = bounds.transpose(axes["time"], ...)
    steps = steps_of(time.values, time.attrs, None if bounds is None else bounds.values, what)
    lattice = lattice_of(dataset[axes["lat"]].values, dataset[axes["lon"]].values, what)
    types = labels_of(dataset, str(rest[0]), names, what) if rest else ()
    array = array.rename({axes[role]: role for role in axes}).transpose(*rest, "time", "lat", "lon")
    return Quantity(what, (Path(path),), (array,), str(array.attrs.get("units", "")), steps, lattice, types)


def join_plant_types(parts: dict[str, Quantity]) -> Quantity:
    """One quantity from a file per plant type.

    Raises
    ------
    ValueError
        When the files differ in unit, grid or months, or have plant types of their own.
    """
    first = next(iter(parts.values()))
    for part in parts.values():
        same = (
            part.unit == first.unit
            and np.array_equal(part.steps.numbers, first.steps.numbers)
            and np.array_equal(part.lattice.row, first.lattice.row)
            and np.array_equal(part.lattice.column, first.lattice.column)
        )
        if not same or part.plant_types:
            raise ValueError(
                f"{part.name} differs from {first.name} in unit, grid, months or plant types, but files of one "
                "quantity must be alike; export them in one go"
            )
    arrays = tuple(array for part in parts.values() for array in part.arrays)
    paths = tuple(path for part in parts.values() for path in part.paths)
    return Quantity(first.name, paths, arrays, first.unit, first.steps, first.lattice, tuple(parts))


def labels_of(dataset: xr.Dataset, dim: str, names: Sequence[str], what: str) -> tuple[str, ...]:
    """Names along a plant-type axis: given ones, text labels, or the attribute ``flag_meanings``.

    Raises
    ------
    ValueError
        When there are none, or not as many as the axis is long.
    """
    size = dataset.sizes[dim]
    found: list[str] = [str(name) for name in names]
    if not found and dim in dataset.variables:
        coordinate = dataset[dim]
        if coordinate.dtype.kind in "OUS":
            found = [(v.decode() if isinstance(v, bytes) else str(v)).strip() for v in coordinate.values]
        else:
            found = str(coordinate.attrs.get("flag_meanings", "")).split()
    if len(found) != size or len(set(found)) != size:
        raise ValueError(
            f"{what} has {size} plant types along {dim} and {len(set(found))} names, but one name each is needed; list "
            "them in order under sources.simulation.netcdf.plant_type_names"
        )
    return tuple(found)


def open_undecoded(path: Path) -> xr.Dataset:
    """Open a file without decoding times, whose calendars and units xarray does not all know.

    Raises
    ------
    FileNotFoundError, ValueError
        When the file is missing, truncated or not NetCDF.
    """
    path = Path(path)
    require_regular(path, "correct the names under sources.simulation.netcdf")
    try:
        return open_held(path, decode_times=False, cache=False)
    except NotHeld:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{path} ({path.stat().st_size} bytes) cannot be read as NetCDF ({' '.join(str(error).split())[:120]}); it "
            "is truncated or of another format: delete it and make or download it again"
        ) from None


def _lookup(axis: NDArray, wanted: NDArray, what: str, name: str) -> NDArray[np.int64]:
    """Position of each wanted place on a file's axis."""
    order = np.argsort(axis)
    place = order[np.searchsorted(axis, wanted, sorter=order).clip(max=len(axis) - 1)]
    if not np.array_equal(axis[place], wanted):
        raise ValueError(f"{what} does not reach all cells in {name}, but all files must share a grid; cut them alike")
    return place
