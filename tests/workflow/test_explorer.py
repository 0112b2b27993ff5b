"""The explorer of the finished run holds what its files hold."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.explorer.pack import unpack
from explored import data_of

RESULTS = "results/tiny"


@pytest.fixture(scope="module")
def folder(tiny):
    return tiny.folder / RESULTS


@pytest.fixture(scope="module")
def data(folder):
    return data_of(folder / "explorer" / "index.html")


def test_it_has_every_tower_and_every_method(folder, data):
    sites = pd.read_csv(folder / "tables" / "sites.csv")
    skill = pd.read_csv(folder / "tables" / "site_skill.csv", low_memory=False)
    virtual = set(skill.loc[skill["rows"] == "virtual", "site"])
    names = [tower["id"] for tower in data["towers"]]
    assert set(names) == set(sites["site"]) - virtual and data["left_out"] == 0
    members = {"/".join(path.parts[-3:-1]) for path in (folder / "predictions").glob("*/*/ensemble.nc")}
    assert {method["key"] for method in data["methods"]} == set(data["predicted"]) == members
    tested = set(skill.loc[skill["rows"] == "measured", "site"])
    scored = {
        name for name, nse in zip(names, data["scores"][data["given"]]["gpp"]["nse"], strict=True) if nse is not None
    }
    assert scored and scored <= tested
    assert data["invented"] and data["filled"]


def test_series_and_maps_are_those_of_the_files(folder, data):
    names = [tower["id"] for tower in data["towers"]]
    for member, parts in data["predicted"].items():
        with xr.open_dataset(folder / "predictions" / member / "ensemble.nc") as file:
            wanted = file["prediction"].sel(site=names).transpose("site", "flux", "time").values
        found = unpack(parts["mean"])
        assert np.array_equal(np.isnan(found), np.isnan(wanted)), member
        assert np.nanmax(np.abs(found - wanted)) <= parts["mean"]["step"], member
    for flux, parts in data["map"]["values"].items():
        (path,) = (folder / "products").glob(f"{flux}_mon_*.nc")
        with xr.open_dataset(path) as file:
            grid = file[flux].values.reshape(file.sizes["time"], -1)
        assert data["map"]["factor"] == 1 and np.isfinite(grid[0]).sum() == len(data["map"]["cells"])
        wanted = grid[:, data["map"]["cells"]] * 86400e3
        assert np.nanmax(np.abs(unpack(parts["mean"]) - wanted)) <= parts["mean"]["step"] * 1.001


def test_the_first_page_leads_to_it_and_it_back(folder):
    assert 'href="explorer/index.html"' in (folder / "index.html").read_text(encoding="utf-8")
    assert 'href="../index.html"' in (folder / "explorer" / "index.html").read_text(encoding="utf-8")
