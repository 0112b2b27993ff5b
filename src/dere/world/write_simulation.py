"""The simulation in the CarbonGlobe layout: mask, compact index, 136 channels, per-age targets (docs/world.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.invented import WORLD
from dere.io import write_atomically, write_json, write_netcdf
from dere.variables import FLUX_UNIT, STANDS, TARGETS, VARIABLES, convert
from dere.world.climate import Climate
from dere.world.forcing import ZERO_CELSIUS
from dere.world.geography import Land
from dere.world.soil import SOIL_PROPERTIES

Array = NDArray[np.float64]

CHANNELS = 136
DISTURBANCE_RATE = 0.012
_FIRST_FLUX = TARGETS.index("gpp")

_README = """Simulation of the built-in world in the CarbonGlobe layout.

Source: invented world; nothing here is of the Earth.

mask2d.npy          bool (lat, lon); row 0 is the northernmost, column 0 starts at 180 W; cells in row-major order
glob_X_fea.npy      float32 (cell, year, 12, 136): 0 air temperature (K), 1 precipitation (mm month-1), 2-7 soil
                    temperature (K), 8-31 CO2 by hour (ppm), 32 disturbance rate (yr-1), 33 + 4 h + k with k = 0..3
                    specific humidity (kg kg-1), air temperature (K), shortwave (W m-2), wind (m s-1) of hour h,
                    129-135 soil (k_sat mm yr-1, theta_s, theta_r, L, n, m, depth mm). Hours are local solar time.
glob_Y{age}.npy     float32 (cell, year + 1, 12, 10): height, agb, soil_carbon, lai, gpp, npp, rh, nee, ra, reco of the
                    mixture; fluxes kgC m-2 yr-1. Year 0 precedes the drivers and repeats its December, the initial
                    state. glob_Y_{BL,NL,GS}{age}.npy: pure stands.
glob_F{age}.npy     float32 (cell, year + 1, 3): simulated fractions of BL, NL, GS in the mixture
monthly8.nc         the eight monthly drivers, land fraction, area and elevation of the cells
satellites.nc       LAI (m2 m-2) and EVI of the cells as satellites see them, NaN in dark winters and under clouds
meta.json           start_year, grid_degrees, ages
"""


def month_lengths(start_year: int, years: int) -> NDArray[np.int64]:
    """(time,) days of each calendar month."""
    edges = np.arange(f"{start_year:04d}-01", f"{start_year + years:04d}-02", dtype="datetime64[M]")
    return np.diff(edges.astype("datetime64[D]")).astype(int)


def month_axis(start_year: int, years: int) -> dict[str, xr.Variable]:
    """Coordinates ``time`` (middle of the month) and ``time_bnds``."""
    edges = np.arange(f"{start_year:04d}-01", f"{start_year + years:04d}-02", dtype="datetime64[M]")
    edges = edges.astype("datetime64[ns]")
    middle = edges[:-1] + (edges[1:] - edges[:-1]) // 2
    attrs = {"standard_name": "time", "bounds": "time_bnds"}
    encoding = {"units": f"days since {start_year:04d}-01-01", "calendar": "standard", "dtype": "float64"}
    return {
        "time": xr.Variable("time", middle, attrs, encoding),
        "time_bnds": xr.Variable(("time", "bnds"), np.stack([edges[:-1], edges[1:]], axis=1), None, encoding),
    }


def channels(climate: Climate, soil: dict[str, Array], start_year: int) -> NDArray[np.float32]:
    """(cell, year, 12, 136) drivers in the published order; the four diurnal quantities are interleaved by hour."""
    cells, months = climate.monthly["air_temperature"].shape
    out = np.empty((cells, months, CHANNELS), dtype=np.float32)
    out[..., 0] = climate.monthly["air_temperature"] + ZERO_CELSIUS
    out[..., 1] = climate.monthly["precipitation"] * month_lengths(start_year, months // 12)
    out[..., 2:8] = climate.soil_temperature + ZERO_CELSIUS
    out[..., 8:32] = climate.hourly["co2"]
    out[..., 32] = DISTURBANCE_RATE
    out[..., 33:129:4] = climate.hourly["specific_humidity"]
    out[..., 34:129:4] = climate.hourly["air_temperature"] + ZERO_CELSIUS
    out[..., 35:129:4] = climate.hourly["shortwave"]
    out[..., 36:129:4] = climate.hourly["wind"]
    for index, name in enumerate(SOIL_PROPERTIES):
        out[..., 129 + index] = soil[name][:, None]
    return out.reshape(cells, months // 12, 12, CHANNELS)


def target_years(state: NDArray[np.float32], initial: NDArray[np.float32]) -> NDArray[np.float32]:
    """(cell, year + 1, 12, target) in the unit of the files from (cell, time, target) and (cell, target)."""
    cells, months, targets = state.shape
    out = np.empty((cells, months // 12 + 1, 12, targets), dtype=np.float32)
    out[:, 0] = initial[:, None]
    out[:, 1:] = state.reshape(cells, months // 12, 12, targets)
    out[..., _FIRST_FLUX:] = convert(out[..., _FIRST_FLUX:], FLUX_UNIT, "kgC m-2 yr-1", "targets")
    return out


def monthly_dataset(climate: Climate, land: Land, start_year: int) -> xr.Dataset:
    """The eight monthly drivers (cell, time) with the geography of the cells."""
    months = climate.monthly["air_temperature"].shape[1]
    data = {
        name: (("cell", "time"), values.astype(np.float32), VARIABLES[name].attrs)
        for name, values in climate.monthly.items()
    }
    return xr.Dataset(
        {
            **data,
            "land_fraction": ("cell", land.land_fraction, {"long_name": "land share of the cell", "units": "1"}),
            "cell_area": ("cell", land.area, {"standard_name": "cell_area", "units": "m2"}),
            "elevation": ("cell", climate.elevation, {"standard_name": "surface_altitude", "units": "m"}),
        },
        coords={
            "cell": ("cell", land.cell, {"long_name": "row-major index on the grid, row 0 = north"}),
            "lat": ("cell", land.lat, {"standard_name": "latitude", "units": "degrees_north"}),
            "lon": ("cell", land.lon, {"standard_name": "longitude", "units": "degrees_east"}),
            **month_axis(start_year, months // 12),
        },
        attrs={"Conventions": "CF-1.8", "title": "Monthly drivers of the built-in world", "source": WORLD},
    )


def write_simulation(
    folder: Path,
    land: Land,
    climate: Climate,
    soil: dict[str, Array],
    simulation: xr.Dataset,
    ages: Sequence[int],
    start_year: int,
) -> int:
    """Write ``raw/simulation``; returns the number of files.

    Parameters
    ----------
    folder
        Target folder.
    land, climate, soil
        Of the land cells.
    simulation
        Result of the process model for all stands and ages.
    ages, start_year
        Of the run.
    """
    mask = np.zeros(land.grid.shape, dtype=bool)
    mask.ravel()[land.cell] = True
    _save(folder / "mask2d.npy", mask)
    _save(folder / "glob_X_fea.npy", channels(climate, soil, start_year))
    files = 6
    for a, age in enumerate(ages):
        for stand in STANDS:
            one = simulation.sel(stand=stand).isel(age=a)
            name = f"glob_Y{age:03d}.npy" if stand == "mixture" else f"glob_Y_{stand}{age:03d}.npy"
            _save(folder / name, target_years(one["state"].to_numpy(), one["initial_state"].to_numpy()))
        share = simulation["plant_fraction"].isel(age=a).to_numpy()
        first = simulation["initial_plant_fraction"].isel(age=a).to_numpy()[:, None]
        _save(folder / f"glob_F{age:03d}.npy", np.concatenate([first, share], axis=1).astype(np.float32))
        files += len(STANDS) + 1
    write_netcdf(monthly_dataset(climate, land, start_year), folder / "monthly8.nc")
    write_json({"start_year": start_year, "grid_degrees": land.grid.degrees, "ages": list(ages)}, folder / "meta.json")
    write_atomically(folder / "README.md", lambda tmp: tmp.write_text(_README))
    return files


def _save(path: Path, array: np.ndarray) -> None:
    write_atomically(path, lambda tmp: np.save(tmp, array, allow_pickle=False))
