"""Builders of small invented (synthetic) files as FluxnetLSM writes them for PLUMBER2."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np

SITE = "XX-Plu"
UMOL = 12.011e-6 * 86400
UNITS = {
    "Tair": "K", "Precip": "kg/m2/s", "SWdown": "W/m2", "LWdown": "W/m2", "VPD": "hPa", "Psurf": "Pa", "Wind": "m/s",
    "CO2air": "ppm", "Qair": "kg/kg", "NEE": "umol/m2/s", "GPP": "umol/m2/s", "GPP_DT": "umol/m2/s",
    "Resp": "umol/m2/s", "Qle": "W/m2",
}  # fmt: skip


def values(names: str, steps: int, per_day: int) -> dict[str, np.ndarray]:
    """Invented values by name, (step,): a season, a day, and fluxes that close."""
    day = np.arange(steps) / per_day
    light = np.maximum(0, np.sin(2 * np.pi * (day % 1 - 0.25))) * (1.2 - np.cos(2 * np.pi * day / 365))
    gpp, reco = 8 * light, np.full(steps, 2.0)
    found = {
        "Tair": 283 + 8 * light, "Precip": np.full(steps, 2 / 86400), "SWdown": 400 * light,
        "LWdown": np.full(steps, 310.0), "VPD": 2 + 5 * light, "Psurf": np.full(steps, 98_000.0),
        "Wind": np.full(steps, 3.0), "CO2air": np.full(steps, 390.0), "Qair": np.full(steps, 0.006),
        "NEE": reco - gpp, "GPP": gpp, "GPP_DT": gpp * 0.9, "Resp": reco, "Qle": 100 * light,
    }  # fmt: skip
    return {name: found[name] for name in names.split()}


MET = "Tair Precip SWdown LWdown VPD Psurf Wind CO2air Qair"
FLUX = "NEE GPP GPP_DT Resp Qle"


def write(
    folder: Path, kind: str, site: str = SITE, year: int = 2005, days: int = 59, per_day: int = 48, lat: float = -12.5,
    units: dict[str, str] | None = None, first_day: int = 0, dataset: str = "OzFlux", **given: np.ndarray,
) -> Path:  # fmt: skip
    """Write a Met or Flux file: dimensions (time, y, x), -9999 missing, quality 0 measured and 1 or 10 filled."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{site}_{year}-{year}_{dataset}_{kind}.nc"
    steps = days * per_day
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("x", 1), ("y", 1), ("time", None), ("nchar", 200)):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units, time.calendar = f"seconds since {year}-01-{1 + first_day:02d} 00:00:00", "standard"
        time[:] = np.arange(steps) * 86400.0 / per_day
        for name, column in (values(MET if kind.lower() == "met" else FLUX, steps, per_day) | given).items():
            stored = file.createVariable(name, "f4", ("time", "y", "x"), fill_value=-9999.0)
            stored.units = (UNITS | (units or {})).get(name, "-")
            stored[:, 0, 0] = np.where(np.isnan(column), -9999.0, column)
        for name, number in (("latitude", lat), ("longitude", 131.2), ("elevation", 41.0)):
            file.createVariable(name, "f8", ("y", "x"))[:] = number
        file.createVariable("IGBP_veg_short", "S1", ("nchar",))[:] = np.array(list("WSA".ljust(200)), dtype="S1")
    return path
