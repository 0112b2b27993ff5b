"""Scores on hidden months of validation towers: what is hidden stays hidden, and which towers count."""

import numpy as np
import pytest

from dere.evaluation.imputation_table import table
from dere.imputation import hidden
from dere.imputation.hidden import score_hidden
from dere.imputation.masks import KINDS
from dere.imputation.scores import METHODS
from dere.imputation.stretches import WAYS


@pytest.fixture(scope="module")
def sums(trained, towers, splits, config):
    return score_hidden(trained[0], towers, splits, 0, config, seed=3)


def test_table_of_hidden_months(sums):
    found = table(sums.assign(fold=0, seed=3, igbp="ENF", cluster=sums["site"])).query("fold == '0'")
    assert set(found["gap"]) == {*KINDS, "all"} and set(found["method"]) == set(METHODS)
    assert set(found["scale"]) == {"monthly", "annual"}
    monthly = found[(found["scale"] == "monthly") & (found["gap"] == "years")]
    assert (monthly["sites"] == 3).all() and (monthly["crps"] > 0).all()
    samples = monthly[monthly["method"] != "interpolation"]
    assert samples[["coverage_50", "coverage_90", "spread_error"]].notna().all(axis=None)
    assert (samples["coverage_50"] <= samples["coverage_90"]).all()
    assert not ((found["gap"] == "site") & (found["method"] == "interpolation")).any()


def test_only_validation_towers_are_scored_and_test_towers_never_read(sums, trained, towers, splits, config):
    assert set(sums["site"]) == set(splits.loc[splits["fold"] == 1, "id"])
    changed = towers.copy(deep=True)
    changed["flux_value"][(splits["fold"] == 0).to_numpy()] += 50.0
    assert score_hidden(trained[0], changed, splits, 0, config, seed=3).equals(sums)


def test_as_many_trajectories_are_drawn_as_asked_for(trained, towers, splits, config, monkeypatch):
    counts = set()
    real = hidden.gap_sums
    monkeypatch.setattr(
        hidden,
        "gap_sums",
        lambda gaps: counts.update(len(g.drawn[m]) for g in gaps for m in METHODS[:-1]) or real(gaps),
    )
    score_hidden(trained[0], towers, splits, 0, config.model_copy(update={"scored_samples": 4}), seed=3)
    assert counts == {4}


def test_years_are_those_of_the_calendar(trained, towers, splits, config, monkeypatch):
    seen = []
    monkeypatch.setattr(hidden, "gap_sums", lambda gaps: seen.extend(gaps))
    score_hidden(trained[0], towers, splits, 0, config.model_copy(update={"scored_samples": 2}), seed=3)
    place = {str(site): i for i, site in enumerate(towers["site"].values)}
    years = towers["time"].dt.year.values
    flux = towers["flux_value"].sel(flux=["gpp", "reco", "nee"]).values
    for gap in seen:
        whole = flux[place[gap.site]]
        starts = [i for i in range(len(whole) - len(gap.flux) + 1)
                  if np.allclose(whole[i : i + len(gap.flux)], gap.flux, equal_nan=True)]  # fmt: skip
        assert len(starts) == 1
        assert gap.year.tolist() == years[starts[0] : starts[0] + len(gap.flux)].tolist()
        assert np.isfinite(gap.flux[gap.hidden]).all()


def test_hidden_months_reach_no_way_of_filling(trained, towers, splits, config, monkeypatch):
    real = hidden.ways

    def spy(bundle, series, point, requests, *rest, **named):
        poisoned = series.flux.copy()
        made = real(bundle, series, point, requests, *rest, **named)
        for number, request in enumerate(requests):
            s = request.stretch
            before = poisoned[s.site, s.start : s.stop].copy()
            series.flux[s.site, s.start : s.stop][~request.known] = 77.0
            second = real(bundle, series, point, [request], *rest, **named)
            series.flux[s.site, s.start : s.stop] = before
            for way in WAYS:
                assert np.allclose(made[way][number], second[way][0], atol=1e-4), way
        return made

    monkeypatch.setattr(hidden, "ways", spy)
    score_hidden(trained[0], towers, splits, 0, config.model_copy(update={"scored_samples": 4}), seed=3)


def test_a_fold_without_validation_labels_is_a_sentence(trained, towers, splits, config):
    bare = towers.copy(deep=True)
    bare["flux_value"][(splits["fold"] == 1).to_numpy()] = np.nan
    with pytest.raises(ValueError, match="fold 0 has no validation tower with a usable month to score"):
        score_hidden(trained[0], bare, splits, 0, config, seed=3)
