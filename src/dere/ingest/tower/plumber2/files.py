"""What one NetCDF file of PLUMBER2 holds: columns by name, their times, and the place of the tower.

Dimensions are time and one place (y, x, in older files also z). Times are seconds since the record's beginning in local
standard time and stand for the beginning of a step; missing values are -9999. A variable ``{name}_qc`` is 0 where the
value was measured and larger where it was filled.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.source import Column
from dere.io import read_netcdf

# as FluxnetLSM writes units, and as this package does
_UNITS = {
    "W/m2": "W m-2", "kg/m2/s": "kg m-2 s-1", "umol/m2/s": "umolCO2 m-2 s-1", "m/s": "m s-1", "umolCO2/mol": "ppm",
}  # fmt: skip
_QUALITY = "_qc"
_PLACE = ("latitude", "longitude", "IGBP_veg_short", "time")
_MINUTE = np.timedelta64(1, "m")


class Content(NamedTuple):
    """A file: its table by name with the start of each step as index, the columns found, and the tower's place."""

    table: pd.DataFrame
    columns: tuple[Column, ...]
    lat: float
    lon: float
    igbp: str


def read_content(path: Path, wanted: Sequence[Column]) -> Content:
    """Read the wanted columns of a file and their quality.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no NetCDF, damaged, has no such column, no times, or several places.
    """
    try:
        # times that cannot be decoded are an error of xarray's own
        with read_netcdf(path, load=False) as dataset:
            loaded = dataset[[name for name in _names(wanted) if name in dataset.variables]].load()
    except FileNotFoundError:
        raise
    except (OSError, RuntimeError, OverflowError, ValueError) as error:
        raise ValueError(
            f"{path} cannot be read as NetCDF of PLUMBER2 ({_first_words(error)}); it is damaged or of another format: "
            "download it again"
        ) from None
    return parse_content(loaded, wanted, path.name)


def _names(wanted: Iterable[Column]) -> list[str]:
    """Variables of a file that are needed."""
    names = [column.name for column in wanted]
    return [*names, *(f"{name}{_QUALITY}" for name in names), *_PLACE]


def parse_content(dataset: xr.Dataset, wanted: Sequence[Column], source: str) -> Content:
    """Take the wanted columns of an open file; see :func:`read_content`."""
    columns = tuple(
        replace(column, unit=_unit(dataset[column.name], column.unit)) for column in wanted if column.name in dataset
    )
    if not columns:
        raise ValueError(
            f"{source} has none of the variables {', '.join(column.name for column in wanted)} among "
            f"{', '.join(map(str, dataset.data_vars)) or 'none'}; take the file as PLUMBER2 publishes it"
        )
    index = _times(dataset, source)
    names = [column.name for column in columns]
    names += [f"{name}{_QUALITY}" for name in names if f"{name}{_QUALITY}" in dataset]
    table = pd.DataFrame({name: _series(dataset[name], len(index), source) for name in names}, index=index)
    lat, lon = (_number(dataset, name) for name in ("latitude", "longitude"))
    return Content(table, columns, lat, lon, _class(dataset))


def _unit(variable: xr.DataArray, otherwise: str) -> str:
    """Unit that a variable states, in this package's words."""
    stated = str(variable.attrs.get("units", otherwise)).strip()
    return _UNITS.get(stated, stated)


def _times(dataset: xr.Dataset, source: str) -> pd.DatetimeIndex:
    """Beginnings of the steps, to the minute."""
    if "time" not in dataset.variables or dataset["time"].dtype.kind != "M" or dataset["time"].ndim != 1:
        unit = dataset["time"].attrs.get("units", "") if "time" in dataset.variables else ""
        raise ValueError(
            f"{source}: time has the unit '{unit}', but seconds since a date in the standard calendar are expected; "
            "take the file as PLUMBER2 publishes it"
        )
    times = pd.DatetimeIndex(dataset["time"].values).round("min")
    if times.hasnans:
        raise ValueError(
            f"{source}: {int(np.isnat(times.values).sum())} times are missing; the file is damaged: download it again"
        )
    return times


def _series(variable: xr.DataArray, length: int, source: str) -> NDArray[np.float64]:
    """Values along time of the one place."""
    if "time" not in variable.dims or variable.size != length or variable.dtype.kind not in "fiu":
        raise ValueError(
            f"{source}: {variable.name} has the dimensions {dict(variable.sizes)} of {variable.dtype}, but numbers "
            f"along {length} times at one place are needed; take a file per site"
        )
    return np.asarray(variable.values, dtype=float).reshape(length)


def _number(dataset: xr.Dataset, name: str) -> float:
    """Scalar variable; NaN where the file has none."""
    values = np.ravel(dataset[name].values) if name in dataset.variables else np.empty(0)
    return float(values[0]) if values.size == 1 and values.dtype.kind in "fiu" else float("nan")


def _class(dataset: xr.Dataset) -> str:
    """IGBP class, whose letters may be stored one by one; empty where the file has none."""
    if "IGBP_veg_short" not in dataset.variables:
        return ""
    letters = np.ravel(dataset["IGBP_veg_short"].values).tolist()
    return "".join(x.decode("latin-1") if isinstance(x, bytes) else str(x) for x in letters).strip("\0 ").upper()


def _first_words(error: Exception) -> str:
    return f"{' '.join(str(error).split()) or type(error).__name__:.120}"


def measured(table: pd.DataFrame, name: str) -> NDArray[np.float64] | None:
    """1 where a value was measured, 0 where it was filled or is missing, NaN unknown, (step,); None without a flag."""
    column = f"{name}{_QUALITY}"
    if column not in table:
        return None
    quality = table[column].to_numpy(dtype=float)
    return np.where(np.isfinite(quality), (quality == 0) & table[name].notna().to_numpy(), np.nan)


def minutes_per_step(times: pd.Index) -> int:
    """Most frequent distance of two times in minutes; 0 where there is none."""
    steps = np.diff(times.values) // _MINUTE
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()]) if len(values) else 0
