"""Readers of plant-type maps, stand ages and tables of both; invented numbers."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from fuzz_grids import Grid
from fuzz_readers import Reader, Target
from fuzz_tables import Table
from fuzz_towers import write_csv

import forest_age_maps
import plant_type_maps
from dere.ingest.accounts import accounts_of_folder, report
from dere.ingest.cover.age_weights import read_grid_age_weights, read_site_age_weights
from dere.ingest.cover.esacci import aggregated_maps, read_cover, read_site_plant_types
from dere.ingest.cover.esacci_aggregate import aggregate_map
from dere.ingest.cover.esacci_classes import LAYERS
from dere.ingest.cover.fine_map import open_fine_map
from dere.ingest.cover.forest_age import read_gfad, read_mpi_bgc

AGES = (1, 20, 60, 120, 250)
SITES = ("AA-One", "BB-Two", "CC-Thr", "DD-Fou", "EE-Fiv")
YEAR = 2001
MAP = f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{YEAR}-v2.0.8.nc"
FINE = f"ESACCI-LC-L4-PFT-Map-300m-P1Y-{YEAR}-v2.0.8.nc"
MPI = "20201030T000000_BGIForestAgeMPIBGC1.0.0.nc"
WEIGHTS = tuple(f"weight_{number + 1}" for number in range(len(AGES)))


def write_map(folder: Path, seed: int) -> None:
    """Aggregated maps of two years on 12 by 24 cells of 15 degrees, whole percent that sum to 100."""
    rng = np.random.default_rng(seed)
    lat, lon = 82.5 - 15.0 * np.arange(12), -172.5 + 15.0 * np.arange(24)
    for year in (YEAR, YEAR + 1):
        layers = rng.multinomial(100, rng.dirichlet(np.full(len(LAYERS), 0.5)), (1, 12, 24)).astype("f4")
        made = {
            name: (("time", "lat", "lon"), layers[..., number], {"units": "%"}) for number, name in enumerate(LAYERS)
        }
        days = (np.datetime64(f"{year}-01-01") - np.datetime64("1970-01-01")).astype(int)
        time = ("time", np.array([float(days)]), {"units": "days since 1970-01-01"})
        xr.Dataset(made, {"time": time, "lat": lat, "lon": lon}).to_netcdf(folder / MAP.replace(str(YEAR), str(year)))


def read_map(folder: Path) -> object:
    """The maps, with a word about files that are not read, as the rule has it."""
    found = read_cover(folder, True)
    read = {path.name: ("", "") for path in aggregated_maps(folder).values()}
    report(logging.getLogger(__name__), "cover", accounts_of_folder(folder, read))
    return found


def read_fine(folder: Path) -> object:
    """The 300 m map on cells of a sixth of a degree."""
    with open_fine_map(folder / FINE) as opened:
        return aggregate_map(opened, 1 / 6, YEAR)


def write_fine(folder: Path, seed: int) -> None:
    plant_type_maps.write_fine_map(folder, YEAR, plant_type_maps.synthetic_layers(120, 120, seed=seed, ocean=False))


def weights(rows: Sequence[tuple[object, ...]], keys: list[str], seed: int) -> pd.DataFrame:
    """Weights of the ages that sum to 1."""
    share = np.random.default_rng(seed).dirichlet(np.ones(len(AGES)), len(rows)).round(8)
    return pd.DataFrame([(*row, *values) for row, values in zip(rows, share, strict=True)], columns=[*keys, *WEIGHTS])


def plants(seed: int) -> pd.DataFrame:
    """Whole percent of each layer by site and year."""
    rng = np.random.default_rng(seed)
    rows = [
        (site, year, *rng.multinomial(100, rng.dirichlet(np.ones(14))).astype(float))
        for site in SITES
        for year in (2001, 2002)
    ]
    return pd.DataFrame(rows, columns=["SITE_ID", "year", *LAYERS])


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of cover and stand ages."""
    places = [(47.25, 10.25), (-22.25, 131.25), (5.25, -52.75), (61.75, 24.25)]
    windows = ("axes in another order",)
    return (
        Reader(
            "esacci_map",
            write_map,
            read_map,
            (Target(MAP, "netcdf", Grid(LAYERS), "years", without=("time turned",)),),
            ("ESACCI",),
        ),
        Reader(
            "esacci_300m",
            write_fine,
            read_fine,
            (Target(FINE, "netcdf", Grid((*LAYERS,)), without=windows),),
            ("ESACCI",),
        ),
        Reader(
            "gfad",
            lambda folder, seed: forest_age_maps.write_gfad(folder, forest_age_maps.gfad(seed)),
            lambda folder: read_gfad(folder / "GFAD_V1-1.nc", AGES, 0.5),
            (Target("GFAD_V1-1.nc", "netcdf", Grid(("age",))),),
        ),
        Reader(
            "mpi_bgc",
            lambda folder, seed: forest_age_maps.write_mpi(folder, forest_age_maps.mpi_ages(120, 120, seed)),
            lambda folder: read_mpi_bgc(folder / MPI, AGES, 0.5),
            (Target(MPI, "netcdf", Grid(("ForestAge_TC010",), "latitude", "longitude"), without=windows),),
        ),
        Reader(
            "ages_by_cell",
            lambda folder, seed: write_csv(weights(places, ["lat", "lon"], seed), folder / "lat_lon_age_weights.csv"),
            lambda folder: read_grid_age_weights(folder / "lat_lon_age_weights.csv", AGES),
            (Target("lat_lon_age_weights.csv", "table", Table(WEIGHTS, places=("lat", "lon"), free=True, missing="")),),
        ),
        Reader(
            "ages_by_site",
            lambda folder, seed: write_csv(
                weights([(site,) for site in SITES], ["SITE_ID"], seed), folder / "site_age_weights.csv"
            ),
            lambda folder: read_site_age_weights(folder / "site_age_weights.csv", AGES),
            (Target("site_age_weights.csv", "table", Table(WEIGHTS, site="SITE_ID", free=True, missing="")),),
            SITES,
        ),
        Reader(
            "plants_by_site",
            lambda folder, seed: write_csv(plants(seed), folder / "site_plant_types.csv"),
            lambda folder: read_site_plant_types(folder / "site_plant_types.csv", True),
            (Target("site_plant_types.csv", "table", Table(("year", *LAYERS), site="SITE_ID", free=True, missing="")),),
            SITES,
        ),
    )
