import numpy as np
import pandas as pd
import pytest
import xarray as xr
from harmonise_samples import make_cover
from seen_by_methods import window_drivers

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise, write
from dere.harmonise.interim import Cover, Interim
from dere.harmonise.splits import read_back, roles
from dere.io import read_netcdf
from dere.variables import PLANT_TYPES

CONFIG = HarmoniseConfig(window=24, window_stride=12)
SPLITS = SplitsConfig(folds=3, block_degrees=20)


def build(interim, config=CONFIG, splits=SPLITS):
    return harmonise(interim, SimulationSource(), config, splits)


def changed(interim, **parts):
    return Interim(**{**interim.__dict__, **parts})


def test_the_canonical_set_has_all_that_the_contract_names(interim):
    c = build(interim)
    for name, dims in {
        "flux_value": ("site", "time", "flux"),
        "flux_uncertainty": ("site", "time", "flux"),
        "flux_daytime": ("site", "time", "flux"),
        "flux_quality": ("site", "time", "flux"),
        "record": ("site", "time"),
        "driver_filled": ("site", "time"),
        "static": ("site", "attribute"),
        "plant_fraction": ("site", "year", "plant_type"),
        "vegetated_fraction": ("site", "year"),
        "age_weight": ("site", "age"),
        "simulated": ("site", "time", "target"),
        "initial_state": ("window", "stand", "age", "target"),
        "window_site": ("window",),
        "window_start": ("window",),
    }.items():
        assert c.towers[name].dims == dims, name
    assert {"lat", "lon", "igbp", "koppen", "network", "cell", "kind"} <= set(c.towers.coords)
    assert c.towers.attrs["window"] == 24
    assert list(c.drivers["attribute"].values) == list(c.towers["attribute"].values)
    assert c.cover["plant_fraction"].dims == ("cell", "year", "plant_type")
    for dataset in (c.drivers, c.simulation, c.cover):
        np.testing.assert_array_equal(dataset["cell"], interim.forcing["cell"])
    assert not np.isnan(window_drivers(c.towers, False)[0]).any()


def test_left_out_classes_are_other_at_towers_and_cells_and_nothing_else_differs(interim):
    plain, hidden = (build(interim, splits=SPLITS.model_copy(update=own)) for own in ({}, {"protocol": "class"}))
    for name in ("drivers", "towers", "simulation", "cover"):
        before, after = getattr(plain, name), getattr(hidden, name)
        if "static" in before:
            classes = [label.startswith("igbp_") for label in before["attribute"].values]
            known = after["static"].isel(attribute=classes)
            assert (known.sel(attribute="igbp_other") == 1).all() and (known.sum("attribute") == 1).all()
            before, after = before.drop_vars("static"), after.drop_vars("static")
        xr.testing.assert_identical(before, after)


def test_files_come_back_as_they_were_written(interim, tmp_path):
    c = build(interim)
    write(c, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "counts.csv",
        "cover.nc",
        "drivers.nc",
        "simulation.nc",
        "splits.csv",
        "towers.nc",
    ]
    towers = read_netcdf(tmp_path / "towers.nc")
    xr.testing.assert_equal(towers["flux_value"].drop_vars("elevation"), c.towers["flux_value"].drop_vars("elevation"))
    np.testing.assert_array_equal(towers["record"].values.astype(bool), c.towers["record"].values)
    np.testing.assert_array_equal(window_drivers(towers, False)[0], window_drivers(c.towers, False)[0])
    pd.testing.assert_frame_equal(read_back(pd.read_csv(tmp_path / "splits.csv")), c.splits)


def test_every_tower_is_in_exactly_one_fold_and_every_set_is_disjoint(interim):
    c = build(interim)
    sites = c.splits[c.splits["kind"] == "site"]
    assert sorted(sites["id"]) == sorted(c.towers["site"].values)
    assert sites["id"].is_unique
    tested = []
    for fold in range(3):
        table = roles(c.splits, fold)
        table = table[table["kind"] == "site"]
        tested += table.loc[table["role"] == "test", "id"].tolist()
        assert table["role"].isin(["training", "validation", "test"]).all()
    assert sorted(tested) == sorted(sites["id"])


def test_neighbours_are_never_on_both_sides(interim):
    towers = interim.towers.copy(deep=True)
    towers["lat"].values[1], towers["lon"].values[1] = towers["lat"].values[0] + 0.2, towers["lon"].values[0]
    c = build(changed(interim, towers=towers))
    folds = c.splits.set_index("id")["fold"]
    assert folds["XX-S00"] == folds["XX-S01"]


def test_fluxes_of_a_site_change_nothing_but_its_own_labels(interim):
    before = build(interim)
    towers = interim.towers.copy(deep=True)
    for name in ("nee", "gpp_nt", "reco_nt", "gpp_dt"):
        towers[name][4] = towers[name].values[4] * 3 + 1
    towers["reco_nt"][4] = towers["nee"].values[4] + towers["gpp_nt"].values[4]
    after = build(changed(interim, towers=towers))
    assert after.drivers.identical(before.drivers)
    assert after.simulation.identical(before.simulation)
    assert after.cover.identical(before.cover)
    pd.testing.assert_frame_equal(after.splits, before.splits)
    labels = ["flux_value", "flux_uncertainty", "flux_daytime"]
    assert after.towers.drop_vars(labels).identical(before.towers.drop_vars(labels))
    others = np.arange(12) != 4
    for name in labels:
        np.testing.assert_array_equal(after.towers[name].values[others], before.towers[name].values[others])
        assert not np.array_equal(after.towers[name].values[4], before.towers[name].values[4])


def test_sites_without_enough_labels_are_for_prediction_only(interim):
    towers = interim.towers.copy(deep=True)
    towers["nee"][2] = np.nan
    towers["nee_quality"][3, 5:] = 0.1
    c = build(changed(interim, towers=towers))
    assert list(c.towers["kind"].values[[1, 2, 3]]) == ["tower", "predict", "predict"]
    assert np.isnan(c.towers["flux_value"].values[[2, 3]]).all()
    folds = c.splits.set_index("id")["fold"]
    assert folds["XX-S02"] == folds["XX-S03"] == -1
    assert np.isfinite(c.towers["simulated"].values[2]).all()
    with pytest.raises(ValueError, match="no tower has enough labelled months"):
        build(changed(interim, towers=towers.assign(nee=towers["nee"] * np.nan)))


def test_sites_far_from_any_cell_are_dropped_with_a_sentence(interim):
    towers = interim.towers.copy(deep=True)
    towers["lat"].values[5] = -80.0
    c = build(changed(interim, towers=towers))
    assert "no land cell of the simulation within 1.5 cells" in c.dropped["XX-S05"]
    assert "XX-S05" not in c.towers["site"].values
    assert "XX-S05" not in set(c.splits["id"])


def test_records_that_begin_within_a_year_are_put_on_calendar_years(interim):
    towers = interim.towers.isel(time=slice(5, 45))
    c = build(changed(interim, towers=towers))
    assert c.towers.sizes["time"] == 48
    assert not (c.towers["window_start"].values % 12).any()
    assert np.isnan(c.towers["flux_value"].values[:, :5]).all()
    assert not c.towers["record"].values[:, [4, 45]].any()


def test_the_worlds_truth_is_kept_and_makes_tower_co2_trusted(interim):
    towers = interim.towers.copy(deep=True)
    towers["co2"][:] = 444.0
    truth = {
        "virtual_towers": xr.Dataset(
            {"flux_value": (("site", "time", "flux"), np.ones((1, 48, 3)))},
            coords={"site": ["XX-S01"], "time": towers["time"].values, "flux": ["gpp", "reco", "nee"]},
        )
    }
    without = build(changed(interim, towers=towers))
    c = build(changed(interim, towers=towers, truth=truth))
    assert without.truth is None
    assert c.truth["flux_value"].shape == (1, 48, 3)
    assert (c.towers["co2"] == 444.0).all()
    assert not (without.towers["co2"] == 444.0).any()


def test_a_missing_simulation_is_said(interim):
    with pytest.raises(ValueError, match="no simulation was ingested"):
        build(changed(interim, simulation=None))


def test_a_simulation_of_cells_in_another_order_is_refused(interim):
    turned = interim.simulation.isel(cell=slice(None, None, -1))
    with pytest.raises(ValueError, match="the interim simulation and the interim forcing differ in cell"):
        build(changed(interim, simulation=turned))


def test_the_published_cell_split_by_name(interim):
    c = build(interim, splits=SPLITS.model_copy(update={"cell_rule": "published_every_fourth"}))
    cells = c.splits[c.splits["kind"] == "cell"]
    row, column = np.divmod(cells["cell"].to_numpy(), 36)
    outside = cells["fold"].to_numpy() == -1
    lattice = ((row % 4 == 0) & (column % 4 == 0)) | ((row % 8 == 2) & (column % 8 == 2))
    np.testing.assert_array_equal(outside, ~lattice)


def test_satellites_reach_towers_and_statics(interim):
    towers = interim.towers.copy(deep=True)
    season = 2 - np.cos(2 * np.pi * np.arange(48) / 12)
    for name in ("lai_satellite", "evi_satellite"):
        towers[name] = (("site", "time"), np.tile(season, (12, 1)))
    c = build(changed(interim, towers=towers), CONFIG.model_copy(update={"satellites": True}))
    attribute = list(c.towers["attribute"].values)
    assert (c.towers["static"].values[:, attribute.index("has_satellite")] == 1).all()
    drivers, names = window_drivers(c.towers, True)
    assert len(names) == 12
    assert np.isfinite(drivers).all()
    assert not c.drivers["static"].values[:, attribute.index("has_satellite")].any()


def test_provenance_tells_what_became_of_each_file(interim):
    towers = interim.towers.copy(deep=True)
    towers["reco_nt"][1, :3] += 5.0
    towers["lat"].values[5] = -80.0
    files = pd.DataFrame({"file": ["a.csv", "b.csv", "bif.csv"], "site": ["XX-S01", "XX-S05", None]})
    tables = {"towers": files, "cover": pd.DataFrame({"file": ["map.nc"]})}
    table = build(changed(interim, towers=towers, provenance=tables)).provenance.set_index("file")
    assert table.loc["a.csv", "labels_kept"] == 45
    assert table.loc["a.csv", "labels_rejected"] == 3
    assert table.loc["b.csv", "dropped"].startswith("site XX-S05 has no land cell")
    assert table.loc["map.nc", "source"] == "cover"
    assert np.isnan(table.loc["bif.csv", "labels_kept"])


def test_cover_maps_reach_cells_and_sites(interim):
    c = build(changed(interim, cover=make_cover(interim.forcing, seed=9)))
    assert set(c.towers["cover_source"].values) == {"cell"}
    assert (c.cover["plant_fraction"] != build(interim).cover["plant_fraction"]).any()


def test_plant_types_of_later_years_leave_the_statics_as_they_are(interim):
    towers = interim.towers.copy(deep=True)
    # classes that no source states are derived from cover
    towers["igbp"].values[::2] = ""
    cover = make_cover(interim.forcing)
    before = build(changed(interim, towers=towers, cover=cover))
    later = cover.grid.copy(deep=True)
    later["plant_fraction"][1] = [0.05, 0.9, 0.05]
    later["vegetated_fraction"][1] = 0.01
    after = build(changed(interim, towers=towers, cover=Cover(grid=later, grid_ages=cover.grid_ages)))
    assert (after.cover["plant_fraction"] != before.cover["plant_fraction"]).any()
    assert (after.towers["vegetated_fraction"] != before.towers["vegetated_fraction"]).any()
    assert after.drivers.identical(before.drivers)  # statics and derived classes of cells among them
    assert after.towers["static"].identical(before.towers["static"])


def test_plant_types_of_the_first_year_are_in_the_statics(interim):
    c = build(interim)
    columns = [list(c.drivers["attribute"].values).index(f"fraction_{name}") for name in PLANT_TYPES]
    for members, cover in ((c.drivers, c.cover), (c.towers, c.towers)):
        np.testing.assert_array_equal(members["static"].values[:, columns], cover["plant_fraction"].values[:, 0])
