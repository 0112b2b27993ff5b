"""Arrays of the store: what it must hold, in which shapes, and their values unpacked."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dere.ingest.tower.fluxnet_zarr import DRIVERS, FLUXES
from dere.ingest.tower.fluxnet_zarr.bounds import require_files, require_held

COLUMNS = (*FLUXES, *DRIVERS)
"""Arrays that are read."""
QUALITY = {f"{column.variable}_quality": f"{column.name}_qc" for column in (FLUXES[0], *DRIVERS)}
"""Name in a record to the array of its quality."""


class Store:
    """Arrays of a Zarr group by name, unpacked on reading.

    Parameters
    ----------
    path
        Folder of the store.

    Raises
    ------
    FileNotFoundError
        When the folder is missing.
    ValueError
        When it is no readable Zarr group, lacks an array, or has one of another shape.
    """

    def __init__(self, path: Path) -> None:
        import zarr  # here, because the other tower formats need not wait for it

        self.source = path.name
        if not path.is_dir():
            raise FileNotFoundError(f"{path} is no folder; correct sources.towers.paths or put the store there")
        require_files(path)
        try:
            with warnings.catch_warnings():
                # a warning about a folder that is no array; what is needed and missing is said below
                warnings.simplefilter("ignore")
                group = zarr.open_group(path, mode="r")
                self._arrays = {name: array for name, array in group.arrays()}
        except Exception as error:  # the errors of zarr are of many classes, its users' files are all one case
            raise ValueError(
                f"{path} cannot be read as a Zarr store ({_reason(error)}); it is incomplete: download it again"
            ) from None
        needed = ("site", "time", "latitude", "longitude", *(column.name for column in COLUMNS), *QUALITY.values())
        missing = [name for name in needed if name not in self._arrays]
        if missing:
            raise ValueError(
                f"{path} has no array {', '.join(missing)} among {', '.join(sorted(self._arrays)) or 'none'}; take the "
                "FLUXNET2015 store of EXCITED-CO2"
            )
        sites, times = (self._arrays[name].shape for name in ("site", "time"))
        for name in needed[2:]:
            expected = sites if name in ("latitude", "longitude") else (*sites, *times)
            if self._arrays[name].shape != expected:
                raise ValueError(
                    f"{self.source}: array {name} has shape {self._arrays[name].shape}, but {expected} (site, time) is "
                    "needed; download the store again"
                )
        for name in needed:
            require_held(self._arrays[name].shape, self._arrays[name].chunks, f"{self.source}: array {name}")

    def read(self, name: str, index: int | slice = slice(None)) -> NDArray:
        """Values of an array as stored.

        Raises
        ------
        ValueError
            When a chunk is damaged.
        """
        try:
            return np.asarray(self._arrays[name][index])
        except Exception as error:
            raise ValueError(
                f"{self.source}: array {name} cannot be read ({_reason(error)}); a chunk is damaged: "
                "download the store again"
            ) from None

    def unpacked(self, name: str, index: int | slice = slice(None)) -> NDArray[np.float64]:
        """Values of a packed array: stored times ``scale_factor`` plus ``add_offset``, NaN missing."""
        stored = self.read(name, index)
        array = self._arrays[name]
        attributes = dict(array.attrs)
        scale, offset = (
            float(str(attributes.get(key, start))) for key, start in (("scale_factor", 1), ("add_offset", 0))
        )
        values = stored * scale + offset
        return np.where(stored == array.fill_value, np.nan, values)

    def unit(self, name: str) -> str:
        """Attribute ``units`` of an array."""
        return str(dict(self._arrays[name].attrs).get("units", ""))

    def times(self) -> NDArray[np.datetime64]:
        """Time coordinate in UTC, datetime64[m].

        Raises
        ------
        ValueError
            When its unit is not minutes since an instant.
        """
        words = re.fullmatch(r"minutes since (\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2})(?::\d{2})?)?", self.unit("time"))
        if words is None:
            raise ValueError(
                f"{self.source}: time has unit '{self.unit('time')}', but minutes since an instant are expected; take "
                "the store as published"
            )
        start = np.datetime64(f"{words[1]}T{words[2] or '00:00'}", "m")
        return start + self.read("time").astype("timedelta64[m]")


def _reason(error: Exception) -> str:
    """First words of an error, on one line."""
    return f"{' '.join(str(error).split()) or type(error).__name__:.120}"
