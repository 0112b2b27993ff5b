"""The tables behind the figures, against values known from their construction."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.figures import closure_histogram, label_weights, plant_fractions, product_maps, seasonal_cycles, world_map
from dere.figures.observed import example_sites, good_months, labelled
from dere.figures.skill_comparison import against, one_run
from dere.products.grid import Grid
from dere.variables import FLUXES


def test_seasonal_cycle_averages_within_a_tower_first_and_turns_the_south(towers, predictions):
    time = towers["time"].values
    two = towers.isel(site=[0, 24]).assign_coords(igbp=("site", ["ENF", "ENF"]), lat=("site", [50.0, -30.0]))
    month = pd.DatetimeIndex(time).month.to_numpy()
    flux = np.zeros((2, time.size, 3))
    flux[0] = month[:, None]  # north: July has 7
    flux[1] = ((month + 5) % 12 + 1)[:, None] + 10.0  # south: January has 7 + 10
    flux[1, 12:] = np.nan  # a sixth of the record, but the same say
    quality = np.ones((2, time.size))
    quality[0, 6] = 0.2
    flux[0, 6] = 1000.0
    two["flux_value"] = (("site", "time", "flux"), flux)
    two["flux_quality"] = (("site", "time"), quality)
    guess = xr.Dataset({"prediction": two["flux_value"] + 1.0}).fillna(5.0)
    table = seasonal_cycles.tabulate(two, {"dere": guess}, ["dere", "gbm"])
    assert set(table["series"]) == {"observed", "dere"} and (table["sites"] == 2).all()
    seen = table[(table["series"] == "observed") & (table["flux"] == "gpp")].set_index("month")["value"]
    np.testing.assert_allclose(seen, np.arange(1, 13) + 5.0)
    predicted = table[(table["series"] == "dere") & (table["flux"] == "nee")].set_index("month")["value"]
    np.testing.assert_allclose(predicted, np.arange(1, 13) + 6.0)


def test_closure_table_puts_residuals_into_decades():
    values = np.zeros((1, 4, 3))
    values[0, :, 1] = [0.0, 3e-6, -4e-6, 0.5]
    values[0, 3, 0] = np.nan
    data = xr.Dataset({"prediction": (("site", "time", "flux"), values)}, coords={"flux": list(FLUXES)})
    table = closure_histogram.tabulate({"dere": data}).set_index("exponent")
    assert table["share"].loc[-6] == pytest.approx(2 / 3) and table["share"].loc[-17] == pytest.approx(1 / 3)
    assert table["share"].sum() == pytest.approx(1) and table["largest"].iloc[0] == pytest.approx(4e-6)


def test_label_weights_are_precisions_relative_to_observed_months(labels):
    data = labels.isel(site=[0]).copy(deep=True)
    data["origin"][:] = 2
    data["origin"][0, :36] = 1
    variance = np.where(np.arange(data.sizes["time"]) < 36, 0.04, 0.16)
    data["covariance"][:] = variance[None, :, None, None] * np.eye(2)
    table = label_weights.tabulate(data)
    weight = table[(table["quantity"] == "weight") & (table["share"] > 0)].set_index("origin")
    assert weight.loc["observed", "lower"] <= 1.0 <= weight.loc["observed", "upper"]
    assert weight.loc["imputed", "lower"] <= 0.25 <= weight.loc["imputed", "upper"]
    assert (weight["share"] == 1).all() and (weight["at_minimum"] == 1).all()


def test_singular_label_covariances_are_refused(labels):
    data = labels.copy(deep=True)
    data["covariance"][0, 0] = 1.0
    with pytest.raises(ValueError, match="1 of 1296 label covariances are singular"):
        label_weights.tabulate(data)


def test_product_map_table_compares_both_sides_per_land_area():
    grid = Grid(30.0)
    field = np.full((2, 6, 12), np.nan)
    field[:, 4, 3] = 2.0 * 1e-3 / 86400
    axes = {"time": [0, 1], "lat": grid.lat, "lon": grid.lon}
    products = {f: xr.Dataset({f: (("time", "lat", "lon"), field)}, coords=axes) for f in FLUXES}
    truth = xr.Dataset(
        {"cell_flux": (("cell", "time", "flux"), np.full((1, 2, 3), 3.0)), "vegetated_fraction": ("cell", [0.5])},
        coords={"cell": [7], "lat": ("cell", [grid.lat[4]]), "lon": ("cell", [grid.lon[3]]), "flux": list(FLUXES)},
    )
    table = product_maps.tabulate(products, truth)
    assert len(table) == 3  # one land cell, ocean left out
    np.testing.assert_allclose(table["product"], 2.0 * 365.25)
    np.testing.assert_allclose(table["truth"], 1.5 * 365.25)
    cover = xr.Dataset({"vegetated_fraction": (("cell", "year"), [[0.2, 0.4]])}, coords={"cell": [7]})
    with_cover = product_maps.tabulate(products, truth.drop_vars("vegetated_fraction"), cover)
    np.testing.assert_allclose(with_cover["truth"], 0.9 * 365.25)


def test_plant_fraction_table_has_the_roles_and_leaves_bare_cells_out(learned, cover):
    bare = cover.copy(deep=True)
    bare["vegetated_fraction"][0] = 0.0
    cells = cover["cell"].values
    roles = pd.DataFrame({"id": cells.astype(str), "kind": "cell", "role": "training"})
    roles.loc[1, "role"] = "test"
    table = plant_fractions.tabulate(learned, bare, roles)
    assert cells[0] not in set(table["cell"])
    assert set(table.loc[table["role"] == "test", "cell"]) == {cells[1]}
    row = table[(table["cell"] == cells[2]) & (table["plant_type"] == "NL")].iloc[0]
    assert row["observed"] == pytest.approx(float(cover["plant_fraction"].sel(cell=cells[2], plant_type="NL")[0]))


def test_world_table_is_the_mean_true_gpp(drivers, truth):
    table = world_map.tabulate(drivers, truth)
    np.testing.assert_allclose(table["gpp"], truth["cell_flux"].sel(flux="gpp").mean("time"))


def test_one_run_prefers_pooled_rows_and_keeps_one_backbone():
    rows = [
        ("a", "x", "0", "0"), ("a", "x", "all", "all"), ("a", "x", "all", "ensemble"), ("a", "y", "all", "all"),
        ("b", "none", "1", "0"), ("b", "none", "0", "1"), ("b", "none", "0", "0"),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["method", "backbone", "fold", "seed"])
    kept = [tuple(row) for row in one_run(table).to_numpy()]
    assert kept == [("a", "x", "all", "all"), ("b", "none", "0", "0")]


def test_against_turns_a_stored_pair_round(paired):
    table = against(paired, "gbm_sim").set_index(["method", "flux", "grouping"])
    low, value, high = table.loc[("climatology", "gpp", "all"), ["low", "value", "high"]]
    assert (low, value, high) == pytest.approx((-0.21, -0.09, 0.03))
    assert table.loc[("dere", "gpp", "virtual"), "value"] == pytest.approx(0.12)


def test_good_months_need_label_and_quality(towers):
    good = good_months(towers, "gpp").values
    seen = np.isfinite(towers["flux_value"].values[..., 0])
    np.testing.assert_array_equal(good, seen & (towers["flux_quality"].values >= 0.5))


def test_example_sites_cover_the_classes_first(towers):
    sites = example_sites(towers, towers["site"].values, 6, "gpp")
    assert len(set(towers["igbp"].sel(site=sites).values)) == 6
    assert not any(site.startswith("V") for site in sites)
    with pytest.raises(ValueError, match="variable missing_one is missing"):
        labelled(towers, "missing_one")
