"""How single members are set beside their mean, from made-up scores."""

import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import single_members


def test_a_member_is_compared_with_the_mean_tower_by_tower():
    rows = [
        {"method": "gbm", "backbone": "none", "flux": "gpp", "site": site, "member": member, "nse": nse, "rmse": rmse}
        for fold in range(2)
        for site, scale in (("A", 1.0), ("B", 3.0), ("C", 9.0))
        for member, nse, rmse in ((-1, 0.8, scale), (0, 0.5, 1.1 * scale), (1, 0.7, 1.3 * scale))
    ]
    table = single_members.summarised(pd.DataFrame(rows))
    row = table.iloc[0]
    assert len(table) == 1 and row["members"] == 2 and row["NSE of the mean"] == pytest.approx(0.8)
    assert (row["of a member"], row["lowest"], row["highest"]) == pytest.approx((0.6, 0.5, 0.7))
    assert row["RMSE of a member to the mean"] == pytest.approx((1.1 * 1.3) ** 0.5)
