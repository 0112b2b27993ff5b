"""A tiny invented canonical set, written as files, on which every stage can train."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.harmonise.drivers import driver_names
from dere.io import write_netcdf, write_table
from dere.physics import derive
from dere.variables import FLUXES, FREE_TARGETS, MONTHLY8, PLANT_TYPES, STANDS, TARGETS
from stage_jobs import FOLDERS, make_jobs

AGES = (1, 50, 200)
WINDOW, YEARS, CELLS, SITES, ATTRIBUTES = 24, 3, 12, 10, 4


def _state(rng, light, *shape):
    """Free targets with a seasonal cycle from ``light`` (…, T), the rest derived."""
    level = rng.uniform(0.5, 1.5, (*shape, 1))
    free = {name: np.broadcast_to(level * (i + 1.0), (*shape, light.shape[-1])) for i, name in enumerate(FREE_TARGETS)}
    free["gpp"], free["ra"] = 3 * level * light, 1.2 * level * light
    free["rh"] = np.broadcast_to(level, free["gpp"].shape)
    full = derive(free)
    return np.stack([full[name] for name in TARGETS], -1).astype("f4")


def _drivers(rng, members, months):
    season = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(months) / 12)
    base = season[None] * rng.uniform(0.5, 1.5, (members, 1))
    values = {name: base * (i + 1) + 0.1 * rng.normal(size=(members, months)) for i, name in enumerate(MONTHLY8)}
    return values, base


@pytest.fixture(scope="session")
def canonical(tmp_path_factory) -> dict[str, Path]:
    folder, rng = tmp_path_factory.mktemp("data"), np.random.default_rng(0)
    months = YEARS * 12
    time = pd.date_range("2001-01-15", periods=months, freq="MS") + pd.Timedelta(days=14)
    years = np.arange(2001, 2001 + YEARS)
    attributes = [f"a{i}" for i in range(ATTRIBUTES)]
    values, light = _drivers(rng, CELLS, months)
    # plant types change from year to year, so that a network that keeps the first year's is wrong
    fraction = np.stack([rng.dirichlet(np.ones(3), (CELLS, len(AGES)))] * (YEARS + 1), 2)
    drift = np.linspace(0, 0.6, YEARS + 1)[:, None]
    fraction = (1 - drift) * fraction + drift * np.array([0.0, 0.0, 1.0])
    drivers = xr.Dataset(
        {name: (("cell", "time"), v.astype("f4")) for name, v in values.items()}
        | {"static": (("cell", "attribute"), rng.normal(size=(CELLS, ATTRIBUTES)).astype("f4"))},
        coords={"cell": np.arange(CELLS), "time": time, "attribute": attributes},
        attrs={"driver_set": "monthly8"},
    )
    state = _state(rng, light[:, None, None], CELLS, len(STANDS), len(AGES))
    simulation = xr.Dataset(
        {
            "state": (("cell", "stand", "age", "time", "target"), state),
            "initial_state": (("cell", "stand", "age", "target"), state[:, :, :, 0]),
            "plant_fraction": (
                ("cell", "age", "year", "plant_type"),
                fraction.astype("f4"),
            ),
        },
        coords={
            "cell": np.arange(CELLS),
            "stand": list(STANDS),
            "age": list(AGES),
            "time": time,
            "target": list(TARGETS),
            "year": np.arange(2000, 2001 + YEARS),
            "plant_type": list(PLANT_TYPES),
        },
    )
    cover = xr.Dataset(
        {
            "plant_fraction": (("cell", "year", "plant_type"), fraction[:, 0, 1:]),
            "vegetated_fraction": (("cell", "year"), np.full((CELLS, YEARS), 0.9)),
            "age_weight": (("cell", "age"), rng.dirichlet(np.ones(len(AGES)), CELLS)),
        },
        coords={"cell": np.arange(CELLS), "year": years, "age": list(AGES), "plant_type": list(PLANT_TYPES)},
    )
    values, light = _drivers(rng, SITES, months)
    gpp = 4 * light * rng.uniform(0.7, 1.3, (SITES, 1))
    reco = 1.0 + 0.4 * gpp
    flux = np.stack([gpp, reco, reco - gpp], -1).astype("f4")
    flux[rng.random((SITES, months)) < 0.2] = np.nan
    flux[-1] = np.nan
    window_site, window_start = np.repeat(np.arange(SITES), 2), np.tile([0, 12], SITES)
    towers = xr.Dataset(
        {name: (("site", "time"), v.astype("f4")) for name, v in values.items()}
        | {
            "flux_value": (("site", "time", "flux"), flux),
            "flux_quality": (("site", "time"), np.full((SITES, months), 0.9)),
            "flux_uncertainty": (("site", "time", "flux"), np.full(flux.shape, 0.3)),
            "record": (("site", "time"), np.ones((SITES, months), bool)),
            "static": (("site", "attribute"), rng.normal(size=(SITES, ATTRIBUTES)).astype("f4")),
            "plant_fraction": (("site", "year", "plant_type"), rng.dirichlet(np.ones(3), (SITES, YEARS))),
            "age_weight": (("site", "age"), rng.dirichlet(np.ones(len(AGES)), SITES)),
            "window_site": ("window", window_site),
            "window_start": ("window", window_start),
            "initial_state": (
                ("window", "stand", "age", "target"),
                _state(rng, light[window_site, None, None, :1], 2 * SITES, len(STANDS), len(AGES))[..., 0, :],
            ),
        },
        coords={
            "site": [f"XX-S{i:02d}" for i in range(SITES)],
            "time": time,
            "year": years,
            "flux": list(FLUXES),
            "age": list(AGES),
            "stand": list(STANDS),
            "target": list(TARGETS),
            "plant_type": list(PLANT_TYPES),
            "attribute": attributes,
            "lat": ("site", np.linspace(-40, 60, SITES)),
            "lon": ("site", np.linspace(-90, 90, SITES)),
            "kind": ("site", ["tower"] * (SITES - 1) + ["predict"]),
        },
        attrs={"driver_set": "monthly8", "window": WINDOW},
    )
    splits = pd.DataFrame(
        {
            "id": [str(i) for i in range(CELLS)] + list(towers["site"].values),
            "kind": ["cell"] * CELLS + ["site"] * SITES,
            "cluster": [f"c{i}" for i in range(CELLS)] + [f"s{i}" for i in range(SITES)],
            "fold": [i % 3 for i in range(CELLS)] + [i % 3 for i in range(SITES - 1)] + [-1],
            "lat": 10.0,
            "lon": 20.0,
            "cell": -1,
        }
    )
    names = driver_names("monthly8")
    target = state.reshape(-1, len(TARGETS))
    observed = flux[np.isfinite(flux).all(-1)]
    statistics = xr.Dataset(
        {
            "driver_mean": ("driver", np.array([drivers[n].mean() for n in names])),
            "driver_std": ("driver", np.array([drivers[n].std() for n in names])),
            "static_mean": ("attribute", np.zeros(ATTRIBUTES)),
            "static_std": ("attribute", np.ones(ATTRIBUTES)),
            "target_mean": ("target", target.mean(0)),
            "target_std": ("target", target.std(0)),
            "flux_mean": ("flux", observed.mean(0)),
            "flux_std": ("flux", observed.std(0)),
        }
    )
    labels = xr.Dataset(
        {
            "label": (("site", "time", "flux"), np.nan_to_num(flux, nan=1.0)),
            "covariance": (
                ("site", "time", "component", "component2"),
                np.broadcast_to(0.1 * np.eye(2), (SITES, months, 2, 2)).copy(),
            ),
            "origin": (("site", "time"), np.where(np.isfinite(flux[..., 0]), 1, 2).astype("i1")),
        },
        coords={
            "site": towers["site"].values,
            "time": time,
            "flux": list(FLUXES),
            "component": ["nee", "reco"],
            "component2": ["nee", "reco"],
        },
    )
    files = {}
    named = (("drivers", drivers), ("simulation", simulation), ("cover", cover), ("towers", towers))
    for name, dataset in (*named, ("statistics", statistics), ("labels", labels)):
        files[name] = write_netcdf(dataset, folder / f"{name}.nc")
    files["splits"] = write_table(splits, folder / "splits.csv")
    return files


@pytest.fixture(scope="session")
def run(canonical, tmp_path_factory):
    """All stages in order, once; maps stage to checkpoint folder, and the parameters of a DERE tower stage."""
    jobs = make_jobs(canonical, tmp_path_factory.mktemp("models"))
    for train, job in jobs.values():
        train(job)
    folders = {FOLDERS.get(name, name): job.output for name, (_, job) in jobs.items()}
    return folders, jobs["towers"][1].params
