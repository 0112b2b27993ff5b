"""Two runs side by side."""

import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.two_runs import COLUMNS as FOUND
from dere.evaluation.two_runs import two_runs
from two_runs_scores import scores

CONFIG = EvaluationConfig(bootstrap=200)


def test_ratio_is_of_the_second_run_to_the_first():
    found = two_runs(scores(), scores(0.8), CONFIG).set_index("method")
    assert list(found.reset_index().columns.sort_values()) == sorted(FOUND)
    assert found.loc["gbm", ["rmse_ratio", "ratio_low", "ratio_high"]].tolist() == pytest.approx([0.8] * 3)
    assert found.loc["dere", "rmse_ratio"] == pytest.approx(1.0) and found.loc["dere", "backbone"] == "lags"
    assert found.loc["gbm", ["sites", "clusters", "seeds"]].tolist() == [10, 5, 1]


def test_medians_and_their_difference_are_those_over_towers():
    first, second = scores(), scores(0.8)
    row = two_runs(first, second, CONFIG).set_index("method").loc["gbm"]
    medians = [table.loc[table["method"] == "gbm", "nse"].median() for table in (first, second)]
    assert [row["nse_first"], row["nse_second"]] == pytest.approx(medians)
    assert row["nse_difference"] == pytest.approx(medians[1] - medians[0])


def test_folds_and_methods_that_both_have_are_compared():
    found = two_runs(scores(methods=("gbm", "dere", "gp")), scores(folds=("1",), methods=("dere", "gbm")), CONFIG)
    assert found["method"].tolist() == ["gbm", "dere"] and set(found["sites"]) == {5}
    assert two_runs(scores(seeds=("0", "1")), scores(seeds=("0", "1")), CONFIG)["seeds"].tolist() == [2, 2]


def altered(**values):
    """Second run with values at the first tower."""
    table = scores()
    table.loc[table["site"] == "S0", list(values)] = list(values.values())
    return table


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (scores(folds=()), "share no fold.*first was judged in 0, 1"),
        (altered(fold="1"), r"unequal sites in fold 0, 1: S0 in one of them alone.*sections splits"),
        (altered(cluster="c9"), "clusters of the runs differ at S0"),
        (altered(months=39), r"unequal months at S0: S0 \(measured\) has 40 monthly values of gpp in the first and 39"),
        (altered(flux="nee"), "40 monthly values of gpp in the first and no in the second"),
        (scores(methods=("kgml",)), r"share no method.*gbm \(none\), dere \(lags\), the second kgml \(lags\)"),
    ],
)
def test_unequal_runs_are_refused_with_the_reason(second, said):
    with pytest.raises(ValueError, match=said):
        two_runs(scores(), second, CONFIG)
