"""What retrieval adds, from made-up scores: which ratio stands in the table."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import retrieval_value

FACTOR = {"raci all": 1.0, "raci none": 1.1, "raci random": 0.9}


def test_ratios_are_to_neighbours_by_role_with_seeds_averaged_within_a_tower():
    rows = [
        {"towers": "test", "flux": "gpp", "arm": arm, "fold": 0, "seed": seed, "site": f"S{site}",
         "cluster": f"C{site // 2}", "nse": site / 10, "rmse": (1 + site) * (2 if seed else 1) * factor}
        for arm, factor in FACTOR.items() for seed in (0, 1) for site in range(8)
    ]  # fmt: skip
    table = retrieval_value.compared(pd.DataFrame(rows), "arm", retrieval_value.FULL, 200, 0).set_index("arm")
    assert list(table.index) == list(retrieval_value.ARMS)
    for arm, factor in FACTOR.items():
        row = table.loc[arm]
        assert (row["rmse_ratio"], row["ratio_low"], row["ratio_high"]) == pytest.approx((factor,) * 3)
        assert (row["seeds"], row["sites"], row["nse"]) == (2, 8, pytest.approx(0.35))
