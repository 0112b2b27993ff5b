import numpy as np
import pytest

from dere.config.imputation import MaskConfig
from dere.imputation.masks import KINDS, draw_kind, draw_mask, gap_statistics

PHASE = np.arange(60) % 12


def _winter_gaps():
    """Ten towers without any January or February."""
    observed = np.broadcast_to(PHASE >= 2, (10, 60)).copy()
    return observed, gap_statistics(observed, np.ones((10, 60), bool), np.broadcast_to(PHASE, (10, 60)))


def test_statistics_find_the_winter_gaps_and_their_length():
    _, gaps = _winter_gaps()
    assert set(np.argsort(gaps.missing_share)[-2:]) == {0, 1}
    assert (gaps.run_lengths == 2).all() and len(gaps.patterns) == 10
    assert all(len(p) % 12 == 0 and not p[12] for p in gaps.patterns)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_hide_observed_months_only_and_keep_some(kind):
    _, gaps = _winter_gaps()
    rng = np.random.default_rng(0)
    for _ in range(200):
        observed = rng.random(60) < 0.8
        hidden = draw_mask(kind, observed, PHASE, gaps, rng)
        assert hidden.any() and not (hidden & ~observed).any()
        assert (hidden == observed).all() == (kind == "site")


def test_years_are_hidden_whole_and_anywhere_in_the_record():
    _, gaps = _winter_gaps()
    rng = np.random.default_rng(1)
    hidden = np.array([draw_mask("years", np.ones(60, bool), PHASE, gaps, rng) for _ in range(400)])
    by_year = hidden.reshape(-1, 5, 12)
    assert (by_year.all(2) | ~by_year.any(2)).all()
    share = by_year.any(2).mean(0)
    assert share.min() > 0.6 * share.max()


def test_a_season_mask_hides_most_where_towers_have_gaps():
    _, gaps = _winter_gaps()
    rng = np.random.default_rng(2)
    hidden = np.mean([draw_mask("season", np.ones(60, bool), PHASE, gaps, rng) for _ in range(400)], axis=0)
    by_month = hidden.reshape(5, 12).mean(0)
    assert by_month[[0, 1]].min() > 2 * by_month[[5, 6, 7]].max()


def test_edges_hide_the_beginning_as_often_as_the_end():
    _, gaps = _winter_gaps()
    rng = np.random.default_rng(3)
    hidden = np.array([draw_mask("edge", np.ones(60, bool), PHASE, gaps, rng) for _ in range(400)])
    assert 0.4 < hidden[:, 0].mean() < 0.6 and (hidden[:, 0] != hidden[:, -1]).all()


def test_a_pattern_mask_lays_real_gaps_on_the_right_calendar_months():
    _, gaps = _winter_gaps()
    hidden = draw_mask("pattern", np.ones(48, bool), (np.arange(48) + 5) % 12, gaps, np.random.default_rng(4))
    calendar = (np.arange(48) + 5) % 12
    assert (hidden == (calendar < 2)).mean() > 0.9


def test_kinds_follow_the_mixture():
    rng = np.random.default_rng(5)
    drawn = [draw_kind(MaskConfig(), rng) for _ in range(4000)]
    for kind in KINDS:
        assert drawn.count(kind) / 4000 == pytest.approx(getattr(MaskConfig(), kind), abs=0.03)
    with pytest.raises(ValueError, match=r"imputation\.masks"):
        draw_kind(MaskConfig(**dict.fromkeys(KINDS, 0.0)), rng)


def test_a_site_without_observations_gives_an_empty_mask():
    _, gaps = _winter_gaps()
    assert not draw_mask("years", np.zeros(60, bool), PHASE, gaps, np.random.default_rng(0)).any()
