"""The inner cross-validation of the trees holds out whole clusters of towers."""

import numpy as np
import pandas as pd
import pytest

from dere.config.evaluation import TreesConfig
from dere.evaluation import trees
from dere.evaluation.predictions import sites_with_role


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("simulated", [False, True])
def test_towers_of_one_cluster_are_held_out_together(seed, simulated, towers, members, monkeypatch):
    seen, search = [], trees.search

    def record(rows, *arguments):
        seen.append(rows)
        return search(rows, *arguments)

    monkeypatch.setattr(trees, "search", record)
    config = TreesConfig(settings=2, inner_folds=3, trees=10)
    trees.tree_method(towers, members, config, minimum_quality=0.5, fold=0, seed=seed, simulated=simulated)
    names = np.array(sites_with_role(members, ("training", "validation")))
    cluster = members.set_index("id")["cluster"].loc[names[seen[0].site]].to_numpy()
    for rows in seen:
        table = pd.DataFrame({"cluster": cluster, "site": rows.site, "fold": rows.fold}).groupby("cluster").nunique()
        # each cluster has two towers, which folds by tower or by month would part
        assert (table["site"] == 2).all() and (table["fold"] == 1).all()
        assert set(rows.fold) == {0, 1, 2}
