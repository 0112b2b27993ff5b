"""The public files: round trip, CF, totals."""

import json
from datetime import UTC, datetime
from importlib.util import find_spec

import netCDF4
import numpy as np
import pytest
import xarray as xr

from dere.config.products import ProductsConfig
from dere.exchange.co2 import PUBLIC_UNIT as PRODUCT_UNIT
from dere.products.attributes import Provenance
from dere.products.files import write_products
from dere.products.totals import closure, totals
from dere.variables import FLUX_UNIT, FLUXES, convert

PROVENANCE = Provenance("abc1234", "f00", {"towers": "test"}, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def paths(predictions, cover, drivers, tmp_path):
    return write_products(predictions, cover, drivers, tmp_path, ProductsConfig(), PROVENANCE)


def test_names_follow_the_contract(paths):
    assert [path.name for path in paths] == [f"{flux}_mon_dere_gn_200101-200212.nc" for flux in FLUXES]
    assert not list(paths[0].parent.glob("*.partial.*"))


def test_round_trip_returns_the_prediction_per_vegetated_area(paths, predictions, cover, drivers):
    for flux, path in zip(FLUXES, paths, strict=True):
        with xr.open_dataset(path) as product:
            got = product[flux].sel(lat=drivers["lat"], lon=drivers["lon"]).transpose("cell", "time")
            share = np.repeat(cover["vegetated_fraction"].values, 12, axis=1)
            expected = predictions["prediction"].sel(flux=flux).values * share
            np.testing.assert_allclose(convert(got.values, PRODUCT_UNIT, FLUX_UNIT), expected, atol=2e-6)
            assert int(product[flux].isel(time=0).notnull().sum()) == drivers.sizes["cell"]  # ocean missing, not zero
            assert (
                product["time"].dt.strftime("%Y-%m").values == predictions["time"].dt.strftime("%Y-%m").values
            ).all()
            assert (product[f"{flux}_q05"] <= product[f"{flux}_q95"]).sum() == product[flux].notnull().sum()


def test_closure_of_the_files(paths):
    products = {flux: xr.open_dataset(path) for flux, path in zip(FLUXES, paths, strict=True)}
    assert closure(products)["maximum"] < 1e-5
    stored = products["nee"]["carbon_closure_residual"].values
    assert 0 < np.nanmax(np.abs(stored)) < 2e-14


def test_global_total_of_a_constant_field_is_area_times_flux_times_time(predictions, cover, drivers, tmp_path):
    predictions["prediction"][:] = np.array([3.0, 2.0, -1.0])
    cover["vegetated_fraction"][:] = 1.0
    paths = write_products(predictions, cover, drivers, tmp_path, ProductsConfig(), PROVENANCE)
    table = totals({flux: xr.open_dataset(path) for flux, path in zip(FLUXES, paths, strict=True)})
    land_area = float((drivers["cell_area"] * drivers["land_fraction"]).sum())
    for flux, per_day in zip(FLUXES, (3.0, 2.0, -1.0), strict=True):
        got = table[(table["flux"] == flux) & (table["region"] == "global")]
        np.testing.assert_allclose(got["total_pgc"], land_area * per_day * 365 / 1e15, rtol=1e-6)
        bands = table[(table["flux"] == flux) & (table["region"] != "global") & (table["year"] == 2001)]
        np.testing.assert_allclose(bands["total_pgc"].sum(), got["total_pgc"].iloc[0], rtol=1e-9)


def test_coordinates_carry_bounds_and_no_fill_value(paths):
    with netCDF4.Dataset(paths[0]) as file:
        assert file.dimensions["time"].isunlimited()
        for name in ("time", "lat", "lon"):
            variable = file[name]
            assert variable.bounds == f"{name}_bnds"
            for each in (variable, file[variable.bounds]):
                assert "_FillValue" not in each.ncattrs()
            assert (np.diff(variable[:]) > 0).all()
        assert file["time"].units == "days since 1850-01-01" and file["time"].calendar == "standard"
        january, february = file["time"][:2]
        assert january - file["time_bnds"][0, 0] == 15.5 and february - file["time_bnds"][1, 0] == 14.0
        assert file["gpp"].cell_methods == "area: mean where land time: mean"
        quantiles = [f"gpp_q{level}" for level in ("05", "50", "95")]
        assert file["gpp"].ancillary_variables.split() == ["gpp_std", *quantiles, "extrapolation_index"]
        assert file["gpp"]._FillValue == np.float32(1e20)
        assert file.nominal_resolution == "5000 km" and "seed 0" in file.variant_info


def test_a_method_without_uncertainty_gets_no_ancillary_variables(predictions, cover, drivers, tmp_path):
    bare = predictions[["prediction"]]
    path = write_products(bare, cover, drivers, tmp_path, ProductsConfig(), PROVENANCE)[1]
    with netCDF4.Dataset(path) as file:
        assert "ancillary_variables" not in file["reco"].ncattrs()
        assert "standard_name" not in file["reco"].ncattrs()  # CF has no name for it; none is invented
        assert "reco_std" not in file.variables


def test_same_inputs_give_the_same_tracking_id_and_bytes(predictions, cover, drivers, tmp_path):
    first, second = (
        write_products(predictions, cover, drivers, tmp_path / name, ProductsConfig(), PROVENANCE)[0] for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()


def _drop_month(predictions, drivers):
    return predictions.isel(time=[0, 1, 3]), drivers


def _land_area(predictions, drivers):
    return predictions, drivers.assign_coords(cell_area=drivers["cell_area"] * drivers["land_fraction"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_drop_month, "2001-04 where 2001-03 is due"), (_land_area, "cell_area of the drivers differs")],
    ids=["missing month", "land area for cell area"],
)
def test_bad_input_ends_in_a_sentence_and_leaves_nothing(predictions, cover, drivers, tmp_path, spoil, message):
    predictions, drivers = spoil(predictions, drivers)
    with pytest.raises(ValueError, match=message):
        write_products(predictions, cover, drivers, tmp_path, ProductsConfig(), PROVENANCE)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(find_spec("compliance_checker") is None, reason="compliance-checker is not installed")
@pytest.mark.parametrize("index", range(3), ids=FLUXES)
def test_files_pass_the_cf_checker(paths, index, tmp_path):
    report = tmp_path / "cf.json"
    from compliance_checker.runner import CheckSuite, ComplianceChecker

    CheckSuite.load_all_available_checkers()
    _, errors = ComplianceChecker.run_checker(
        str(paths[index]), ["cf:1.8"], verbose=0, criteria="strict", output_filename=str(report), output_format="json"
    )
    found = json.loads(report.read_text())["cf:1.8"]
    levels = ("high_priorities", "medium_priorities", "low_priorities")
    # The checker also lists remarks on checks that passed; a complaint is a check with points lost.
    lost = [item for level in levels for item in found[level] if item["value"][0] < item["value"][1]]
    complaints = [text for item in lost for text in item["msgs"]]
    assert not errors and complaints == []


def test_files_state_code_and_sources(predictions, cover, drivers, tmp_path):
    origin = Provenance("abc1234", "f00", code="c0de", sources={"source_data_license": "CC-BY-4.0"})
    for path in write_products(predictions, cover, drivers, tmp_path, ProductsConfig(), origin):
        with xr.open_dataset(path) as product:
            assert product.attrs["code_hash"] == "c0de" and product.attrs["source_data_license"] == "CC-BY-4.0"
            assert product.attrs["source"] == "dere abc1234, code c0de, configuration f00"
            assert product.attrs["history"].endswith(" written by dere.products of dere abc1234, code c0de")
            assert product.attrs["code_version"] == "abc1234"
