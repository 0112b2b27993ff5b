"""Monthly methane of wetland cells from the daily global fields of X-MethaneWet."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import slices
from dere.ingest.grid import cell_coordinates
from dere.ingest.months import time_coordinates
from dere.ingest.possible import Sieve
from dere.ingest.provenance import provenance_of
from dere.ingest.simulation.mask_orientation import check_upright
from dere.ingest.simulation.xmethanewet import PATTERN, PRODUCT
from dere.ingest.simulation.xmethanewet.axes import places_of
from dere.ingest.simulation.xmethanewet.units import to_carbon
from dere.io import read_netcdf
from dere.variables import VARIABLES

log = logging.getLogger(__name__)

VARIABLE = "CH4_emission"
YEAR = 12
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days that each month's row holds; what comes after them is padding, and 29 February is left out, as published."""
PADDED = 31
_ROWS = 30


def read(folder: Path) -> tuple[xr.Dataset, pd.DataFrame]:
    """Read simulated methane of all wetland cells.

    Parameters
    ----------
    folder
        Holds ``CH4_emission_intensity_<year>.nc``, directly or in folders below.

    Returns
    -------
    tuple
        ``ch4`` (cell, time) gC m-2 d-1, monthly means of daily values, NaN where a day is missing; with ``lat`` and
        ``lon`` of the cell centres and attribute ``grid_degrees``. Cells without any value but zero are no wetland.
        And the table of the files.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When a year is missing or there twice, or a file has another shape, other places or another unit.
    """
    files = files_of(Path(folder))
    sieve, monthly = Sieve(), []
    first = None
    for path in files.values():
        with read_netcdf(path, load=False) as dataset:
            if VARIABLE not in dataset:
                names = ", ".join(map(str, dataset.data_vars)) or "nothing"
                raise ValueError(f"{path} holds {names}, but {VARIABLE} is expected; use the published file")
            places = places_of(dataset[VARIABLE], path)
            if first is None:
                first = places
            elif not places.same(first):
                raise ValueError(
                    f"{path} has other latitudes or longitudes than {next(iter(files.values())).name}, but all years "
                    "share one grid; use files of one version"
                )
            # a map of the globe from the north-west, so that rows and columns may run either way
            globe = np.full((YEAR, *places.shape), np.nan, np.float32)
            for rows, values in _months(dataset[VARIABLE], path, sieve):
                globe[:, places.row[rows, None], places.column] = values
            monthly.append(globe)
    sieve.report()
    assert first is not None
    found = np.concatenate(monthly)
    wetland = (np.isfinite(found) & (found != 0)).any(0)
    if not wetland.any():
        raise ValueError(f"{folder}: {VARIABLE} is zero or missing everywhere; download the files again")
    check_upright(wetland, first.degrees, f"{folder}: {VARIABLE}")
    coords = cell_coordinates(wetland, first.degrees, None)
    numbers = list(files)
    log.info("%d wetland cells, %d to %d", int(wetland.sum()), numbers[0], numbers[-1])
    data = {"ch4": (("cell", "time"), np.ascontiguousarray(found[:, wetland].T), VARIABLES["ch4"].attrs)}
    kept = {name: coords[name] for name in ("cell", "lat", "lon")}
    dataset = xr.Dataset(data, {**kept, **time_coordinates(numbers[0] * YEAR, len(found))})
    counts = {path.name: int(wetland.sum()) for path in files.values()}
    return dataset.assign_attrs(grid_degrees=first.degrees), provenance_of({PRODUCT: list(files.values())}, counts)


def files_of(folder: Path) -> dict[int, Path]:
    """Files by year, without a gap.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read`.
    """
    files: dict[int, Path] = {}
    for path in sorted(folder.rglob("*.nc")):
        if match := re.fullmatch(PATTERN, path.name):
            year = int(match[1])
            if year in files:
                raise ValueError(f"{folder} holds {path.name} twice ({files[year]}, {path}); keep one of them")
            files[year] = path
    if not files:
        raise FileNotFoundError(
            f"{folder} holds no CH4_emission_intensity_<year>.nc; name the folder of X-MethaneWet in "
            "sources.methane.path"
        )
    ordered = dict(sorted(files.items()))
    missing = sorted(set(range(min(files), max(files) + 1)) - set(files))
    if missing:
        raise ValueError(
            f"{folder} holds years {min(files)} to {max(files)}, but {missing[0]} is missing; add its file, or take "
            "the years on one side of it away"
        )
    return ordered


def _months(variable: xr.DataArray, path: Path, sieve: Sieve) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Slices of rows, and their monthly means (month, row, column), gC m-2 d-1."""
    where, unit = f"{path.name}: {VARIABLE}", str(variable.attrs.get("units", ""))
    for rows in slices(variable.shape[0], _ROWS):
        try:
            written = variable.isel({variable.dims[0]: rows}).values.astype(np.float32)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{where} cannot be read to its end ({error}); the file is damaged: download it again"
            ) from None
        yield rows, _means(written, unit, where, sieve)


def _means(written: NDArray[np.float32], unit: str, where: str, sieve: Sieve) -> NDArray[np.float32]:
    """Monthly means (month, row, column) of daily values (row, column, month, day)."""
    parts: list[NDArray[np.float32]] = []
    for month, days in enumerate(_within(written)):
        converted = to_carbon(days, unit, where)
        kept = sieve.keep("ch4", converted, where, step="day", written=days)
        parts.append(kept.mean(-1).astype(np.float32))
        assert kept.shape[-1] == DAYS[month]
    return np.stack(parts)


def _within(written: NDArray[np.float32]) -> Sequence[NDArray[np.float32]]:
    """Daily values of each month without padding."""
    return [written[:, :, month, :days] for month, days in enumerate(DAYS)]
