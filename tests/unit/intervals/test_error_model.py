"""The spread of predictions: found, covering, and kept in the attributes of a file."""

import numpy as np
import pytest

from dere.exchange.co2 import EXCHANGE
from dere.intervals.error import ErrorModel, fit_error, gaussian_quantiles
from dere.intervals.spread import fit_errors, read_errors, spread, stated
from dere.variables import QUANTILES


def test_spread_is_found_and_covers():
    rng = np.random.default_rng(0)
    magnitude = rng.uniform(0, 10, 6000)
    residual = rng.normal(size=6000) * (0.4 + 0.2 * magnitude)
    model = fit_error(residual, magnitude, np.arange(6000) % 40)
    assert model.constant == pytest.approx(0.4, abs=0.1) and model.slope == pytest.approx(0.2, abs=0.03)
    quantiles = gaussian_quantiles(np.zeros(6000), model.std(magnitude))
    assert quantiles.shape == (6000, len(QUANTILES))
    inside = (residual > quantiles[:, 0]) & (residual < quantiles[:, -1])
    assert 0.88 < inside.mean() < 0.92


def test_spread_needs_enough_residuals():
    with pytest.raises(ValueError, match="only 3 labelled months"):
        fit_error(np.ones(3), np.ones(3), np.zeros(3))


@pytest.fixture
def towers():
    """Predictions (place, time, flux), and labels with gaps of their own in each flux."""
    rng = np.random.default_rng(1)
    predicted = EXCHANGE.close(rng.uniform(0, 8, (6, 40, 3)))
    labels = predicted + rng.normal(size=predicted.shape) * [0.5, 0.9, 1.4]
    labels[rng.random(labels.shape) < 0.1] = np.nan
    labels[4] = np.nan
    return predicted, labels


def test_each_flux_has_a_spread_from_its_own_months(towers):
    predicted, labels = towers
    errors = fit_errors(predicted, labels, EXCHANGE)
    size = predicted[..., :2].mean(-1)
    site = np.repeat(np.arange(6), 40).reshape(6, 40)
    for flux, error in enumerate(errors):
        good = np.isfinite(labels[..., flux])
        assert error == fit_error((predicted - labels)[good, flux], size[good], site[good])
    with pytest.raises(ValueError, match="only 10 labelled months of nee at towers not seen"):
        few = np.where([True, True, False], labels, np.nan)
        few[0, :10, 2] = 1.0
        fit_errors(predicted, few, EXCHANGE)


def test_the_spread_of_a_prediction_grows_with_gpp_and_reco(towers):
    predicted, _ = towers
    errors = (ErrorModel(0.4, 0.1), ErrorModel(0.3, 0.0), ErrorModel(0.6, 0.2))
    made = spread(predicted, errors, EXCHANGE, "site")
    for flux, error in enumerate(errors):
        expected = error.constant + error.slope * (predicted[..., 0] + predicted[..., 1]) / 2
        np.testing.assert_allclose(made["std"][..., flux], expected)
    middle = made["quantile_value"].sel(quantile=0.5)
    np.testing.assert_allclose(middle, predicted)
    assert made["quantile_value"].dims == ("site", "time", "flux", "quantile")


def test_errors_come_back_from_the_attributes_of_a_file(towers):
    predicted, labels = towers
    errors = fit_errors(predicted, labels, EXCHANGE)
    assert read_errors(stated(errors, EXCHANGE), EXCHANGE) == errors
    assert list(stated(errors, EXCHANGE)) == ["spread_gpp", "spread_reco", "spread_nee"]
