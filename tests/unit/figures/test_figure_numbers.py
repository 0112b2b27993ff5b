"""The tables behind the figures, against values known from their construction."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from dere.figures import (
    closure_histogram,
    label_weights,
    plant_fractions,
    product_maps,
    seasonal_cycles,
    series,
    world_map,
)
from dere.figures.observed import example_sites, good_months, labelled
from dere.figures.skill_comparison import against, one_run
from dere.products.grid import Grid
from dere.products.totals import totals
from dere.variables import FLUXES, PLANT_TYPES


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
    two["flux_quality"] = (("site", "time", "flux"), np.repeat(quality[..., None], 3, -1))
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
    np.testing.assert_allclose(table["zero"], 1 / 3)


def test_the_closure_histogram_shows_one_month_in_a_hundred_thousand():
    """A share of 1e-5 was a bar of no height, beside words that told of zeros only."""
    residual = np.zeros(100_000)
    residual[:20] = 3e-16
    residual[0] = 2e-3
    values = np.zeros((1, residual.size, 3))
    values[0, :, 1] = residual
    data = xr.Dataset({"prediction": (("site", "time", "flux"), values)}, coords={"flux": list(FLUXES)})
    table = closure_histogram.tabulate({"dere": data})
    figure = Figure(figsize=(8, 2), dpi=100)
    bars = closure_histogram.draw(figure, table)
    figure.canvas.draw()
    heights = [bar.get_window_extent().height for bar in bars if bar.get_height() > 0]
    assert len(heights) == 3 and min(heights) > 8
    text = figure.axes[0].texts[0].get_text()
    assert "zero in 99.9 %" in text and "largest 2.0e-03" in text
    assert "exact zeros and all below" in figure.axes[0].get_xlabel()


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
    assert (weight["share"] == 1).all() and (weight["at_smallest_std"] == 1).all()


def test_label_weights_count_the_months_on_the_floor_of_the_spread(labels):
    """Eight of ten observed months on the floor of NEE, five of them on that of RECO: the highest weights."""
    data = labels.isel(site=[0], time=slice(0, 14)).copy(deep=True)
    data["origin"][0] = [1] * 10 + [2] * 4
    nee = [0.15] * 8 + [0.4, 0.5] + [0.6, 0.7, 0.8, 0.9]
    reco = [0.15] * 5 + [0.3, 0.35, 0.4, 0.45, 0.5] + [0.6, 0.7, 0.8, 0.9]
    data["covariance"][0] = np.stack([np.diag([a**2, b**2]) for a, b in zip(nee, reco, strict=True)])
    table = label_weights.tabulate(data.astype("float32"))
    found = table.groupby(["quantity", "origin"])["at_smallest_std"].first()
    assert found.loc["std_nee"].to_dict() == {"observed": 0.8, "imputed": 0.25}
    assert found.loc["std_reco", "observed"] == found.loc["weight", "observed"] == 0.5
    weight = table[(table["quantity"] == "weight") & (table["origin"] == "observed")]
    assert weight.iloc[-1]["share"] == pytest.approx(0.5)  # the highest weight
    figure = Figure(layout="constrained")
    label_weights.draw(figure, table)
    titles = [axes.get_title() for axes in figure.axes]
    assert "at the smallest standard deviation:\nobserved 80 %, imputed 25 %" in titles[0] and "both" in titles[2]


def test_singular_label_covariances_are_refused(labels):
    data = labels.copy(deep=True)
    data["covariance"][0, 0] = 1.0
    with pytest.raises(ValueError, match="1 of 1296 label covariances are singular"):
        label_weights.tabulate(data)


def product_of(flux_per_day, time):
    """Products of one land cell of a 30 degree grid; ``flux_per_day`` (time,) in gC m-2 d-1."""
    grid = Grid(30.0)
    field = np.full((time.size, 6, 12), np.nan)
    field[:, 4, 3] = np.asarray(flux_per_day) * 1e-3 / 86400
    axes = {"time": time, "lat": grid.lat, "lon": grid.lon}
    return {f: xr.Dataset({f: (("time", "lat", "lon"), field)}, coords=axes) for f in FLUXES}


def truth_of(flux_per_day, time):
    grid = Grid(30.0)
    values = np.repeat(np.asarray(flux_per_day, float)[None, :, None], 3, 2)
    return xr.Dataset(
        {"cell_flux": (("cell", "time", "flux"), values), "vegetated_fraction": ("cell", [0.5])},
        coords={
            "cell": [7], "lat": ("cell", [grid.lat[4]]), "lon": ("cell", [grid.lon[3]]), "flux": list(FLUXES),
            "time": time,
        },
    )  # fmt: skip


def test_product_map_table_compares_both_sides_per_land_area():
    time = pd.date_range("2001-01-01", periods=12, freq="MS") + pd.Timedelta(days=14)
    products, truth = product_of(np.full(12, 2.0), time), truth_of(np.full(12, 3.0), time)
    table = product_maps.tabulate(products, truth)
    assert len(table) == 3  # one land cell, ocean left out
    np.testing.assert_allclose(table["product"], 2.0 * 365)
    np.testing.assert_allclose(table["truth"], 1.5 * 365)
    cover = xr.Dataset({"vegetated_fraction": (("cell", "year"), [[0.2, 0.4]])}, coords={"cell": [7]})
    with_cover = product_maps.tabulate(products, truth.drop_vars("vegetated_fraction"), cover)
    np.testing.assert_allclose(with_cover["truth"], 0.9 * 365)


def test_annual_sums_weight_months_by_their_length_over_complete_years():
    """Uptake in long months only, and a month of a third year that must not count: by hand, day by day."""
    time = pd.date_range("2003-01-01", periods=25, freq="MS") + pd.Timedelta(days=14)
    per_day = np.where(time.days_in_month == 31, 1.0, 0.1) + np.where(time.year == 2004, 0.5, 0.0)
    per_day[24] = 1e6
    long, short = 7 * 31, (365 - 7 * 31) * 0.1
    expected = ((long + short) + (long + short + 0.1 + 0.5 * 366)) / 2
    table = product_maps.tabulate(product_of(per_day, time), truth_of(per_day, time))
    np.testing.assert_allclose(table["product"], expected, rtol=1e-6)
    np.testing.assert_allclose(table["truth"], 0.5 * expected, rtol=1e-6)
    part = product_maps.tabulate(product_of(np.full(5, 2.0), time[:5]))
    np.testing.assert_allclose(part["product"], 2.0 * 365.25)


def test_product_maps_add_up_to_the_totals_of_the_run(files):
    """Area times map over all cells is the mean of the annual totals of ``tables/totals.csv``."""
    products = {path.name.split("_")[0]: xr.open_dataset(path) for path in files["products"]}
    annual = totals(products).query("region == 'global'").groupby("flux")["total_pgc"].mean()
    weight = (products["gpp"]["areacella"] * products["gpp"]["sftlf"] / 100).to_series().rename("area")
    table = product_maps.tabulate(products).set_index(["lat", "lon"]).join(weight)
    found = (table["product"] * table["area"]).groupby(table["flux"]).sum() / 1e15
    pd.testing.assert_series_equal(found, annual, check_names=False, rtol=1e-6)


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


def test_persistence_is_the_first_year_and_the_observed_mean_leaves_it_out():
    fractions = np.array([[[0.2, 0.3, 0.5], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2]]])
    coords = {"cell": [4], "plant_type": list(PLANT_TYPES)}
    cover = xr.Dataset(
        {
            "plant_fraction": (("cell", "year", "plant_type"), fractions),
            "vegetated_fraction": (("cell", "year"), np.ones((1, 3))),
        },
        coords={**coords, "year": [2000, 2001, 2002]},
    )
    learned = xr.Dataset({"plant_fraction": (("cell", "plant_type"), [[0.4, 0.4, 0.2]])}, coords=coords)
    table = plant_fractions.tabulate(learned, cover)
    np.testing.assert_allclose(table["persistence"], [0.2, 0.3, 0.5])
    np.testing.assert_allclose(table["observed"], [0.4, 0.3, 0.3])
    assert plant_fractions.rmse(table) == pytest.approx(
        {"network": np.sqrt((0 + 0.1**2 + 0.1**2) / 3), "persistence": np.sqrt((0.2**2 + 0 + 0.2**2) / 3)}
    )
    one_year = plant_fractions.tabulate(learned, cover.isel(year=[0]))
    np.testing.assert_allclose(one_year["observed"], one_year["persistence"])


@pytest.mark.parametrize(
    ("values", "limit"),
    [([0.0, 0.0], 0.001), ([1e-9], 0.001), ([-0.07], 0.07), ([0.3, np.nan], 0.3), ([0.0132], 0.02), ([-0.96], 1.0)],
)
def test_colours_of_differences_end_at_a_round_number_that_is_never_zero(values, limit):
    assert plant_fractions.symmetric_limit(np.array(values)) == limit


def test_one_far_cell_in_a_thousand_does_not_stretch_the_colours():
    assert plant_fractions.symmetric_limit(np.append(np.full(999, 0.004), 0.9)) == 0.004


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
    np.testing.assert_array_equal(good, seen & (towers["flux_quality"].values[..., 0] >= 0.5))


def test_the_series_table_holds_what_the_files_hold(towers, predictions, labels):
    table = series.tabulate(towers, predictions["dere"], labels, flux="reco", panels=4)
    assert list(table.columns) == list(series.COLUMNS) and set(table["flux"]) == {"reco"}
    assert table.groupby("side")["site"].nunique().to_dict() == {"unseen": 2, "training": 2}
    for side, source, name in (("unseen", predictions["dere"], "prediction"), ("training", labels, "label")):
        assert list(table.loc[table["side"] == side, "series"].unique()) == [
            "dere" if side == "unseen" else series.LABELS
        ]
        for site, part in table[table["side"] == side].groupby("site"):
            here = source.sel(site=site, flux="reco", time=part["time"].to_numpy())
            np.testing.assert_array_equal(part["value"], here[name])
            np.testing.assert_array_equal(part["high"], here["quantile_value"].sel(quantile=0.95))
            seen = towers["flux_value"].sel(site=site, flux="reco")
            np.testing.assert_array_equal(part["observed"], seen.sel(time=part["time"].to_numpy()))
            assert int(part["observed"].notna().sum()) == int(seen.notnull().sum())
            assert int(part["good"].sum()) == int(good_months(towers, "reco").sel(site=site).sum())
            expected = (source["origin"].sel(site=site) == 2).sum() if side == "training" else 0
            assert int(part["imputed"].sum()) == int(expected)


def test_a_partly_observed_month_counts_as_imputed_where_the_flux_is_missing(towers, predictions, labels):
    site = str(
        series.tabulate(towers, predictions["dere"], labels, panels=2).query("side == 'training'")["site"].iloc[0]
    )
    seen, partly = towers.copy(deep=True), labels.sel(site=[site]).copy(deep=True)
    months = np.flatnonzero(good_months(towers, "nee").sel(site=site).values & (partly["origin"].values[0] == 1))[:5]
    partly["origin"][0, months] = 3
    place = list(towers["site"].values).index(site)
    seen["flux_value"][place, months, list(towers["flux"].values).index("gpp")] = np.nan
    for flux, expected in (("gpp", True), ("nee", False)):
        table = series.tabulate(seen, predictions["dere"], partly, flux=flux, panels=2).query("side == 'training'")
        found = table.set_index("time").loc[towers["time"].values[months], "imputed"]
        assert (found == expected).all() and len(found) == 5


def test_months_without_any_value_leave_a_gap_in_the_series(towers, predictions):
    """A line must not join the months on both sides of a hole, so the rows between them stay."""
    site = series.tabulate(towers, predictions["dere"], panels=1)["site"].iloc[0]
    months = towers["time"].values
    hole = (months > months[20]) & (months < months[40])
    seen, guess = towers.copy(deep=True), predictions["dere"].sel(site=[site]).copy(deep=True)
    for data, name in ((seen, "flux_value"), (guess, "prediction")):
        data[name].loc[{"site": site, "time": months[hole]}] = np.nan
    table = series.tabulate(seen, guess, panels=1)
    assert table["site"].iloc[0] == site and table["time"].diff().max() < pd.Timedelta(days=32)
    assert table.set_index("time").loc[months[hole], ["value", "observed"]].isna().all(axis=None)


def test_example_sites_cover_the_classes_first(towers):
    sites = example_sites(towers, towers["site"].values, 6, "gpp")
    assert len(set(towers["igbp"].sel(site=sites).values)) == 6
    assert not any(site.startswith("V") for site in sites)
    with pytest.raises(ValueError, match="variable missing_one is missing"):
        labelled(towers, "missing_one")
