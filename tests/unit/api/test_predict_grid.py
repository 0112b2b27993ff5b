"""Fields on a grid become maps by the trained bundle of the package: every cell on land is there, or named."""

import errno
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import dere
from dere.api.grids import _hashes
from dere.cli import main
from dere.resources import TRAINED
from dere.variables import VARIABLES

LAT, LON = np.array([45.0, 47.0, 49.0]), np.array([5.0, 7.0])
TIME = pd.date_range("2005-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)


def fields():
    """A temperate year; the last cell is sea, one lacks a month of rain, one has no class, one no EVI."""
    summer = -np.cos(2 * np.pi * (np.arange(12) + 0.5) / 12)[:, None, None] * np.ones((1, 3, 2))
    warm = np.array([9.5, 9.0, 8.5])[:, None]
    series = {
        "air_temperature": warm + 9.0 * summer,
        "precipitation": 2.0 + 0.3 * summer,
        "shortwave": 125.0 + 95.0 * summer,
        "longwave": 315.0 + 35.0 * summer,
        "vpd": 4.0 + 3.0 * summer,
        "pressure": 97.0 + 0.0 * summer,
        "wind": 2.5 + 0.0 * summer,
        "lai_satellite": 2.5 + 2.0 * summer,
        "evi_satellite": 0.35 + 0.2 * summer,
    }
    dims = ("time", "lat", "lon")
    made = xr.Dataset(
        {name: (dims, values.copy(), {"units": VARIABLES[name].unit}) for name, values in series.items()},
        coords={"time": TIME, "lat": LAT, "lon": LON},
    )
    for name in made.data_vars:
        made[name][:, 2, 1] = np.nan
    made["precipitation"][7, 1, 1] = np.nan
    made["evi_satellite"][:, 1, 0] = np.nan
    made["igbp"] = (("lat", "lon"), np.array([[4, 5], [1, 4], [0, 0]]))
    return made


def run(tmp_path, dataset, *words):
    dataset.to_netcdf(tmp_path / "fields.nc")
    called = ["predict", "--trained", "real-towers", "--grid", str(tmp_path / "fields.nc"), *words]
    return CliRunner().invoke(main, [*called, "--out", str(tmp_path / "maps")])


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grid")
    shown = run(folder, fields())
    assert shown.exit_code == 0, shown.output
    return folder / "maps", shown.output


def test_every_cell_on_land_is_predicted_or_named_with_its_reason(maps):
    folder, said = maps
    assert "6 cells: 5 on land, 3 predicted" in said
    assert "filled: co2: global record, 3 cells" in said and "filled: plant types: igbp, 3 cells" in said
    assert "filled: evi_satellite: mean annual cycle of the class, 1 cells" in said and "lai_satellite" not in said
    lost = pd.read_csv(folder / "cells_not_predicted.csv").set_index(["lat", "lon"])["reason"]
    assert len(lost) == 2
    assert "lacks precipitation in 1 of 12 months" in lost[47.0, 7.0] and "no plant types" in lost[49.0, 5.0]
    with xr.open_dataset(folder / "cells.nc") as file:
        assert file["status"].sel(lat=LAT, lon=LON).values.tolist() == [[1, 1], [1, 2], [2, 0]]
    with xr.open_dataset(folder / "gpp_mon_dere_gn_200501-200512.nc") as file:
        there = file["gpp"].notnull()
        assert (there.sum(("lat", "lon")) == 3).all()
        assert bool(there.sel(lat=45.0, lon=5.0).all()) and file.sizes["lat"] == 90


def test_maps_close_and_have_intervals_of_cells_and_years_and_totals(maps):
    folder, _ = maps
    found = {
        flux: xr.open_dataset(folder / f"{flux}_mon_dere_gn_200501-200512.nc").sel(lat=LAT, lon=LON)
        for flux in ("gpp", "reco", "nee")
    }
    gpp = found["gpp"]["gpp"].sel(lat=45.0, lon=5.0).values * 8.64e7
    # a beech forest of the plain of the Rhone
    assert gpp[[0, 1, 11]].max() < 2 and 5 < gpp[5:7].mean() < 14
    closure = found["nee"]["nee"] - (found["reco"]["reco"] - found["gpp"]["gpp"])
    assert float(abs(closure).max()) < 1e-14
    for flux, product in found.items():
        known = product[flux].notnull()
        assert bool((product[f"{flux}_q05"] < product[f"{flux}_q95"]).where(known, True).all())
        assert bool((product[f"{flux}_std"] > 0).where(known, True).all())
    assert 0 <= float(found["gpp"]["extrapolation_index"].sel(lat=45.0, lon=5.0)) <= 1
    with xr.open_dataset(folder / "annual" / "gpp_yr_dere_gn_2005-2005.nc") as year:
        one = year["gpp"].sel(lat=45.0, lon=5.0).item() * 8.64e7
        days = pd.DatetimeIndex(TIME).days_in_month.to_numpy()
        assert abs(one - (gpp * days).sum() / 365) < 1e-4
    totals = pd.read_csv(folder / "totals.csv").set_index(["flux", "region"])
    row = totals.loc[("gpp", "global")]
    assert 0 < row["q05_pgc"] < row["total_pgc"] < row["q95_pgc"]


def test_a_cover_of_ones_own_loses_no_cell_but_those_where_it_is_wrong(tmp_path):
    given = fields().drop_vars("igbp")
    dims = ("plant_type", "lat", "lon")
    given["plant_fraction"] = (dims, np.full((3, 3, 2), 1 / 3), {"units": "1"})
    given["vegetated_fraction"] = (("lat", "lon"), np.full((3, 2), 0.9), {"units": "1"})
    given = given.assign_coords(plant_type=["BL", "NL", "GS"])
    # bare in two ways, and a sum that is none
    given["plant_fraction"][:, 0, 0], given["vegetated_fraction"][0, 0] = np.nan, np.nan
    given["plant_fraction"][:, 0, 1], given["vegetated_fraction"][0, 1] = 0.0, 0.0
    given["plant_fraction"][:, 2, 0] = 0.4
    shown = run(tmp_path, given)
    assert shown.exit_code == 0 and "6 cells: 5 on land, 3 predicted" in shown.output
    lost = pd.read_csv(tmp_path / "maps" / "cells_not_predicted.csv").set_index(["lat", "lon"])["reason"]
    assert "plant fractions there that are no shares with the sum 1" in lost[49.0, 5.0] and len(lost) == 2
    with xr.open_dataset(tmp_path / "maps" / "gpp_mon_dere_gn_200501-200512.nc") as file:
        yearly = file["gpp"].mean("time").sel(lat=LAT, lon=LON) * 8.64e7
    assert float(yearly[0, 0]) == float(yearly[0, 1]) == 0 and float(yearly[1, 0]) > 1


def test_a_folder_behind_a_link_to_another_disk_is_written_and_what_a_killed_process_left_goes(tmp_path, monkeypatch):
    disk = tmp_path / "disk"
    (disk / "real").mkdir(parents=True)
    (disk / ".999999999.partial.real").mkdir()
    (tmp_path / "maps").symlink_to(disk / "real")
    replace = os.replace

    def within_one_disk(source, target):
        if Path(source).resolve().is_relative_to(disk) != Path(target).resolve().is_relative_to(disk):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        replace(source, target)

    monkeypatch.setattr(os, "replace", within_one_disk)
    shown = run(tmp_path, fields())
    assert shown.exit_code == 0, shown.output
    assert [path.name for path in disk.iterdir()] == ["real"] and (disk / "real" / "totals.csv").exists()


def test_a_missing_part_of_the_models_is_named_and_not_blamed_on_the_folder(tmp_path):
    bundle = tmp_path / "bundle"
    shutil.copytree(TRAINED / "real-towers", bundle)
    found = dere.open_trained(bundle)
    next(bundle.rglob("gbm/model.safetensors")).unlink()
    fields().to_netcdf(tmp_path / "fields.nc")
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        dere.predict_grid(found, tmp_path / "fields.nc", tmp_path / "maps")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "fields.nc"]


@pytest.mark.parametrize(
    ("change", "words", "sentence"),
    [
        (lambda f: f.drop_vars("wind"), (), "fields.nc lacks wind"),
        (lambda f: f.drop_vars("igbp"), (), "has no plant types"),
        (lambda f: f, ("--method", "nothing"), "nothing"),
        (lambda f: f, ("--site-data", "own.csv"), "--site-data and --allow-conflict are of SITES"),
        (lambda f: f, ("mine.csv",), "With --grid, RUN alone is needed"),
    ],
)
def test_a_fault_is_a_sentence_and_nothing_is_written(tmp_path, change, words, sentence):
    shown = run(tmp_path, change(fields()), *words)
    assert shown.exit_code in (1, 2) and sentence in shown.output and "Error: " in shown.output
    assert [path.name for path in tmp_path.iterdir()] == ["fields.nc"]


def test_maps_of_other_months_are_not_left_beside_new_ones(tmp_path):
    stale = tmp_path / "maps" / "gpp_mon_dere_gn_199901-199912.nc"
    stale.parent.mkdir()
    stale.touch()
    shown = run(tmp_path, fields(), "--overwrite")
    assert shown.exit_code == 1 and list(stale.parent.iterdir()) == [stale]
    assert (
        "holds maps of other months (gpp_mon_dere_gn_199901-199912.nc), but the fields are of 2005-01" in shown.output
    )


def test_files_of_one_name_have_a_hash_each(tmp_path):
    paths = [tmp_path / folder / "fields.nc" for folder in "ab"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(path.parent.name)
    assert len(set(_hashes(paths).values())) == 2 and list(_hashes(paths[:1])) == ["fields.nc"]
