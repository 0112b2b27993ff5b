"""Per vegetated area -> per land area, closed after rounding."""

import numpy as np
import pytest

from dere.products.fluxes import land_fluxes
from dere.variables import FLUX_UNIT, convert

KG = 1e-3 / 86400


def test_flux_is_prediction_times_vegetated_fraction_of_the_year(predictions, cover):
    land = land_fluxes(predictions, cover["vegetated_fraction"])
    cell = predictions["cell"].values[0]
    gpp = predictions["prediction"].sel(cell=cell, flux="gpp").values.astype("float64")
    share = np.repeat([1.0, 0.9], 12)
    np.testing.assert_allclose(land["land_flux"].sel(cell=cell, flux="gpp"), gpp * share * KG, rtol=1e-6)
    np.testing.assert_allclose(land["std"].sel(cell=cell, flux="gpp"), 0.5 * share * KG, rtol=1e-6)


def test_land_without_vegetation_is_zero_even_without_prediction(predictions, cover):
    bare = predictions["cell"].values[2]
    predictions["prediction"].loc[{"cell": bare}] = np.nan
    land = land_fluxes(predictions, cover["vegetated_fraction"])
    assert (land["land_flux"].sel(cell=bare) == 0).all()


def test_closure_holds_after_rounding_to_float32(predictions, cover):
    land = land_fluxes(predictions, cover["vegetated_fraction"])
    assert land["land_flux"].dtype == np.float32
    flux = {name: land["land_flux"].sel(flux=name).values.astype("float64") for name in ("gpp", "reco", "nee")}
    residual = flux["reco"] - flux["gpp"] - flux["nee"]
    assert 0 < np.abs(residual).max() < 2e-14
    np.testing.assert_allclose(land["closure"].isel(identity=0), residual, rtol=1e-6, atol=0)
    assert np.abs(convert(residual, "kg m-2 s-1", FLUX_UNIT)).max() < 1e-5


def test_months_outside_the_cover_years_use_the_nearest_year(predictions, cover):
    only_first = cover["vegetated_fraction"].sel(year=[2001])
    cell = predictions["cell"].values[0]
    land = land_fluxes(predictions, only_first)
    last = predictions["prediction"].sel(cell=cell, flux="reco").values[-1]
    np.testing.assert_allclose(land["land_flux"].sel(cell=cell, flux="reco")[-1], last * KG, rtol=1e-6)


def test_fluxes_in_another_order_land_under_their_names(predictions, cover):
    turned = predictions.sel(flux=["nee", "gpp", "reco"])
    left, right = (land_fluxes(p, cover["vegetated_fraction"]) for p in (predictions, turned))
    np.testing.assert_array_equal(left["flux"].values, right["flux"].values)
    np.testing.assert_array_equal(left["quantile_value"].values, right["quantile_value"].values)


def _hole(predictions, cover):
    predictions["prediction"][0, 3, 1] = np.nan


def _open_budget(predictions, cover):
    predictions["prediction"][1, 3, 2] += 0.01


def _percent(predictions, cover):
    cover["vegetated_fraction"][:] = cover["vegetated_fraction"] * 100


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_hole, "1 cell-months of 1 vegetated cells"), (_open_budget, r"\|RECO - GPP - NEE\|"), (_percent, "percent")],
    ids=["hole", "open budget", "percent"],
)
def test_bad_input_ends_in_a_sentence(predictions, cover, spoil, message):
    spoil(predictions, cover)
    with pytest.raises(ValueError, match=message):
        land_fluxes(predictions, cover["vegetated_fraction"])


def test_cells_missing_from_the_cover_are_named(predictions, cover):
    gone = cover["vegetated_fraction"].isel(cell=slice(1, None))
    with pytest.raises(ValueError, match=f"first: {predictions['cell'].values[0]}"):
        land_fluxes(predictions, gone)
