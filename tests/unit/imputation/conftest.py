import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.imputation import ImputationConfig
from dere.ingest.months import mid_months
from dere.variables import FLUXES, MONTHLY8
from small_imputation import small_config

MONTHS, FOLDS = 60, 5


def make_towers(sites: int = 15, seed: int = 0) -> xr.Dataset:
    """Towers whose fluxes follow temperature and a level of their own; record 48 of 60 months, gaps in winter."""
    rng = np.random.default_rng(seed)
    month = np.arange(MONTHS) % 12
    lat = np.where(np.arange(sites) % 4 == 3, -30.0, 50.0)
    warm = np.where(lat[:, None] < 0, 1, -1) * np.cos(2 * np.pi * month / 12)
    temperature = 10 + 10 * warm + rng.normal(size=(sites, MONTHS))
    drivers = {name: rng.normal(size=(sites, MONTHS)) for name in MONTHLY8}
    drivers["air_temperature"] = temperature
    drivers["co2"] = np.full((sites, MONTHS), 400.0)
    level = rng.normal(1.0, 0.2, sites)[:, None]
    reco = level * (2 + 0.15 * temperature) + 0.2 * rng.normal(size=(sites, MONTHS))
    gpp = level * np.maximum(0.35 * temperature, 0) + 0.3 * rng.normal(size=(sites, MONTHS))
    flux = np.stack([{"gpp": gpp, "reco": reco, "nee": reco - gpp}[name] for name in FLUXES], -1)
    record = np.zeros((sites, MONTHS), bool)
    record[:, 6:54] = True
    observed = record & ~((month == 0) & (rng.random((sites, MONTHS)) < 0.6))
    flux[~observed] = np.nan
    static = np.stack([temperature.mean(1), level[:, 0] + rng.normal(0, 0.1, sites), np.ones(sites)], -1)
    return xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), flux),
            "flux_quality": (("site", "time", "flux"), np.where(np.isfinite(flux), 0.9, np.nan)),
            "flux_uncertainty": (("site", "time", "flux"), np.full((sites, MONTHS, 3), 0.2)),
            "record": (("site", "time"), record),
            "static": (("site", "attribute"), static),
            **{name: (("site", "time"), value) for name, value in drivers.items()},
        },
        coords={
            "site": [f"S{i:02d}" for i in range(sites)],
            "time": mid_months(2001 * 12, MONTHS),
            "flux": list(FLUXES),
            "attribute": ["mean_temperature", "productivity", "constant"],
            "lat": ("site", lat),
            "lon": ("site", np.arange(sites) * 3.0),
            "igbp": ("site", ["ENF" if i % 2 else "GRA" for i in range(sites)]),
        },
        attrs={"driver_set": "monthly8", "window": 48},
    )


def make_splits(towers: xr.Dataset) -> pd.DataFrame:
    many = towers.sizes["site"]
    return pd.DataFrame(
        {
            "id": towers["site"].values,
            "kind": "site",
            "cluster": np.arange(many),
            "fold": np.arange(many) % FOLDS,
            "lat": towers["lat"].values,
            "lon": towers["lon"].values,
            "cell": -1,
        }
    )


def make_statistics(towers: xr.Dataset) -> xr.Dataset:
    drivers = np.stack([towers[name].values for name in MONTHLY8], -1)
    parts = {
        "driver": (np.nanmean(drivers, (0, 1)), np.nanstd(drivers, (0, 1)), "driver", MONTHLY8),
        "static": (
            towers["static"].values.mean(0),
            towers["static"].values.std(0),
            "attribute",
            towers["attribute"].values,
        ),
        "flux": (np.nanmean(towers["flux_value"], (0, 1)), np.nanstd(towers["flux_value"], (0, 1)), "flux", FLUXES),
    }
    data = xr.Dataset()
    for name, (mean, std, axis, labels) in parts.items():
        data = data.assign_coords({axis: list(labels)})
        data[f"{name}_mean"], data[f"{name}_std"] = (axis, mean), (axis, np.maximum(std, 1e-6))
    return data


@pytest.fixture(scope="session")
def towers() -> xr.Dataset:
    return make_towers()


@pytest.fixture(scope="session")
def splits(towers: xr.Dataset) -> pd.DataFrame:
    return make_splits(towers)


@pytest.fixture(scope="session")
def statistics(towers: xr.Dataset) -> xr.Dataset:
    return make_statistics(towers)


@pytest.fixture(scope="session")
def config() -> ImputationConfig:
    return small_config()


@pytest.fixture(scope="session")
def trained(towers, splits, statistics, config):
    from dere.imputation.fit import train_imputation

    return train_imputation(towers, splits, statistics, 0, config, seed=3)


@pytest.fixture(scope="session")
def labels(trained, towers, splits, config):
    from dere.imputation.labels import impute

    return impute(trained[0], towers, splits, 0, config, seed=3)
