"""Trees on an asinh scale: the scale is undone, the level is put right, and an exchange that closes is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from dere import exchange as exchanges
from dere.exchange.ch4 import EXCHANGE as CH4
from dere.exchange.co2 import EXCHANGE as CO2
from dere.io import read_netcdf, write_netcdf
from dere.methods import methods
from dere.methods.base import resolved
from dere.methods.trees import link
from dere.training.read_places import site_labels, site_places
from stage_jobs import live_job, make_job, with_settings

METHANE = replace(CH4, states=(), simulate="", place_classes={})


def test_the_scale_is_undone_and_a_level_is_a_ratio_of_means():
    values = np.array([-0.02, 0.0, 0.005, 0.6])
    np.testing.assert_allclose(link.straight(link.bent(values)), values, atol=1e-12)
    assert pytest.approx(5 * 1.0377504e-3) == link.UNIT
    assert np.isfinite(link.straight(np.array([1e9])))[0]
    weight = np.array([1.0, 1.0, 0.0])
    assert link.level(np.array([1.0, 3.0, 9.0]), np.array([2.0, 6.0, 1.0]), weight) == 2.0
    assert link.level(np.zeros(3), np.ones(3), weight) == 1.0, "no level can be told"


def test_fluxes_that_close_are_learned_as_they_are():
    assert link.applies("asinh", CH4) and not link.applies("linear", CH4) and not link.applies("asinh", CO2)


@pytest.mark.parametrize("members", [1, 2])
def test_trees_on_the_asinh_scale_predict_fluxes_with_the_level_of_the_labels(
    canonical, tmp_path, monkeypatch, members
):
    files = dict(canonical)
    data = read_netcdf(canonical["towers"]).sel(flux=["gpp"]).assign_coords(flux=["ch4"])
    files["towers"] = write_netcdf(data, tmp_path / "towers.nc")
    made = {}
    for name in ("linear", "asinh"):
        job = with_settings(make_job("gbm", files, tmp_path, "lags"), link=name)
        live = replace(live_job(job), exchange=METHANE, members=members, scratch=tmp_path / name)
        fitted = resolved("dere.methods.trees.fitting:fit_gbm")(
            replace(live, recorded=live.recorded | {"exchange": "ch4"})
        )
        monkeypatch.setattr(exchanges, "get", lambda name: METHANE)
        places = site_places(data, live.roles, satellites=False, channels="none", exchange=METHANE)
        made[name] = resolved(methods()["gbm"].predict)({"gbm": fitted}, places).mean[..., 0]
        assert (f"level.{METHANE.names[0]}" in fitted.arrays) == (name == "asinh")
        monkeypatch.undo()
    assert fitted.arrays["level.ch4"].shape == (members,)
    label = site_labels(data, live.allowed("training", "validation"), 0.5, METHANE).flux[..., 0]
    has = np.isfinite(label)
    assert made["asinh"].min() > -link.UNIT * np.sinh(link.LARGEST) and not np.array_equal(*made.values())
    # few towers: the factor is of those held out
    assert 0.5 < made["asinh"][has].mean() / label[has].mean() < 2.0
