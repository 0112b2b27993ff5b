"""The factor on the spread of trajectories."""

import numpy as np
import pytest

from dere.imputation import spread
from dere.imputation.fit import train_imputation
from dere.imputation.masks import gap_statistics
from dere.imputation.series import series_of


def test_the_spread_factor_undoes_a_known_overconfidence(trained, towers, splits, statistics, config, monkeypatch):
    rng = np.random.default_rng(0)

    def overconfident(bundle, series, point, requests, samples, *rest, **named):
        made = []
        for request in requests:
            s = request.stretch
            truth = series.flux[s.site, s.start : s.stop]
            centre = truth + 1.5 * rng.normal(size=truth.shape)
            made.append(centre + rng.normal(size=(samples, *truth.shape)))
        return made

    series = series_of(towers, splits, statistics, config)
    gaps = gap_statistics(series.observed, series.span, series.phase)
    monkeypatch.setattr(spread, "trajectories", overconfident)
    assert spread.best_spread(trained[0], series, np.zeros(1), gaps, 0) == pytest.approx(1.5, abs=0.11)


def test_calibration_is_off_unless_asked_for(trained, towers, splits, statistics, config):
    asked = config.model_copy(update={"calibrate_spread": True})
    imputer, _ = train_imputation(towers, splits, statistics, 0, asked, seed=3)
    assert float(trained[0].spread[0]) == 1.0 and 0.6 <= float(imputer.spread[0]) <= 1.8
