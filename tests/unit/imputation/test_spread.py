"""The factor on the spread of trajectories, by kind of gap."""

import numpy as np
import pytest

from dere.imputation import spread
from dere.imputation.fit import train_imputation
from dere.imputation.gap_kinds import GAPS, gap_kinds
from dere.imputation.masks import gap_statistics
from dere.imputation.sampling import scaled
from dere.imputation.series import series_of


def test_a_month_is_of_the_kind_of_what_is_known_around_it():
    known = np.ones((36, 2), bool)
    known[3], known[6:10], known[20, 1] = False, False, False
    known[[11, 23, 35]] = False
    kinds = np.array(GAPS)[gap_kinds(known)]
    assert kinds[3] == "short" and set(kinds[6:10]) == {"long"} and kinds[20] == "nee_alone"
    assert set(kinds[[11, 23, 35]]) == {"season"}
    assert set(np.array(GAPS)[gap_kinds(np.zeros((36, 2), bool))]) == {"site"}


def test_factors_undo_the_overconfidence_of_each_kind(trained, towers, splits, statistics, config, monkeypatch):
    rng = np.random.default_rng(0)
    wrong = {"site": 1.6, "season": 1.3, "long": 1.3, "short": 1.0, "nee_alone": 1.0}

    def overconfident(bundle, series, point, requests, samples, *rest, **named):
        made = []
        for request in requests:
            s = request.stretch
            truth = np.nan_to_num(series.flux[s.site, s.start : s.stop])
            size = np.array([wrong[GAPS[kind]] for kind in gap_kinds(request.known)])[:, None]
            made.append(truth + size * rng.normal(size=truth.shape) + rng.normal(size=(400, *truth.shape)))
        return made

    series = series_of(towers, splits, statistics, config)
    gaps = gap_statistics(series.observed, series.span, series.phase)
    monkeypatch.setattr(spread, "trajectories", overconfident)
    monkeypatch.setattr(spread, "DOUBTED", 0.0)
    found = dict(zip(GAPS, spread.spread_factors(trained[0], series, np.zeros(1), gaps, 0), strict=True))
    assert found["site"] == pytest.approx(1.6, abs=0.12)
    assert found["long"] == pytest.approx(1.3, abs=0.12)
    assert found["nee_alone"] == 1.0, "there is none"
    # with as many towers that need nothing the logarithm of the factor is half as large
    monkeypatch.setattr(spread, "DOUBTED", float(len(series.sites)))
    half = dict(zip(GAPS, spread.spread_factors(trained[0], series, np.zeros(1), gaps, 0), strict=True))
    assert np.log(half["site"]) == pytest.approx(np.log(1.6) / 2, abs=0.07)


def test_scaled_trajectories_keep_their_mean_and_what_is_known():
    rng = np.random.default_rng(1)
    drawn, known = rng.normal(size=(9, 24, 2)), np.zeros((24, 2), bool)
    known[:20] = True
    drawn[:, :20] = 3.0
    factors = np.array([1.0, 1.5, 0.7, 9.0, 9.0])
    made = scaled(drawn, known, factors)
    assert (made[:, :20] == 3.0).all()
    assert np.allclose(made.mean(0), drawn.mean(0))
    assert np.allclose(made[:, 20:].std(0), 1.5 * drawn[:, 20:].std(0))


def test_factors_are_kept_with_the_model_where_asked_for(trained, towers, splits, statistics, config):
    asked = config.model_copy(update={"calibrate_spread": True})
    imputer, _ = train_imputation(towers, splits, statistics, 0, asked, seed=3)
    assert (trained[0].spread == 1.0).all()
    factors = imputer.spread.numpy()
    assert len(factors) == len(GAPS) and ((factors >= 0.6) & (factors <= 1.8)).all() and (factors != 1.0).any()
