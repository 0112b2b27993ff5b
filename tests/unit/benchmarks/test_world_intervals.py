"""Tables of coverage and totals over several worlds."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

from world_intervals import coverage, overlay, totals


def test_what_runs_differ_by():
    made = overlay(3, ["gbm", "dere"], [0, 1])
    assert made["world"] == {"seed": 3} and made["products"] == {"method": "gbm"} and made["run"] == "world_intervals3"


def test_coverage_has_each_world_and_their_mean():
    def table(share):
        about = {"method": "gbm", "flux": "gpp", "scale": "annual", "fold": "all", "seed": "all", "part": "all"}
        scores = {"sites": 5, "coverage_50": 0.5, "coverage_90": share, "towers_below_70": 0.1, "spread_error": 1.0}
        return pd.DataFrame(
            [{**about, **scores, "grouping": name} for name in ("all", "virtual")]
            + [{**about, **scores, "grouping": "virtual", "part": "season"}]
        )

    found = coverage({1: table(0.8), 2: table(1.0)}).set_index("world")
    assert len(found) == 3 and found.loc["all", "coverage_90"] == pytest.approx(0.9)
    assert found.loc["all", "coverage_90_std"] == pytest.approx(0.1414, abs=1e-3)


def test_totals_are_held_against_the_truth():
    about = {"flux": "gpp", "region": "global", "year": [2001, 2002]}
    product = pd.DataFrame(
        {**about, "source": "product", "total_pgc": 110.0, "std_pgc": 5.0, "q05_pgc": 101.0, "q95_pgc": 119.0}
    )
    truth = pd.DataFrame({**about, "source": "truth", "total_pgc": [100.0, 105.0]})
    (row,) = totals({4: pd.concat([product, truth])}).to_dict("records")
    assert row["z"] == pytest.approx(1.5) and row["inside"] == 0.5 and row["truth"] == 102.5 and row["world"] == 4
