"""Synthetic process-model NetCDF in the manner of LPJ-GUESS and TRENDY; all values are invented from a seed.

Oddities on purpose: longitude 0..360, latitude south to north, calendars without leap days, stamps at the end of the
month with bounds, a fill value that no attribute names, cover per year, heterotrophic respiration for the whole cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from dere.config.process_models import NetcdfSimulation
from dere.config.simulation import SimulationSource

PLANT_TYPES = ("BNE", "TeBS", "C3G", "Bare")
FIRST, YEARS = 2000, 3
DEGREES = 30.0
LAT = np.arange(-75.0, 90.0, DEGREES)
LON = np.arange(15.0, 360.0, DEGREES)
# rows and columns (of LAT, LON) of the land, the last one a desert
LAND = ((3, 0), (3, 3), (4, 1), (4, 9), (3, 4))
DESERT = 4
WIDE = (*LAND, (4, 0), (4, 2), (4, 3), (4, 8), (2, 0), (2, 10), (2, 4))
"""Land enough for folds of its own."""


def config(**changes: object) -> SimulationSource:
    """Source of the samples."""
    options = {"plant_types": {"BNE": "NL", "TeBS": "BL", "C3G": "GS", "Bare": "none"}}
    options |= changes.pop("netcdf", {})  # type: ignore[assignment]
    return SimulationSource(
        format="netcdf", ages=changes.pop("ages", (100,)), netcdf=NetcdfSimulation(**options), **changes
    )


def quantities(seed: int = 0, land: Sequence[tuple[int, int]] = LAND) -> dict[str, np.ndarray]:
    """Values by TRENDY name: (time, plant_type, cell) or (time, cell), monthly from 2000; cover (year, type, cell)."""
    rng = np.random.default_rng(seed)
    months, types, cells = 12 * YEARS, len(PLANT_TYPES), len(land)
    wave = 1 + 0.8 * np.sin(2 * np.pi * np.arange(months) / 12)[:, None, None]
    cover = rng.dirichlet([2, 2, 2, 1], (YEARS, cells)).transpose(0, 2, 1)
    cover[:, :, DESERT] = np.array([0, 0, 0.01, 0.99])
    # the first cell has no broadleaf at all
    cover[:, 3, 0] += cover[:, 1, 0]
    cover[:, 1, 0] = 0
    gpp = rng.uniform(1e-8, 6e-8, (months, types, cells)) * wave
    gpp[:, 3] = 0.0
    carbon = np.array([6.0, 8.0, 0.6, 0.0])[:, None] * rng.uniform(0.8, 1.2, (months, types, cells))
    return {
        "gpp": gpp,
        "ra": 0.5 * gpp,
        "rh": rng.uniform(0.5e-8, 1e-8, (months, cells)),
        "lai": 3 * wave * np.array([1.0, 1.2, 0.6, 0.0])[:, None] * np.ones(cells),
        "cVeg": carbon,
        "cSoil": rng.uniform(5, 9, (months, cells)),
        "landCoverFrac": cover,
    }


UNITS = {
    "gpp": "kg m-2 s-1",
    "ra": "kg C m^-2 s^-1",
    "rh": "kgC/m2/s",
    "lai": "1",
    "cVeg": "kg m-2",
    "cSoil": "kg/m2",
    "landCoverFrac": "1",
}
DRIVERS = {
    "tmp": (283.0, "K"),
    "pre": (2.3e-5, "kg m-2 s-1"),
    "dswrf": (160.0, "W m-2"),
    "dlwrf": (310.0, "W/m2"),
    "pres": (98000.0, "Pa"),
    "spfh": (0.006, "kg/kg"),
    "ugrd": (3.0, "m/s"),
    "vgrd": (4.0, "m s-1"),
}


def days_of(calendar: str, years: int, first: int = FIRST) -> np.ndarray:
    """End of each month in days since the first of January of ``first``, without leap days."""
    lengths = [30] * 12 if calendar == "360_day" else [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return np.cumsum(np.tile(lengths, years)).astype(float)


def on_grid(values: np.ndarray, descending: bool = False, land: Sequence[tuple[int, int]] = LAND) -> np.ndarray:
    """Spread (..., cell) over (..., lat, lon); -99999 in the sea."""
    grid = np.full((*values.shape[:-1], len(LAT), len(LON)), -99999.0)
    for cell, (row, column) in enumerate(land):
        grid[..., row, column] = values[..., cell]
    return grid[..., ::-1, :] if descending else grid


def write_model(
    folder: Path,
    calendar: str = "noleap",
    descending: bool = False,
    seed: int = 0,
    land: Sequence[tuple[int, int]] = LAND,
) -> dict[str, np.ndarray]:
    """One file per variable, named as TRENDY does, and the drivers; returns the invented values."""
    folder.mkdir(parents=True, exist_ok=True)
    values = quantities(seed, land)
    ends = days_of(calendar, YEARS)
    starts = np.concatenate([[0.0], ends[:-1]])
    lat = LAT[::-1] if descending else LAT
    for name, array in values.items():
        annual = array.shape[0] == YEARS
        dims = ("time", "PFT", "lat", "lon") if array.ndim == 3 else ("time", "lat", "lon")
        stamps, begin = (ends[11::12], starts[::12]) if annual else (ends, starts)
        dataset = xr.Dataset(
            {
                name: (dims, on_grid(array, descending, land).astype(np.float32), {"units": UNITS[name]}),
                "time_bnds": (("time", "bnds"), np.stack([begin, stamps], 1)),
            },
            coords={
                "time": ("time", stamps, _time_attrs(calendar)),
                "lat": ("lat", lat, {"units": "degrees_north"}),
                "lon": ("lon", LON, {"units": "degrees_east"}),
            },
            attrs={"title": "synthetic"},
        )
        if array.ndim == 3:
            dataset = dataset.assign_coords(PFT=list(PLANT_TYPES))
        dataset.to_netcdf(folder / f"SYNTH_S3_{name}.nc")
    write_drivers(folder, calendar, land)
    return values


def _time_attrs(calendar: str) -> dict[str, str]:
    return {"units": f"days since {FIRST}-01-01", "calendar": calendar, "bounds": "time_bnds"}


def write_drivers(folder: Path, calendar: str = "noleap", land: Sequence[tuple[int, int]] = LAND) -> None:
    """Monthly drivers for the land, in the middle of the month, and a table of CO2."""
    ends = days_of(calendar, YEARS)
    for name, (level, unit) in DRIVERS.items():
        values = level * (1 + 0.01 * np.arange(12 * YEARS)[:, None] / 12 + 0.001 * np.arange(len(land)))
        xr.Dataset(
            {name: (("time", "lat", "lon"), on_grid(values, land=land).astype(np.float32), {"units": unit})},
            coords={"time": ("time", ends - 15, {"units": f"days since {FIRST}-01-01", "calendar": calendar}),
                    "lat": LAT, "lon": LON},
            attrs={"title": "synthetic"},
        ).to_netcdf(folder / f"synth.{name}.monthly.nc")  # fmt: skip
    rows = "".join(f"{FIRST + year} {369.0 + 2 * year}\n" for year in range(YEARS))
    (folder / "global_co2_ann.txt").write_text("# synthetic\n" + rows)
