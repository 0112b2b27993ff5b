"""A small set of towers with the schema of data/towers.nc, its roles, truth and a perfect prediction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.evaluation.predictions import PREDICTED_ROLES, assemble, sites_with_role
from dere.variables import FLUXES, MONTHLY8, PLANT_TYPES, TARGETS

CLASSES = ("ENF", "DBF", "GRA", "CRO")
CLIMATES = ("Dfb", "Cfb", "BSk", "")
ATTRIBUTES = ("igbp_ENF", "mean_temperature", "fraction_BL", "mean_age")


def _make_towers(sites: int = 20, predict: int = 4, years: int = 6, seed: int = 0) -> tuple[xr.Dataset, pd.DataFrame]:
    """Towers whose fluxes follow temperature, radiation and a site level; and their splits with roles of fold 0."""
    rng = np.random.default_rng(seed)
    count, months = sites + predict, 12 * years
    time = pd.date_range("2001-01-01", periods=months, freq="MS") + pd.Timedelta(days=14)
    lat = rng.uniform(-50, 65, count)
    lat[:2] = 50.0, -35.0
    month = np.arange(months) % 12
    season = -np.cos(2 * np.pi * (month[None] + 6 * (lat[:, None] < 0)) / 12)
    drivers = {name: rng.normal(0, 1, (count, months)) for name in MONTHLY8}
    drivers["air_temperature"] = 8 + 12 * season + rng.normal(0, 2, (count, months))
    drivers["shortwave"] = 150 + 100 * season + rng.normal(0, 15, (count, months))
    drivers["co2"] = np.broadcast_to(380 + 0.17 * np.arange(months), (count, months)).copy()
    level = rng.normal(0, 0.5, count)
    gpp = np.maximum(0, 0.15 * drivers["air_temperature"] + 0.015 * drivers["shortwave"] + level[:, None])
    gpp = gpp + rng.normal(0, 0.4, gpp.shape)
    reco = 1 + 0.09 * drivers["air_temperature"] + 0.3 * gpp + rng.normal(0, 0.2, gpp.shape)
    true = np.stack([gpp, reco, reco - gpp], -1)
    record = np.ones((count, months), bool)
    record[3, :30] = False
    record[4, 50:] = False
    flux = np.where(record[..., None] & (rng.random((count, months, 1)) > 0.1), true, np.nan)
    flux[sites:] = np.nan
    quality = np.where(np.isfinite(flux[..., 0]), rng.uniform(0.4, 1.0, (count, months)), 0.0)
    simulated = np.zeros((count, months, len(TARGETS)), np.float32)
    for i, name in enumerate(FLUXES):
        simulated[..., TARGETS.index(name)] = 0.7 * true[..., i]
    simulated[~record] = np.nan
    names = [f"T{i:03d}" for i in range(sites)] + [f"V{i:03d}" for i in range(predict)]
    fraction = rng.dirichlet(np.ones(3), (count, years))
    towers = xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), flux),
            "flux_quality": (("site", "time"), quality),
            "flux_daytime": (("site", "time", "flux"), flux * 1.05),
            "record": (("site", "time"), record),
            **{name: (("site", "time"), values.astype("float32")) for name, values in drivers.items()},
            "static": (("site", "attribute"), rng.normal(0, 1, (count, len(ATTRIBUTES))).astype("float32")),
            "plant_fraction": (("site", "year", "plant_type"), fraction),
            "vegetated_fraction": (("site", "year"), np.full((count, years), 0.9)),
            "simulated": (("site", "time", "target"), simulated),
        },
        coords={
            "site": names,
            "time": time,
            "flux": list(FLUXES),
            "attribute": list(ATTRIBUTES),
            "plant_type": list(PLANT_TYPES),
            "year": np.arange(2001, 2001 + years),
            "target": list(TARGETS),
            "lat": ("site", lat),
            "lon": ("site", np.linspace(-120, 140, count)),
            "igbp": ("site", [CLASSES[i % 4] for i in range(count)]),
            "koppen": ("site", [CLIMATES[i % 4] for i in range(count)]),
            "kind": ("site", ["tower"] * sites + ["predict"] * predict),
        },
        attrs={"driver_set": "monthly8", "window": 24},
    )
    cluster = [f"site T{2 * (i // 2):03d}" for i in range(sites)] + [f"site {name}" for name in names[sites:]]
    fold = [(i // 2) % 5 for i in range(sites)] + [-1] * predict
    role = np.select(
        [np.array(fold) < 0, np.array(fold) == 0, np.array(fold) == 1], ["predict", "test", "validation"], "training"
    )
    members = pd.DataFrame(
        {
            "id": names,
            "kind": "site",
            "cluster": cluster,
            "fold": fold,
            "lat": lat,
            "lon": 0.0,
            "cell": -1,
            "role": role,
        }
    )
    towers["true_flux"] = (("site", "time", "flux"), true)
    return towers, members


@pytest.fixture
def make_towers() -> Callable[..., tuple[xr.Dataset, pd.DataFrame]]:
    return _make_towers


@pytest.fixture
def towers_and_members() -> tuple[xr.Dataset, pd.DataFrame]:
    return _make_towers()


@pytest.fixture
def towers(towers_and_members) -> xr.Dataset:
    return towers_and_members[0]


@pytest.fixture
def members(towers_and_members) -> pd.DataFrame:
    return towers_and_members[1]


@pytest.fixture
def truth(towers, members) -> xr.Dataset:
    sites = sites_with_role(members, ("predict",))
    return xr.Dataset({"flux_value": towers["true_flux"].sel(site=sites).reset_coords(drop=True)})


@pytest.fixture
def prediction(towers, members) -> xr.Dataset:
    """The truth itself, complete."""
    sites = sites_with_role(members, PREDICTED_ROLES)
    values = towers["true_flux"].sel(site=sites).values
    return assemble(values, towers, sites, method="perfect", fold=0, seed=0)


@pytest.fixture
def noisy(prediction):
    """Make a prediction with closing noise of a given size."""

    def build(size: float, method: str = "noisy", seed: int = 0, fold: int = 0) -> xr.Dataset:
        rng = np.random.default_rng(seed + 100)
        file = prediction.copy(deep=True)
        values = file["prediction"].values
        values[..., :2] += rng.normal(0, size, values[..., :2].shape)
        values[..., 2] = values[..., 1] - values[..., 0]
        file["prediction"].values = values
        file.attrs |= {"method": method, "seed": seed, "fold": fold}
        return file

    return build
