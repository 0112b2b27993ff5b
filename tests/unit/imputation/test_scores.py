import numpy as np
import pytest

from dere.imputation.masks import KINDS
from dere.imputation.scores import METHODS, covered, crps, score_hidden


def test_crps_equals_the_double_sum_and_the_gaussian_value():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(9, 4)), rng.normal(size=4)
    double = np.abs(x[:, None] - x[None]).sum((0, 1)) / (2 * 9 * 8)
    assert np.allclose(crps(x, y), np.abs(x - y).mean(0) - double)
    many = rng.normal(size=(4000, 200))
    assert crps(many, np.zeros(200)).mean() == pytest.approx(np.sqrt(2 / np.pi) - 1 / np.sqrt(np.pi), abs=0.01)
    assert np.allclose(crps(x[:1], y), np.abs(x[0] - y))


def test_intervals_of_a_small_ensemble_cover_their_level():
    rng = np.random.default_rng(1)
    hits = covered(rng.normal(size=(50, 20000)), rng.normal(size=20000), 0.9)
    assert hits.mean() == pytest.approx(0.9, abs=0.01)
    assert np.isnan(covered(np.zeros((1, 3)), np.zeros(3), 0.9)).all()


def test_table_of_hidden_months(trained, towers, splits, config):
    table = score_hidden(trained[0], towers, splits, 0, config, seed=3, repeats=1)
    assert set(table["gap"]) == {*KINDS, "all"} and set(table["method"]) == set(METHODS)
    assert set(table["scale"]) == {"monthly", "annual"}
    monthly = table[(table["scale"] == "monthly") & (table["gap"] == "years")]
    assert (monthly["sites"] == 3).all() and (monthly["crps"] > 0).all()
    samples = monthly[monthly["method"] != "interpolation"]
    assert samples[["coverage50", "coverage90", "spread_error"]].notna().all(axis=None)
    assert (samples["coverage50"] <= samples["coverage90"]).all()
    line = monthly[monthly["method"] == "interpolation"]
    assert np.allclose(line["crps"], line["mae"]) and line["coverage90"].isna().all()
    assert not ((table["gap"] == "site") & (table["method"] == "interpolation")).any()


def test_hidden_months_never_reach_the_diffusion(trained, towers, splits, config, monkeypatch):
    from dere.imputation import scores

    real = scores.trajectories

    def spy(bundle, series, point, requests, *rest, **named):
        poisoned = series.flux.copy()
        made = real(bundle, series, point, requests, *rest, **named)
        for request, first in zip(requests, made, strict=True):
            s = request.stretch
            before = poisoned[s.site, s.start : s.stop].copy()
            series.flux[s.site, s.start : s.stop][~request.known] = 77.0
            second = real(bundle, series, point, [request], *rest, **named)[0]
            series.flux[s.site, s.start : s.stop] = before
            assert np.allclose(first, second, atol=1e-4)
        return made

    monkeypatch.setattr(scores, "trajectories", spy)
    score_hidden(trained[0], towers, splits, 0, config.model_copy(update={"samples": 4}), seed=3, repeats=1)


def test_the_spread_factor_undoes_a_known_overconfidence(trained, towers, splits, statistics, config, monkeypatch):
    from dere.imputation import scores
    from dere.imputation.fit import series_of

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
    gaps = scores.gap_statistics(series.observed, series.span, series.phase)
    monkeypatch.setattr(scores, "trajectories", overconfident)
    assert scores.best_spread(trained[0], series, np.zeros(1), gaps, 0) == pytest.approx(1.5, abs=0.11)


def test_calibration_is_off_unless_asked_for(trained, towers, splits, statistics, config):
    from dere.imputation.fit import train_imputation

    asked = config.model_copy(update={"calibrate_spread": True})
    imputer, _ = train_imputation(towers, splits, statistics, 0, asked, seed=3)
    assert float(trained[0].spread[0]) == 1.0 and 0.6 <= float(imputer.spread[0]) <= 1.8
