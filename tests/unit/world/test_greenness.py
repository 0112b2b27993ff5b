"""What satellites show of nature's leaves, from the model's leaf area to what the readers of real files find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dere.config.towers import TowerSource
from dere.ingest.simulation.carbonglobe import read_simulation
from dere.ingest.tower.towers import read_towers
from dere.io import read_netcdf, write_netcdf
from dere.variables import SATELLITE
from dere.world.file_names import file_name
from dere.world.greenness import Canopy, Sky, around, observed
from dere.world.tower_network import Sites
from dere.world.write_towers import write_towers

FORESTS = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]])


def bright(leaf_area):
    """Leaves of three plant types under a sun that never sets."""
    canopy = Canopy(leaf_area, np.array([1.0, 0.8, 0.6]), FORESTS)
    return canopy, Sky(np.full(leaf_area.shape, 15.0), np.full(leaf_area.shape, 400.0))


def test_without_distance_satellites_see_leaf_area_and_absorbed_light():
    leaf_area = np.tile(np.linspace(0, 7, 200), (3, 1))
    canopy, sky = bright(leaf_area)
    seen = observed(canopy, canopy, sky, np.random.default_rng(0), 0.0, 1.0)
    lai, evi = (seen[name] for name in SATELLITE)
    view = np.isfinite(lai) & np.isfinite(evi)
    assert view.mean() > 0.9
    vegetated = canopy.vegetated[:, None]
    np.testing.assert_allclose(lai[view], (vegetated * leaf_area)[view])
    absorbed = vegetated * (1 - np.exp(-0.5 * leaf_area))
    np.testing.assert_allclose(1.2 * (evi - 0.05)[view], absorbed[view], atol=1e-12)


def test_both_rise_with_leaf_area_and_saturate():
    leaf_area = np.tile(np.linspace(0, 8, 81), (3, 1))
    canopy, sky = bright(leaf_area)
    seen = observed(canopy, None, sky, np.random.default_rng(0), 1.0, 0.0)
    for name, most in (("lai_satellite", 6.0), ("evi_satellite", 0.75)):
        low, high = (np.nanmean(seen[name][0, part]) for part in (slice(0, 11), slice(70, 81)))
        step_low, step_high = (np.nanmean(np.diff(seen[name][0, part])) for part in (slice(0, 11), slice(70, 81)))
        assert low < high < most
        assert 0 < step_high < 0.5 * step_low, name
    assert np.nanmax(seen["evi_satellite"][1]) < 0.75 * np.nanmax(seen["evi_satellite"][0]), "needles look dark"


def test_land_around_a_tower_is_that_of_the_cells_near_it():
    cells = Canopy(np.array([[2.0], [6.0]]), np.array([1.0, 0.5]), FORESTS[:2])
    found = around(
        np.array([50.0, 50.0]), np.array([10.0, 10.2]), np.array([50.0, 50.0]), np.array([10.0, 40.0]), cells
    )
    np.testing.assert_allclose(found.leaf_area[0], 2.0, atol=1e-2)
    np.testing.assert_allclose(found.fraction.sum(1), 1.0)


def test_dark_and_snowy_months_have_no_view():
    shape = (400, 12)
    canopy = Canopy(np.full(shape, 2.0), np.ones(400), np.tile(FORESTS[:1], (400, 1)))
    cold, warm = np.full(shape, -10.0), np.full(shape, 15.0)

    def missing(temperature, sunlight, name):
        sky = Sky(temperature, np.full(shape, sunlight))
        return np.isnan(observed(canopy, None, sky, np.random.default_rng(1), 1.0, 1.0)[name]).mean()

    assert missing(cold, 20.0, "evi_satellite") > 0.6
    assert 0.05 < missing(cold, 300.0, "evi_satellite") < 0.3
    assert missing(warm, 300.0, "evi_satellite") < 0.03
    assert missing(cold, 5.0, "lai_satellite") > 0.3 > missing(cold, 20.0, "lai_satellite")


@pytest.mark.parametrize("kind", ["towers", "virtual_towers"])
def test_towers_are_read_with_satellites_where_they_are_wanted(raw, kind):
    with_them = read_towers([raw / kind], TowerSource()).dataset
    without = read_towers([raw / kind], TowerSource(use_satellites=False)).dataset
    for name in SATELLITE:
        record = with_them["in_record"].values
        assert np.isfinite(with_them[name].values[record]).mean() > 0.7
        assert not np.isfinite(without[name].values).any()
    np.testing.assert_array_equal(with_them["nee"], without["nee"])
    lai, evi = (with_them[name].values for name in SATELLITE)
    both = np.isfinite(lai) & np.isfinite(evi)
    assert np.corrcoef(lai[both], evi[both])[0, 1] > 0.6


def test_cells_are_read_with_the_satellites_of_the_folder(raw, tmp_path):
    forcing, _ = read_simulation(raw / "simulation", "monthly8")
    assert not forcing["air_temperature"].isnull().any()
    stored = read_netcdf(raw / "simulation" / "satellites.nc")
    for name in SATELLITE:
        assert 0.6 < np.isfinite(forcing[name]).mean() <= 1
        np.testing.assert_array_equal(forcing[name], stored[name])
    folder = tmp_path / "simulation"
    folder.mkdir()
    for file in (raw / "simulation").iterdir():
        if file.name != "satellites.nc":
            (folder / file.name).symlink_to(file)
    assert not set(SATELLITE) & set(read_simulation(folder, "carbonglobe136")[0])
    # blocks smaller than the folder read the same
    blocks, _ = read_simulation(raw / "simulation", "monthly8", memory=200_000)
    assert blocks.chunks
    np.testing.assert_array_equal(blocks["evi_satellite"].values, forcing["evi_satellite"].values)
    percent = stored.assign(evi_satellite=stored["evi_satellite"] * 100)
    for wrong, words in (
        (stored.drop_vars("lai_satellite"), "no variable lai_satellite"),
        (stored.isel(time=slice(12)), "but start_year"),
        (stored.fillna(-9999.0), "-9999"),
        (percent, "evi_satellite"),
    ):
        write_netcdf(wrong, folder / "satellites.nc")
        with pytest.raises(ValueError, match=words):
            read_simulation(folder, "monthly8")


def test_satellites_change_no_other_column_and_no_other_draw(tmp_path):
    sites = Sites(["XT-Bab"], np.array([50.0]), np.array([5.0]))
    columns = {f"{name}_F": np.full((1, 24), 1.5) for name in ("TA", "P", "WS", "CO2")}
    found = []
    for value in (0.5, 2.0):
        green = {name: np.full((1, 24), value) for name in SATELLITE}
        rng = np.random.default_rng(3)
        table = pd.DataFrame({"SITE_ID": sites.site})
        write_towers(tmp_path, sites, np.array([[0, 2]]), columns, green, "x\n", table, table, 2001, rng)
        lines = (tmp_path / file_name("XT-Bab", 2001, 2002)).read_text().splitlines()
        assert lines[0].endswith(",LAI,EVI")
        assert lines[1].endswith(f",{value:g},{value:g}")
        found.append(([line.rsplit(",", 2)[0] for line in lines], rng.uniform()))
    assert found[0] == found[1]
