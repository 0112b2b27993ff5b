"""Spread of prediction files: of labels and of the truth, against draws of members; and what the files state."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from dere.exchange.co2 import EXCHANGE
from dere.intervals.driver_distance import DISTANT_TOWERS, Learned, read_learned
from dere.intervals.spread import label_scale, spread, with_truth
from dere.intervals.stated import read_stated, stated, states_errors
from dere.intervals.trajectories import trajectories
from dere.intervals.truth import clipped, nonnegative_quantiles, nonnegative_std
from dere.variables import QUANTILES
from invented_errors import KNOWN, predictions

LEVELS = np.array(QUANTILES)


@pytest.mark.parametrize("dof", [2.6, 8.0, 60.0])
@pytest.mark.parametrize("ratio", [0.02, 0.3, 1.0, 4.0])
def test_a_clipped_t_is_that_of_very_many_draws(dof, ratio):
    rng = np.random.default_rng(0)
    drawn = rng.standard_t(dof, 1_000_000)
    shift = np.interp(ratio, clipped(dof).mean, clipped(dof).shift)
    values = np.maximum(shift + drawn, 0.0)
    assert values.mean() == pytest.approx(ratio, rel=0.02)
    found = nonnegative_quantiles(np.array([2 * ratio]), np.array([2.0]), dof, LEVELS)[0]
    np.testing.assert_allclose(found, 2 * np.quantile(values, LEVELS), atol=0.02, rtol=0.01)
    if dof > 4:
        assert nonnegative_std(np.array([2 * ratio]), np.array([2.0]), dof)[0] == pytest.approx(
            2 * values.std(), rel=0.02
        )


def test_far_from_zero_nothing_is_clipped_and_at_zero_nothing_is_left():
    far = nonnegative_quantiles(np.array([500.0]), np.array([2.0]), 8.0, LEVELS)[0]
    np.testing.assert_allclose(far, KNOWN.quantiles(np.array(500.0), np.array(2.0), QUANTILES), rtol=1e-9)
    for mean in (0.0, -0.5):
        assert (nonnegative_quantiles(np.array([mean]), np.array([2.0]), 8.0, LEVELS) == 0).all()
        assert (nonnegative_std(np.array([mean]), np.array([2.0]), 8.0) == 0).all()
    assert np.isnan(nonnegative_quantiles(np.array([np.nan]), np.array([2.0]), 8.0, LEVELS)).all()


def test_the_truth_of_months_is_that_of_many_members():
    noisy = KNOWN.__class__(EXCHANGE, KNOWN.coefficients, KNOWN.dof, KNOWN.kernel, KNOWN.rescale, noise=0.6)
    mean = predictions(3, 24)
    scale = noisy.scale(mean)
    made = spread(mean, scale, noisy, "site", "truth")
    members = trajectories(mean, scale, noisy, np.random.default_rng(1), members=6000)
    for flux, name in enumerate(EXCHANGE.names):
        drawn = np.moveaxis(np.quantile(members[..., flux], LEVELS, axis=0), 0, -1)
        wide = 0.1 * scale[..., flux].max() + (0.3 * scale[..., flux].max() if name == "nee" else 0.0)
        np.testing.assert_allclose(made["quantile_value"][:, :, flux], drawn, atol=wide)
    assert float(made["quantile_value"].isel(flux=[0, 1]).min()) >= 0.0
    label = spread(mean, scale, noisy, "site", "label")
    assert (label["std"] >= made["std"] - 1e-9).all() and float((label["std"] / made["std"]).median()) > 1.01


def prediction_file(mean, model=KNOWN):
    scale = model.scale(mean)
    coords = {
        "site": [f"s{i}" for i in range(len(mean))],
        "time": np.arange(mean.shape[1]),
        "flux": list(EXCHANGE.names),
    }
    file = xr.Dataset({"prediction": (("site", "time", "flux"), mean)}, coords=coords)
    return file.assign(spread(mean, scale, model, "site", "label")).assign_attrs(stated(model)), scale


def test_a_file_states_all_of_its_error_model():
    mean = predictions(4, 24)
    file, scale = prediction_file(mean)
    again = read_stated(file.attrs, EXCHANGE)
    np.testing.assert_array_equal(again.scale(mean), scale)
    np.testing.assert_allclose(label_scale(file, again), scale, rtol=1e-12)
    expected = spread(mean, scale, KNOWN, "site", "truth")
    np.testing.assert_allclose(with_truth(file, EXCHANGE)["quantile_value"], expected["quantile_value"], rtol=1e-9)
    assert with_truth(file, EXCHANGE)["std"].attrs["interval_of"] == "truth"
    assert (
        not states_errors({}) and with_truth(file.assign_attrs(error_model_dof=1.0).drop_attrs(), EXCHANGE) is not None
    )
    with pytest.raises(
        ValueError, match=r"predictions of gbm, fold 2, state no error model .attribute error_model_scale"
    ):
        read_stated({"method": "gbm", "fold": 2}, EXCHANGE)


def test_towers_learned_from_come_back_from_a_file():
    rng = np.random.default_rng(0)
    static, cluster = rng.normal(size=(DISTANT_TOWERS, 3)), np.array([f"c{i}" for i in range(DISTANT_TOWERS)])
    learned = Learned(static, cluster)
    again = read_learned(xr.Dataset(learned.variables()))
    new, name = static[:2] + 0.1, np.array(["", ""])
    np.testing.assert_allclose(again.distance(new, name), learned.distance(new, name), rtol=1e-5)
    assert Learned(static[:5], cluster[:5]).distance(new, name) is None and read_learned(xr.Dataset()) is None
