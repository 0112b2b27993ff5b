"""``blend``: the mean of its parts' files, its spread, and which files it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from dere.evaluation.completeness import check_prediction
from dere.evaluation.predictions import judged, sites_with_role
from dere.intervals.fitting import fitted
from dere.intervals.neighbours import regions_of
from dere.intervals.stated import stated
from dere.io import file_sha256, read_netcdf
from dere.methods import methods, rooms
from dere.training.prediction import HELD_OUT
from dere.training.read_places import label_uncertainty
from dere.workflow.combine import Combination, combine_sites
from dere.workflow.rule_job import RuleJob
from made_towers import make_towers
from simple_methods import CO2, Run

PARTS = ("climatology", "gbm", "gp")


def combined(run, parts=PARTS):
    """The file of the blend of what a run predicts."""
    for part in parts:
        run.predict(part)
    files = run.files | {f"part_{part}": run.folder / f"{part}.nc" for part in parts}
    params = {"backbone_name": "none", "parts": list(parts), "quality": 0.5}
    combine_sites(RuleJob(files, {}, run.folder / "blend.nc", params, 0, run.seed, "blend", rooms()[0]["blend"]))
    return read_netcdf(run.folder / "blend.nc")


@pytest.fixture(scope="module")
def made():
    return make_towers()


@pytest.fixture(scope="module")
def run(made):
    return Run(*made)


@pytest.fixture(scope="module")
def blend(run):
    return combined(run)


def test_it_is_the_mean_of_its_parts_and_closes(blend, run, made):
    towers, members = made
    check_prediction(judged(blend), towers, members, "blend")
    files = [run.predict(part) for part in PARTS]
    mean = sum(file["prediction"] for file in files) / 3
    # NEE is a small difference of large fluxes, and its closure below is exact
    gross = {"flux": ["gpp", "reco"]}
    np.testing.assert_allclose(blend["prediction"].sel(gross), mean.sel(gross), rtol=1e-12)
    flux = {name: blend["prediction"].sel(flux=name).values for name in CO2.names}
    np.testing.assert_array_equal(flux["nee"], flux["reco"] - flux["gpp"])
    assert blend.attrs["parts"] == list(PARTS) and blend["role"].equals(files[0]["role"])


def test_its_spread_is_that_of_the_held_out_mean(blend, run, made):
    """The climatology knows the validation towers only, the trees here none, the Gaussian process all."""
    towers, members = made
    cycles, trees, process = (run.predict(part) for part in PARTS)
    validation = sites_with_role(members, ("validation",))
    known = process[HELD_OUT].notnull().any(("time", "flux"))
    seen = set(process["site"].values[known.values].tolist())
    assert seen == {*sites_with_role(members, ("training",)), *validation} and HELD_OUT not in trees
    mean = ((cycles[HELD_OUT] + process[HELD_OUT]) / 2).sel(site=validation)
    # NEE is a difference and may be next to nothing
    np.testing.assert_allclose(blend[HELD_OUT].sel(site=validation), mean, rtol=1e-12, atol=1e-14)
    assert blend[HELD_OUT].drop_sel(site=validation).isnull().all()
    labels = (
        towers["flux_value"].where(towers["flux_quality"] >= 0.5).sel(site=validation).transpose("site", "time", "flux")
    )
    cluster = members[members["kind"] == "site"].set_index("id")["cluster"].loc[validation].to_numpy(str)
    uncertainty = label_uncertainty(towers.sel(site=validation), CO2)
    alike = mean.values, np.where(mean.notnull(), labels, np.nan), uncertainty, cluster
    places = towers.sel(site=validation)
    where = regions_of(places, "site")
    expected = stated(fitted(*alike, None, None, CO2, where))
    for name, numbers in expected.items():
        np.testing.assert_allclose(blend.attrs[name], numbers, rtol=1e-9)


def test_labels_of_test_towers_change_no_bit(blend, run, made):
    towers, members = made
    spoiled = towers.copy(deep=True)
    inside = spoiled["site"].isin(sites_with_role(members, ("test", "predict")))
    for name, value in (("flux_value", 1e6), ("flux_quality", 1.0)):
        spoiled[name] = xr.where(inside, value, spoiled[name]).transpose("site", "time", "flux")
    xr.testing.assert_identical(blend, combined(Run(spoiled, members)))


def test_maps_are_means_with_the_spread_of_the_sites(run, blend):
    parts = {
        part: xr.Dataset(
            {"prediction": (("cell", "time", "flux"), np.full((2, 3, 3), number) * [1.0, 2, 1])},
            coords={"cell": [4, 7], "time": blend["time"].values[:3], "flux": list(CO2.names)},
            attrs={"split": file_sha256(run.files["splits"]), "fold": 0, "seed": 0},
        )
        for part, number in zip(PARTS, (1.0, 2.0, 6.0), strict=True)
    }
    own = Combination(methods()["blend"], CO2, "none", file_sha256(run.files["splits"]), 0, 0)
    cells = own.cells(parts, blend.attrs)
    assert (cells["prediction"] == [3.0, 6.0, 3.0]).all() and (cells["std"] > 0).all()
    with pytest.raises(
        ValueError, match="predictions of gp: fold is 1, but blend combines predictions of fold 0; predict"
    ):
        own.cells(parts | {"gp": parts["gp"].assign_attrs(fold=1)}, blend.attrs)


def test_parts_that_say_nothing_of_towers_left_out_are_refused_together(run, blend):
    parts = {part: run.predict(part).drop_vars(HELD_OUT, errors="ignore") for part in PARTS}
    own = Combination(methods()["blend"], CO2, "none", file_sha256(run.files["splits"]), 0, 0)
    with pytest.raises(ValueError, match="blend: none of climatology, gbm, gp predicts towers that it learned from"):
        own.sites(parts, read_netcdf(run.files["towers"]), np.full(blend.sizes["site"], "one"), 0.5)
