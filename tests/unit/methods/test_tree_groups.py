"""The inner cross-validation of the trees holds out whole clusters of towers."""

import numpy as np
import pandas as pd
import pytest

from dere.evaluation.predictions import sites_with_role
from dere.methods.trees import fitting
from simple_methods import Run


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("simulated", [False, True])
def test_towers_of_one_cluster_are_held_out_together(seed, simulated, towers, members, monkeypatch):
    seen, search = [], fitting.search

    def record(rows, *arguments):
        seen.append(rows)
        return search(rows, *arguments)

    monkeypatch.setattr(fitting, "search", record)
    Run(towers, members, seed=seed, settings={"inner_folds": 3}).fit("gbm_sim" if simulated else "gbm")
    names = np.array(sites_with_role(members, ("training", "validation")))
    cluster = members.set_index("id")["cluster"].loc[names[seen[0].site]].to_numpy()
    for rows in seen:
        table = pd.DataFrame({"cluster": cluster, "site": rows.site, "fold": rows.fold}).groupby("cluster").nunique()
        # each cluster has two towers, which folds by tower or by month would part
        assert (table["site"] == 2).all() and (table["fold"] == 1).all()
        assert set(rows.fold) == {0, 1, 2}
