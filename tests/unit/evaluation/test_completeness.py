"""Incomplete prediction files are refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from dere.evaluation.completeness import check_prediction

NAME = "predictions/gbm/none/fold0/seed0.nc"


def test_a_complete_file_passes(prediction, towers, members):
    check_prediction(prediction, towers, members, NAME)


def test_flux_order_and_values_outside_the_record_do_not_matter(prediction, towers, members):
    file = prediction.isel(flux=[2, 0, 1]).fillna(0.0)
    check_prediction(file, towers, members, NAME)


def _hole(file):
    file["prediction"][0, 5, 1] = np.nan
    return file


def _infinite(file):
    file["prediction"][0, 5, :] = np.inf
    return file


def _open(file):
    file["prediction"][1, 7, 2] += 0.5
    return file


def _shift(file):
    return file.assign_coords(time=file["time"] + np.timedelta64(31, "D"))


def _uncertain(file):
    levels = xr.DataArray([-1.0, 0.0, 1.0], {"quantile": [0.05, 0.5, 0.95]}, dims="quantile")
    return file.assign(std=file["prediction"] * 0 + 0.3, quantile_value=file["prediction"] + levels)


def _std_hole(file):
    file = _uncertain(file)
    file["std"][0, 5, 1] = np.nan
    return file


def _quantile_hole(file):
    """No interval at one site, as if it had not been predicted."""
    file = _uncertain(file)
    file["quantile_value"][1, :, :, 0] = np.nan
    return file


CASES = {
    "missing site": (lambda f: f.isel(site=slice(1, None)), r"1 of 8 expected sites are missing \(first: T000\)"),
    "extra site": (
        lambda f: xr.concat([f, f.isel(site=[0]).assign_coords(site=["T019"])], "site"),
        r"1 sites are too many \(first: T019\)",
    ),
    "site twice": (lambda f: xr.concat([f, f.isel(site=[0])], "site"), "site T000 occurs 2 times"),
    "missing month": (lambda f: f.isel(time=slice(0, -1)), r"71 months, that of the towers 72 .*2006-12"),
    "other axis": (_shift, "time axis has 72 months, that of the towers 72"),
    "hole": (_hole, r"1 of \d+ predicted values are missing or not finite \(first: reco of T000 in 2001-06\)"),
    "infinite": (_infinite, r"3 of \d+ predicted values"),
    "missing flux": (lambda f: f.sel(flux=["gpp", "nee"]), "holds the fluxes"),
    "no variable": (lambda f: f.rename(prediction="mean"), "needs a variable prediction"),
    "open budget": (_open, r"reaches 0.5 gC m-2 d-1 \(at T001 in 2001-08\)"),
    "std hole": (_std_hole, r"1 of \d+ values of std are missing or not finite \(first: reco of T000 in 2001-06\)"),
    "quantile hole": (_quantile_hole, r"216 of \d+ values of quantile_value .*first: gpp of T001 in 2001-01"),
    "std below zero": (
        lambda f: _uncertain(f).assign(std=f["prediction"] * 0 - 0.1),
        r"\d+ values of std are negative, .*\(first: gpp of T000 in 2001-01\)",
    ),
    "crossed quantiles": (
        lambda f: _uncertain(f).assign_coords(quantile=[0.95, 0.5, 0.05]),
        r"\d+ quantiles are smaller than those of a lower level \(first: gpp of T000 in 2001-01\)",
    ),
    "std per site": (
        lambda f: _uncertain(f).assign(std=f["prediction"].mean("time")),
        r"std lies over \('site', 'flux'",
    ),
    "no attributes": (lambda f: f.drop_attrs(), "attributes .* are missing"),
}


@pytest.mark.parametrize("case", CASES)
def test_faulty_files_are_refused(case, prediction, towers, members):
    spoil, message = CASES[case]
    with pytest.raises(ValueError, match=f"^{NAME}: .*{message}") as error:
        check_prediction(spoil(prediction.copy(deep=True)), towers, members, NAME)
    assert "\n" not in str(error.value)


def test_a_complete_file_with_its_uncertainty_passes_with_empty_months_outside_the_record(prediction, towers, members):
    towers["record"][0, :10] = False
    file = _uncertain(prediction.where(towers["record"].sel(site=prediction["site"])).assign_attrs(prediction.attrs))
    assert int(file["quantile_value"].isnull().sum()) == 10 * 9
    file = file.transpose("flux", "time", "site", "quantile").isel(flux=[2, 0, 1])
    check_prediction(file, towers, members, NAME)


def test_the_first_hole_is_named_by_its_own_flux(prediction, towers, members):
    turned = _hole(prediction.copy(deep=True)).isel(flux=[2, 0, 1])
    with pytest.raises(ValueError, match="first: reco of T000"):
        check_prediction(turned, towers, members, NAME)


def test_float32_rounding_of_a_closing_triple_is_accepted(prediction, towers, members):
    check_prediction(prediction.astype("float32"), towers, members, NAME)
