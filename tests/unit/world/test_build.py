from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.splits import SplitsConfig
from dere.config.world import WorldConfig
from dere.ingest.cover.esacci import read_cover
from dere.ingest.tower.site_ids import SITE
from dere.io import file_sha256, read_json, read_netcdf, write_netcdf
from dere.variables import PLANT_TYPES, TARGETS
from dere.world import tower_network
from dere.world.build import build_world
from dere.world.fields import distance_km, generator
from dere.world.file_names import BIF_NAME
from dere.world.geography import Grid, find_land
from dere.world.landscape import LAYERS
from dere.world.write_towers import format_table

TARGET = {name: i for i, name in enumerate(TARGETS)}


def tower_files(folder: Path) -> list[Path]:
    return sorted(folder.glob("FLX_*FULLSET*.csv"))


def bif(folder: Path) -> pd.DataFrame:
    long = pd.read_csv(folder / BIF_NAME, sep=";", encoding="latin-1")
    return long.pivot(index="SITE_ID", columns="VARIABLE", values="DATAVALUE")


def test_layout_is_the_contract(raw, small_config):
    ages = small_config.ages
    simulation = {"mask2d.npy", "glob_X_fea.npy", "monthly8.nc", "satellites.nc", "meta.json", "README.md"}
    for age in ages:
        simulation |= {f"glob_Y{age:03d}.npy", f"glob_F{age:03d}.npy"}
        simulation |= {f"glob_Y_{stand}{age:03d}.npy" for stand in PLANT_TYPES}
    assert {p.name for p in (raw / "simulation").iterdir()} == simulation
    maps = {f"ESACCI-LC-L4-PFT-Map-300m-P1Y-aggregated-{y}-v2.0.8.nc" for y in (2001, 2002, 2003)}
    assert {p.name for p in (raw / "cover").iterdir()} == maps | {"lat_lon_age_weights.csv"}
    for kind, count in (("towers", small_config.towers), ("virtual_towers", small_config.virtual_towers)):
        names = {p.name for p in (raw / kind).iterdir()}
        assert {BIF_NAME, "site_plant_types.csv", "site_age_weights.csv"} <= names
        assert len(names) == count + 3
    assert {p.name for p in (raw / "truth").iterdir()} == {"towers.nc", "virtual_towers.nc", "cells.nc"}
    assert not list(raw.rglob("*partial*")), "nothing half-written stays"


def test_meta_mask_and_channels(raw, small_config):
    folder = raw / "simulation"
    assert read_json(folder / "meta.json") == {"start_year": 2001, "grid_degrees": 15.0, "ages": [1, 20, 60, 120]}
    mask = np.load(folder / "mask2d.npy")
    assert mask.dtype == bool
    assert mask.shape == (12, 24)
    assert mask[:6].sum() > mask[6:].sum(), "row 0 is north, where most land is"
    x = np.load(folder / "glob_X_fea.npy")
    assert x.shape == (mask.sum(), small_config.years, 12, 136)
    assert x.dtype == np.float32
    assert (x[..., 32] == np.float32(0.012)).all()
    monthly = read_netcdf(folder / "monthly8.nc")
    flat = x.reshape(mask.sum(), -1, 136)
    np.testing.assert_allclose(flat[..., 0], monthly["air_temperature"] + 273.15, atol=1e-3)
    days = monthly["time_bnds"].diff("bnds").dt.days.to_numpy()[:, 0]
    np.testing.assert_allclose(flat[..., 1], monthly["precipitation"].to_numpy() * days, rtol=1e-5)
    # interleaved by hour: 33 humidity, 34 temperature, 35 shortwave, 36 wind of hour 0, then hour 1
    np.testing.assert_allclose(flat[..., 34:129:4].mean(-1), flat[..., 0], atol=1e-3)
    np.testing.assert_allclose(flat[..., 35:129:4].mean(-1), monthly["shortwave"], atol=1e-2)
    np.testing.assert_allclose(flat[..., 36:129:4].mean(-1), monthly["wind"], atol=1e-4)
    np.testing.assert_allclose(flat[..., 8:32].mean(-1), monthly["co2"], atol=1e-2)
    low = np.abs(monthly["lat"].to_numpy()) < 40
    assert (flat[low][..., 35] == 0).all(), "no sun at midnight"
    assert (flat[low][..., 35 + 4 * 12] > 50).all(), "sun at noon"
    assert flat[..., 33].max() < 0.05
    assert (flat[..., 129] > 1e5).all()
    assert (flat[..., 129:] == flat[:, :1, 129:]).all(), "soil is constant"


def test_targets_units_identities_and_initial_state(raw, small_config):
    folder = raw / "simulation"
    cells = np.load(folder / "mask2d.npy").sum()
    for age in small_config.ages:
        fractions = np.load(folder / f"glob_F{age:03d}.npy")
        assert fractions.shape == (cells, small_config.years + 1, 3)
        np.testing.assert_allclose(fractions.sum(-1), 1, atol=1e-4)
        y = np.load(folder / f"glob_Y{age:03d}.npy")
        assert y.shape == (cells, small_config.years + 1, 12, 10)
        np.testing.assert_allclose(y[..., TARGET["npp"]], y[..., TARGET["gpp"]] - y[..., TARGET["ra"]], atol=1e-5)
        np.testing.assert_allclose(y[..., TARGET["nee"]], y[..., TARGET["rh"]] - y[..., TARGET["npp"]], atol=1e-5)
        np.testing.assert_allclose(y[..., TARGET["reco"]], y[..., TARGET["ra"]] + y[..., TARGET["rh"]], atol=1e-5)
        assert (y[:, 0] == y[:, 0, :1]).all(), "the year before repeats its December"
    # annual GPP of the most productive cell in kgC m-2 yr-1, not gC m-2 d-1
    old = np.load(folder / f"glob_Y{small_config.ages[-1]:03d}.npy")[..., TARGET["gpp"]]
    assert 1.0 < old[:, 1:].mean(axis=(1, 2)).max() < 5.0


def test_cover_maps_sum_to_one_hundred(raw):
    layers = []
    for path in sorted((raw / "cover").glob("*.nc")):
        with xr.open_dataset(path) as data:
            stack = np.stack([data[name].to_numpy()[0] for name in LAYERS], axis=-1)
            assert data["lat"][0] > data["lat"][-1]
        np.testing.assert_allclose(stack.sum(-1), 100, atol=1e-3)
        layers.append(stack)
    mask = np.load(raw / "simulation" / "mask2d.npy")
    assert (layers[0][~mask][:, LAYERS.index("WATER")] == 100).all()
    change = np.abs(layers[0] - layers[-1])[mask].mean()
    assert 0 < change < 0.5, "maps of different years differ a little"
    weights = pd.read_csv(raw / "cover" / "lat_lon_age_weights.csv")
    assert len(weights) == mask.sum()
    np.testing.assert_allclose(weights.filter(like="weight_").sum(axis=1), 1, atol=1e-6)


def test_years_of_cover_maps_are_counted_as_in_the_product(raw, tmp_path):
    for year, path in zip((2001, 2002, 2003), sorted((raw / "cover").glob("*.nc")), strict=True):
        with xr.open_dataset(path, decode_times=False) as coded:
            assert coded["time"].attrs["units"].startswith("days since 1970-01-01")
            assert coded["time"].item() == (np.datetime64(f"{year}-01-01") - np.datetime64("1970-01-01")).astype(int)
            assert coded["time_bounds"].dims == ("time", "bounds")
        with xr.open_dataset(path) as data:
            edges = np.array([[f"{year}-01-01", f"{year + 1}-01-01"]], dtype="datetime64[ns]")
            np.testing.assert_array_equal(data[data["time"].attrs["bounds"]], edges)
        # maps without bounds, and with time counted from elsewhere, are read as well
        write_netcdf(read_netcdf(path).drop_vars("time_bounds"), tmp_path / path.name)
    with xr.open_dataset(tmp_path / path.name, decode_times=False) as coded:
        assert "1970" not in coded["time"].attrs["units"]
    xr.testing.assert_identical(read_cover(raw / "cover", True), read_cover(tmp_path, True))
    assert read_cover(tmp_path, True)["year"].to_numpy().tolist() == [2001, 2002, 2003]


@pytest.mark.parametrize("kind", ["towers", "virtual_towers"])
def test_site_tables(raw, kind, small_config):
    plants = pd.read_csv(raw / kind / "site_plant_types.csv")
    ages = pd.read_csv(raw / kind / "site_age_weights.csv")
    sites = {p.name.split("_")[1] for p in tower_files(raw / kind)}
    assert set(plants["SITE_ID"]) == set(ages["SITE_ID"]) == set(bif(raw / kind).index) == sites
    assert len(plants) == len(sites) * small_config.years
    np.testing.assert_allclose(plants[list(LAYERS)].sum(axis=1), 100, atol=1e-3)
    np.testing.assert_allclose(ages.filter(like="weight_").sum(axis=1), 1, atol=1e-6)
    assert ages.filter(like="weight_").shape[1] == len(small_config.ages)


def test_tower_files(raw):
    paths = tower_files(raw / "towers")
    orders = set()
    for path in paths:
        match = re.fullmatch(
            r"FLX_([A-Z]{2}-[A-Za-z0-9]{3})_FLUXNET2015_FULLSET_MM_(\d{4})-(\d{4})_1-4\.csv", path.name
        )
        assert match, path.name
        table = pd.read_csv(path)
        orders.add(tuple(table.columns))
        first, last = int(match[2]), int(match[3])
        expected = [y * 100 + m for y in range(first, last + 1) for m in range(1, 13)]
        assert table["TIMESTAMP"].tolist() == expected
        assert not table.isna().any().any()
        assert not np.isinf(table.to_numpy(dtype=float)).any()
        assert table["NEE_VUT_REF_QC"].between(0, 1).all()
        good = table["NEE_VUT_REF_QC"] >= 0.5
        assert (table.loc[good, ["NEE_VUT_REF", "GPP_NT_VUT_REF", "RECO_NT_VUT_REF"]] != -9999).all().all()
        kelvin_or_pascal = table.loc[table["TA_F"] != -9999, "TA_F"].abs().max() > 70 or table["PA_F"].max() > 110
        assert not kelvin_or_pascal
    assert len(orders) > 1, "columns and their order differ between sites"
    codes = bif(raw / "towers")
    assert codes["IGBP"].str.fullmatch(r"[A-Z]{2,3}").all()
    assert codes["LOCATION_LAT"].astype(float).between(-60, 80).all()


def test_virtual_towers_have_drivers_but_no_fluxes(raw, small_config):
    for path in tower_files(raw / "virtual_towers"):
        table = pd.read_csv(path)
        assert len(table) == 12 * small_config.years
        flux = [c for c in table if c.split("_")[0] in ("NEE", "GPP", "RECO")]
        assert len(flux) > 100
        assert (table[flux] == -9999).all().all()
        assert (table[["TA_F", "SW_IN_F", "P_ERA", "VPD_ERA"]] != -9999).all().all()


def test_virtual_towers_stay_out_of_the_clusters(raw):
    here, there = (
        bif(raw / kind)[["LOCATION_LAT", "LOCATION_LONG"]].astype(float) for kind in ("virtual_towers", "towers")
    )
    distance = distance_km(*(here[c].to_numpy() for c in here), *(there[c].to_numpy() for c in there))
    assert distance.min() > tower_network.VIRTUAL_DISTANCE_KM > SplitsConfig().cluster_km
    assert not set(here.index) & set(there.index)


def test_measurements_scatter_around_the_truth(raw):
    truth = read_netcdf(raw / "truth" / "towers.nc")
    errors = []
    for path in tower_files(raw / "towers"):
        table = pd.read_csv(path).set_index("TIMESTAMP")
        good = table[table["NEE_VUT_REF_QC"] >= 0.5]
        step = (good.index // 100 - 2001) * 12 + good.index % 100 - 1
        true = truth["flux_value"].sel(site=path.name.split("_")[1], flux="nee").to_numpy()[step]
        errors.append(good["NEE_VUT_REF"].to_numpy() - true)
    error = np.concatenate(errors)
    assert 0.03 < np.sqrt((error**2).mean()) < 0.8
    np.testing.assert_allclose(
        truth["flux_value"].sel(flux="nee"),
        truth["flux_value"].sel(flux="reco") - truth["flux_value"].sel(flux="gpp"),
        atol=1e-5,
    )


def test_truth_of_cells(raw):
    cells = read_netcdf(raw / "truth" / "cells.nc")
    mask = np.load(raw / "simulation" / "mask2d.npy")
    np.testing.assert_array_equal(cells["cell"], np.flatnonzero(mask.ravel()))
    assert cells["flux_value"].dims == ("cell", "time", "flux")
    assert np.isfinite(cells["flux_value"]).all()
    assert cells["vegetated_fraction"].min() >= 0
    assert cells["vegetated_fraction"].max() <= 1


def test_equal_seeds_give_equal_files(tmp_path):
    config = WorldConfig(grid_degrees=30.0, years=2, towers=6, virtual_towers=3, ages=(5, 80), seed=1)
    build_world(config, tmp_path / "a")
    build_world(config, tmp_path / "b")
    build_world(config.model_copy(update={"seed": 2}), tmp_path / "c")
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert len(files) > 20
    for file in files:
        if file.suffix == ".nc":
            xr.testing.assert_identical(read_netcdf(tmp_path / "a" / file), read_netcdf(tmp_path / "b" / file))
        else:
            assert file_sha256(tmp_path / "a" / file) == file_sha256(tmp_path / "b" / file), file
    x = Path("simulation/glob_X_fea.npy")
    assert file_sha256(tmp_path / "a" / x) != file_sha256(tmp_path / "c" / x)


def test_a_third_of_the_towers_has_a_close_neighbour():
    land = find_land(Grid(6.0))
    sites = tower_network.place_towers(land, np.ones(land.cell.size), 60, np.random.default_rng(0))
    distance = distance_km(sites.lat, sites.lon, sites.lat, sites.lon)
    np.fill_diagonal(distance, np.inf)
    assert len(set(sites.site)) == 60
    assert 0.25 < (distance.min(axis=1) < 40).mean() < 0.5
    assert distance.min() > 1
    assert all(re.fullmatch(r"XT-[A-Z][a-z][a-z0-9]", name) for name in sites.site)
    spread = tower_network.place_virtual(land, np.ones(land.cell.size), sites, 40, np.random.default_rng(0))
    assert (spread.lat < 0).any()
    assert all(re.fullmatch(r"XV-[A-Z0-9]{3}", name) for name in spread.site)
    assert all(re.fullmatch(SITE, name) for name in [*sites.site, *spread.site]), "readers take them for ids"


def test_more_towers_than_codes_are_refused():
    names = tower_network._tower_names(1920, np.random.default_rng(0))
    assert len(set(names)) == 1920
    with pytest.raises(ValueError, match=r"world\.towers is 1921"):
        tower_network._tower_names(1921, np.random.default_rng(0))


def test_every_file_that_can_says_that_the_world_is_invented(raw):
    files = sorted(raw.rglob("*.nc"))
    assert len(files) == 8
    for path in files:
        with xr.open_dataset(path) as data:
            assert data.attrs["source"] == "invented world", path.name
    for readme in (raw / "README.md", raw / "simulation" / "README.md"):
        assert "invented world" in readme.read_text()
    assert bif(raw / "towers")["SITE_NAME"].str.contains("Invented|inventée").all()


@pytest.mark.parametrize("seed", range(3))
def test_all_virtual_towers_of_the_default_world_find_a_place_outside_the_clusters(seed):
    land = find_land(Grid(6.0))
    everywhere = np.ones(land.cell.size)
    towers = tower_network.place_towers(land, everywhere, 60, generator(seed, "places"))
    spread = tower_network.place_virtual(land, everywhere, towers, 500, generator(seed, "virtual places"))
    assert len(spread.site) == 500
    assert distance_km(spread.lat, spread.lon, towers.lat, towers.lon).min() > tower_network.VIRTUAL_DISTANCE_KM


def test_missing_values_and_numbers_are_written_like_the_product():
    text = format_table(np.array([200101, 200102]), ["A", "B"], np.array([[np.nan, 1.23456789], [-4.0, 0.0]]))
    assert text == "TIMESTAMP,A,B\n200101,-9999,1.23457\n200102,-4,0\n"


def test_wetlands_measure_methane_and_change_nothing_else(tmp_path):
    """Of the world without them, every file is the same but for two columns of the virtual towers."""
    config = WorldConfig(grid_degrees=30.0, years=2, towers=6, virtual_towers=16, ages=(5, 80), wetlands=5, seed=1)
    raw = tmp_path / "wet"
    build_world(config, raw)
    build_world(config.model_copy(update={"wetlands": 0}), tmp_path / "dry")
    measured = []
    for path in sorted(path for path in raw.rglob("*") if path.is_file()):
        other = tmp_path / "dry" / path.relative_to(raw)
        if path in tower_files(raw / "virtual_towers"):
            with_methane, dry = pd.read_csv(path), pd.read_csv(other)
            own = ["FCH4", "FCH4_QC"]
            assert list(with_methane.columns[-2:]) == own and (dry[own] == -9999).all().all()
            pd.testing.assert_frame_equal(with_methane.drop(columns=own), dry.drop(columns=own))
            measured.append(with_methane["FCH4"].replace(-9999, np.nan))
        elif path.suffix == ".nc":
            xr.testing.assert_identical(read_netcdf(path).drop_attrs(), read_netcdf(other).drop_attrs())
        else:
            assert file_sha256(path) == file_sha256(other), path
    wet = [series for series in measured if series.notna().any()]
    assert len(wet) == config.wetlands
    assert all(series.notna().sum() > 5 for series in wet)
    assert 5 < max(series.max() for series in wet) < 600
