"""The comparison of links: inner predictions saw neither cluster, and a factor of level puts means right."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from methane_link import UNIT, back, inner, level, linked, taken, without
from methane_rows import Rows, seasonal_mean


@pytest.fixture
def rows():
    rng, count = np.random.default_rng(0), 160
    site = np.repeat([f"s{number}" for number in range(8)], 20)
    return Rows(
        site=site,
        cluster=np.repeat([f"c{number // 2}" for number in range(8)], 20),
        calendar=np.tile(np.arange(20) % 12, 8),
        temperature=rng.normal(10, 5, count),
        features=rng.normal(size=(count, 3)),
        names=("one", "two", "wetland"),
        label=np.exp(rng.normal(3, 1, count)),
    )


def test_a_factor_of_level_puts_the_mean_of_predictions_right(rows):
    learn = rows.cluster != "c3"
    found = linked(seasonal_mean, rows, learn, ~learn, 0)
    np.testing.assert_allclose(found["linear"], seasonal_mean(rows, learn, ~learn, 0))
    factor = found["smeared"] / found["asinh"]
    assert np.ptp(factor) < 1e-12 and factor[0] > 1.2, "a mean on the asinh scale is below the mean"
    np.testing.assert_allclose(back(np.arcsinh(rows.label / UNIT)), rows.label)


def test_no_prediction_or_factor_has_seen_the_clusters_that_are_left_out(rows):
    seen = []

    def model(own, learn, test, seed):
        assert not (learn & test).any()
        seen.append({*own.cluster[learn]})
        return np.full(int(test.sum()), 2.0)

    inner(rows, model, 0)
    assert max(map(len, seen)) == 2 and {frozenset(one) for one in seen if len(one) == 2}
    level(model, rows, rows, rows.cluster != "c0", 0)
    assert "c0" not in seen[-1]


def test_predictors_and_rows_can_be_taken_away(rows):
    fewer = without(rows, ["wetland"])
    assert fewer.names == ("one", "two") and fewer.features.shape == (160, 2)
    assert taken(rows, rows.cluster == "c1").label.shape == (40,)
