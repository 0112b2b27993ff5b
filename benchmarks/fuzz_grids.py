"""What a NetCDF file holds, and how a variable of it is changed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Grid:
    """What a NetCDF file holds.

    Parameters
    ----------
    data
        Variables that are read, by pattern or name; empty = every variable with more than one axis.
    lat, lon, time, cell
        Its axes; '' = it has none of the kind.
    compared
        Other files of the set tell where its places are.
    """

    data: tuple[str, ...] = ()
    lat: str = "lat"
    lon: str = "lon"
    time: str = "time"
    cell: str = ""
    compared: bool = False

    def variables(self, dataset: xr.Dataset) -> list[str]:
        """Variables that are read and in the file."""
        axes = {self.lat, self.lon, self.time, self.cell, *dataset.dims}
        wide = [str(name) for name, found in dataset.variables.items() if found.ndim > 1 and found.dtype.kind in "fiu"]
        return [name for name in wide if (name in self.data if self.data else name not in axes)]


def changed(dataset: xr.Dataset, name: str, values: np.ndarray, **attrs: object) -> xr.Dataset:
    """The file with other values, and some other attributes, of a variable."""
    old = dataset[name]
    return dataset.assign({name: (old.dims, values, {**old.attrs, **attrs})})


def fill_of(dataset: xr.Dataset, name: str) -> float | None:
    """The missing value that a variable states."""
    attrs = dataset[name].attrs
    return attrs.get("_FillValue", attrs.get("missing_value"))
