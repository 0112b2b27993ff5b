"""Invented interim data in the shapes that ingest publishes."""

import numpy as np
import xarray as xr

from dere.harmonise.interim import Cover
from dere.harmonise.stands import masked_stands, pure_samples
from dere.ingest.months import mid_months
from dere.physics import derive
from dere.variables import FREE_TARGETS, MONTHLY8, PLANT_TYPES, STANDS, TARGETS

AGES = (1, 20, 100)
FIRST = 2001 * 12
MEANS = {
    "air_temperature": (8.0, 12.0),
    "precipitation": (2.0, 0.5),
    "shortwave": (150.0, 90.0),
    "longwave": (310.0, 40.0),
    "vpd": (6.0, 4.0),
    "pressure": (98.0, 0.5),
    "wind": (3.0, 0.5),
    "co2": (380.0, 5.0),
}
IGBP = ("ENF", "DBF", "GRA", "CRO", "WET", "EBF", "MF", "OSH", "SAV", "ENF", "DBF", "GRA")


def make_towers(sites=12, years=4, first=FIRST, seed=0):
    """Complete records of whole years; towers lie 10 degrees apart."""
    rng = np.random.default_rng(seed)
    months = years * 12
    season = -np.cos(2 * np.pi * np.arange(months) / 12)
    data = {}
    for name in MONTHLY8:
        mean, swing = MEANS[name]
        values = mean + swing * season + 0.05 * swing * rng.normal(size=(sites, months))
        if name == "precipitation":
            values = np.abs(values)
        data[name] = (("site", "time"), values)
        data[f"{name}_reanalysis"] = (("site", "time"), values + (0.0 if name != "co2" else np.nan))
    gpp = np.maximum(4 + 4 * season + rng.normal(0, 0.3, (sites, months)), -0.2)
    nee = 0.5 - 0.4 * gpp + rng.normal(0, 0.1, gpp.shape)
    for name, values in {
        "nee": nee,
        "gpp_nt": gpp,
        "gpp_dt": gpp * 0.9,
        "reco_nt": nee + gpp,
        "nee_quality": np.full(gpp.shape, 0.9),
        "nee_joint_uncertainty": np.full(gpp.shape, 0.2),
    }.items():
        data[name] = (("site", "time"), values)
    data["in_record"] = (("site", "time"), np.ones(gpp.shape, bool))
    return xr.Dataset(
        data,
        coords={
            "site": np.array([f"XX-S{i:02d}" for i in range(sites)], object),
            "time": mid_months(first, months),
            "lat": ("site", 30.0 + 3.0 * (np.arange(sites) % 4)),
            "lon": ("site", -110.0 + 10.0 * np.arange(sites)),
            "elevation": ("site", np.full(sites, np.nan)),
            "igbp": ("site", np.array([IGBP[i % len(IGBP)] for i in range(sites)], object)),
            "koppen": ("site", np.array(["Dfb"] * sites, object)),
            "network": ("site", np.array(["test"] * sites, object)),
        },
    )


def make_forcing(years=4, first=FIRST, degrees=10.0, seed=1):
    """Two rows of land cells that hold the towers of ``make_towers``."""
    rng = np.random.default_rng(seed)
    row, column = np.meshgrid([4, 5, 6, 8, 12], np.arange(36), indexing="ij")
    row, column = row.ravel(), column.ravel()
    months = years * 12
    season = -np.cos(2 * np.pi * np.arange(months) / 12)
    data = {
        name: (("cell", "time"), mean + swing * season + 0.05 * swing * rng.normal(size=(len(row), months)))
        for name, (mean, swing) in MEANS.items()
    }
    return xr.Dataset(
        data,
        coords={
            "cell": row * 36 + column,
            "lat": ("cell", 90 - degrees * (row + 0.5)),
            "lon": ("cell", -180 + degrees * (column + 0.5)),
            "time": mid_months(first, months),
        },
        attrs={"grid_degrees": degrees, "driver_set": "monthly8", "start_month": f"{first // 12}-01"},
    )


def make_simulation(forcing, seed=2):
    """State that differs between cells, stands, ages and months, with closed budgets."""
    rng = np.random.default_rng(seed)
    shape = (forcing.sizes["cell"], len(STANDS), len(AGES), forcing.sizes["time"] + 1)
    full = derive({name: rng.uniform(0.5, 2.0, shape).astype("f4") for name in FREE_TARGETS})
    state = np.stack([full[name] for name in TARGETS], -1)
    years = forcing.sizes["time"] // 12
    fraction = rng.dirichlet(np.ones(3), (shape[0], len(AGES), years)).astype("f4")
    return xr.Dataset(
        {
            "state": (("cell", "stand", "age", "time", "target"), state[:, :, :, 1:]),
            "initial_state": (("cell", "stand", "age", "target"), state[:, :, :, 0]),
            "plant_fraction": (("cell", "age", "year", "plant_type"), fraction),
        },
        coords={
            "cell": forcing["cell"],
            "stand": list(STANDS),
            "age": list(AGES),
            "time": forcing["time"],
            "target": list(TARGETS),
            "year": np.arange(years) + 2001,
            "plant_type": list(PLANT_TYPES),
        },
    )


def with_stands(simulation, threshold):
    """Return the simulation with all stands, and which cells and ages are pure (None: it has its own stands)."""
    pure = pure_samples(simulation, threshold)
    return masked_stands(simulation, pure), pure


def make_cover(forcing, seed=3):
    """Maps of the whole globe on the forcing's grid, and an age table at its cells."""
    rng = np.random.default_rng(seed)
    lat, lon = np.arange(85.0, -90, -10), np.arange(-175.0, 180, 10)
    shape = (2, len(lat), len(lon))
    grid = xr.Dataset(
        {
            "plant_fraction": (("year", "lat", "lon", "plant_type"), rng.dirichlet(np.ones(3), shape)),
            "vegetated_fraction": (("year", "lat", "lon"), rng.uniform(0.5, 1, shape)),
        },
        coords={"year": [2001, 2002], "lat": lat, "lon": lon, "plant_type": list(PLANT_TYPES)},
    )
    ages = xr.Dataset(
        {"age_weight": (("point", "age"), rng.dirichlet(np.ones(len(AGES)), forcing.sizes["cell"]))},
        coords={"lat": ("point", forcing["lat"].values), "lon": ("point", forcing["lon"].values), "age": list(AGES)},
    )
    return Cover(grid=grid, grid_ages=ages)
