"""Annual maps and totals with intervals: means, widths, files, and what is not stated."""

from __future__ import annotations

from dataclasses import replace

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.optimize import brentq
from scipy.stats import norm

from dere.config.products import ProductsConfig
from dere.evaluation.calibration import calibration
from dere.evaluation.map_coverage import map_coverage
from dere.evaluation.schemas import checked
from dere.exchange.co2 import EXCHANGE
from dere.intervals.neighbours import Neighbours
from dere.intervals.spread import cell_scale, spread
from dere.intervals.stated import stated
from dere.products.annual import annual_means, whole_years
from dere.products.files import write_products
from dere.products.run_mean import mean_of_runs
from dere.products.total_intervals import limits_of_totals, std_of_totals, totals_of_cells, with_intervals
from dere.products.totals import totals
from invented_errors import KNOWN

MODEL = replace(KNOWN, neighbours=Neighbours(np.array([0.5, 0.2, 0.1, 0.05]), np.full(6, 30.0)))


@pytest.fixture
def stating(predictions):
    """Cells by a file that states its error model."""
    mean = EXCHANGE.close(predictions["prediction"].values.astype(float))
    made = spread(mean, cell_scale(mean, MODEL, None, np.full(5, 0.4)), MODEL, "cell", "cell")
    bare = predictions.drop_vars(["std", "quantile_value", "quantile"]).assign(made)
    bare["extrapolation_index"] = ("cell", np.full(5, 0.4))
    bare["prediction"] = predictions["prediction"].copy(data=mean)
    return bare.assign_attrs(stated(MODEL))


def test_annual_means_weigh_months_by_their_length_and_close(stating):
    found = annual_means(stating, EXCHANGE)
    days = pd.DatetimeIndex(stating["time"].values[:12]).days_in_month.to_numpy()
    expected = np.average(stating["prediction"].values[:, :12], axis=1, weights=days)
    np.testing.assert_allclose(found["prediction"].values[:, 0], expected, rtol=1e-12)
    gpp, reco, nee = (found["prediction"].values[..., i] for i in range(3))
    np.testing.assert_array_equal(nee, reco - gpp)
    assert list(pd.DatetimeIndex(found["time"].values).year) == [2001, 2002]
    # errors of months go together, but not wholly
    monthly = stating["std"].values[:, :12]
    assert (found["std"].values[:, 0] < monthly.mean(1)).all()
    assert (found["std"].values[:, 0] > np.sqrt((monthly**2).sum(1)) / 12).all()
    assert (found["quantile_value"].isel(flux=[0, 1]) >= 0).all()


def test_incomplete_years_are_left_out_and_files_that_state_nothing_have_means_only(predictions):
    part = predictions.isel(time=slice(3, 24))
    assert list(whole_years(part["time"].values)) == [2002]
    found = annual_means(part, EXCHANGE)
    assert found.sizes["time"] == 1 and set(found.data_vars) == {"prediction"}
    assert annual_means(part.isel(time=slice(0, 8)), EXCHANGE).sizes["time"] == 0


def test_annual_files_are_cf_files_of_years(stating, cover, drivers, tmp_path):
    annual = annual_means(stating, EXCHANGE)
    paths = write_products(annual, cover, drivers, tmp_path, ProductsConfig(), frequency="yr")
    assert [path.name for path in paths] == [f"{name}_yr_dere_gn_2001-2002.nc" for name in EXCHANGE.names]
    with netCDF4.Dataset(paths[0]) as file:
        assert file.frequency == "yr" and {"gpp_std", "gpp_q05", "gpp_q50", "gpp_q95"} <= set(file.variables)
        np.testing.assert_array_equal(np.diff(file["time_bnds"][:], axis=1)[:, 0], [365, 365])


def test_totals_have_the_standard_deviation_of_their_errors(stating, cover, drivers, tmp_path):
    area = cover["vegetated_fraction"]
    std = std_of_totals(stating, area, drivers, EXCHANGE)
    maps = dict(
        zip(
            EXCHANGE.names, map(_read, write_products(stating, cover, drivers, tmp_path, ProductsConfig())), strict=True
        )
    )
    table = totals(maps)
    direct = totals_of_cells(stating, area, drivers, EXCHANGE)
    key = ["flux", "region", "year"]
    both = table.set_index(key).join(direct.set_index(key)[["total_pgc"]], rsuffix="_direct")
    np.testing.assert_allclose(both["total_pgc"], both["total_pgc_direct"], rtol=1e-5, atol=1e-6)
    found = with_intervals(table, [std], [], EXCHANGE).query("region == 'global'")
    width = found["q95_pgc"] - found["q05_pgc"]
    np.testing.assert_allclose(width, 2 * 1.6448536 * found["std_pgc"], rtol=1e-6)
    # of five cells far from each other: less than if all erred alike, more than if each erred alone
    weight = (drivers["cell_area"] * drivers["land_fraction"]).values * area.sel(year=2001).values * 365 / 1e15
    yearly = annual_means(stating, EXCHANGE)
    scale = cell_scale(stating["prediction"].values, MODEL, None, np.full(5, 0.4))
    scale = MODEL.truth.scale_of_sum(scale[:, :12], np.full(12, 1 / 12), waves=MODEL.waves(scale))
    single = MODEL.std(scale) * weight[:, None]
    for flux, name in enumerate(EXCHANGE.names):
        own = float(found[(found["flux"] == name) & (found["year"] == 2001)]["std_pgc"].iloc[0])
        assert np.sqrt((single[:, flux] ** 2).sum()) * 0.98 < own < single[:, flux].sum()
    assert yearly.sizes["time"] == 2
    # a region without cells has a total of zero, for sure
    assert (with_intervals(table, [std], [], EXCHANGE).query("total_pgc == 0")["std_pgc"] == 0).all()


def test_without_a_whole_year_or_a_flux_that_adds_up_there_are_no_totals(stating, cover, drivers):
    area, part = cover["vegetated_fraction"], stating.isel(time=slice(3, 12))
    silent = replace(EXCHANGE, fluxes=tuple(replace(flux, public_unit="W m-2") for flux in EXCHANGE.fluxes))
    for file, exchange in ((part, EXCHANGE), (stating, silent)):
        std = std_of_totals(file, area, drivers, exchange)
        assert std.empty and list(std.index.names) == ["flux", "region", "year"]
        table = with_intervals(totals_of_cells(file, area, drivers, exchange), [std], [], exchange)
        assert table.empty and "std_pgc" in table


def test_totals_of_a_flux_that_is_never_negative_have_no_negative_interval_and_keep_their_mean():
    """Against the quantiles of the cut normal distribution of the same mean, from many draws."""
    total, std, both = np.array([0.3, 20.0, 0.3, 0.0]), np.array([0.6, 2.0, 0.6, 0.1]), (0.05, 0.95)
    ends = limits_of_totals(total, std, np.array([True, True, False, True]), both)
    np.testing.assert_allclose(
        ends[1:3], total[1:3, None] + std[1:3, None] * np.array([-1.644854, 1.644854]), rtol=1e-6
    )
    assert ends[2, 0] < 0 and (ends[3] == 0).all()
    draws = norm.ppf((np.arange(200000) + 0.5) / 200000) * 0.6
    shift = brentq(lambda moved: np.maximum(moved + draws, 0).mean() - 0.3, -3, 1)
    cut = np.maximum(shift + draws, 0)
    np.testing.assert_allclose(ends[0], np.quantile(cut, both), atol=1e-3)


def test_the_scatter_of_folds_widens_totals_and_nothing_stated_leaves_them_empty(stating, predictions, cover, drivers):
    area = cover["vegetated_fraction"]
    other = stating.copy(deep=True)
    other["prediction"] = other["prediction"] * 1.5
    runs = [stating, other]
    means = [totals_of_cells(run, area, drivers, EXCHANGE) for run in runs]
    stds = [std_of_totals(run, area, drivers, EXCHANGE) for run in runs]
    mean = totals_of_cells(mean_of_runs(runs), area, drivers, EXCHANGE)
    wide = with_intervals(mean, stds, means, EXCHANGE).query("region == 'global' and flux == 'gpp'")
    expected = np.mean([one.sort_index().loc["gpp", "global"].to_numpy() ** 2 for one in stds], axis=0)
    each = np.stack([one.query("region == 'global' and flux == 'gpp'")["total_pgc"].to_numpy() for one in means])
    np.testing.assert_allclose(wide["std_pgc"], np.sqrt(expected + each.var(0, ddof=1)), rtol=1e-9)
    assert std_of_totals(predictions, area, drivers, EXCHANGE).empty
    assert (
        with_intervals(mean, [std_of_totals(predictions, area, drivers, EXCHANGE)], [], EXCHANGE)["std_pgc"]
        .isna()
        .all()
    )


@pytest.mark.parametrize("scale", ["monthly", "annual"])
def test_coverage_of_maps_is_that_of_cells(stating, cover, drivers, tmp_path, scale):
    """The truth is the prediction in all cells but one, where it lies far above."""
    cover["vegetated_fraction"][:] = [[0.9], [0.5], [0.0], [0.7], [0.3]]
    values = stating if scale == "monthly" else annual_means(stating, EXCHANGE)
    frequency = "mon" if scale == "monthly" else "yr"
    paths = write_products(values, cover, drivers, tmp_path, ProductsConfig(), frequency=frequency)
    maps = {name: _read(path) for name, path in zip(EXCHANGE.names, paths, strict=True)}
    flux = stating["prediction"].copy()
    flux[1] = flux[1] + 60.0
    truth = xr.Dataset({"cell_flux": flux, "vegetated_fraction": cover["vegetated_fraction"]})
    rows = map_coverage(maps, truth, drivers, method="dere", backbone="lags", scale=scale, exchange=EXCHANGE)
    table = checked(calibration(rows, 50), "calibration")
    assert (table["sites"] == 4).all() and set(table["grouping"]) == {"map"} and set(table["scale"]) == {scale}
    np.testing.assert_allclose(table["coverage_90"], 0.75)
    assert (table["periods"] == 4 * (24 if scale == "monthly" else 2)).all() and (table["part"] == "all").all()
    empty = {name: one.drop_vars([f"{name}_q05"]) for name, one in maps.items()}
    assert map_coverage(empty, truth, drivers, method="d", backbone="l", scale=scale, exchange=EXCHANGE).empty


def test_quantiles_of_several_runs_widen_as_their_standard_deviation_does(stating):
    other = stating.copy(deep=True)
    other["prediction"] = other["prediction"] * 1.4
    other["quantile_value"] = other["quantile_value"] + (other["prediction"] - stating["prediction"])
    found = mean_of_runs([stating, other])
    nee = found.sel(flux="nee")
    wide, narrow = (
        (one.sel(quantile=0.95) - one.sel(quantile=0.05)).values
        for one in (nee["quantile_value"], stating["quantile_value"].sel(flux="nee"))
    )
    ratio = (found["std"] / stating["std"]).sel(flux="nee").transpose("cell", "time").values
    np.testing.assert_allclose(wide / narrow, ratio, rtol=1e-9)
    assert ratio.max() > 1.2 and float(found["quantile_value"].sel(flux=["gpp", "reco"]).min()) >= 0.0


def _read(path):
    return xr.open_dataset(path)
