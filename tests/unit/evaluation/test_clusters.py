"""What the paired bootstrap draws together: towers by neighbourhood, virtual towers by the block of their cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.bootstrap import paired
from dere.evaluation.clusters import tower_clusters, virtual_clusters
from dere.evaluation.site_scores import site_skill
from dere.harmonise.splits import COLUMNS

CONFIG = EvaluationConfig(bootstrap=400)


def splits(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS))


def in_blocks(members: pd.DataFrame) -> pd.DataFrame:
    """The conftest's sites, its virtual ones in three cells of two blocks and one in no cell."""
    cells = splits(
        [(str(c), "cell", b, 0, 0.0, 0.0, c) for c, b in ((7, "block 0 0"), (8, "block 0 0"), (9, "block 4 4"))]
    )
    joined = pd.concat([cells.assign(role="training"), members], ignore_index=True)
    joined.loc[joined["id"].isin(["V000", "V001"]), "cell"] = [7, 8]
    joined.loc[joined["id"] == "V002", "cell"] = 9
    joined.loc[joined["id"] == "T000", "cell"] = 7
    return joined


def test_virtual_towers_belong_to_the_block_of_their_cell(members):
    found = virtual_clusters(in_blocks(members))
    assert found == {"V000": "block 0 0", "V001": "block 0 0", "V002": "block 4 4", "V003": "site V003"}
    assert tower_clusters(in_blocks(members))["V000"] == "site V000"


def test_only_virtual_rows_are_drawn_by_block(prediction, towers, members, truth):
    table = site_skill(prediction, towers, in_blocks(members), CONFIG, truth)
    virtual = table[table["rows"] == "virtual"].drop_duplicates("site").set_index("site")["cluster"]
    assert virtual.to_dict() == virtual_clusters(in_blocks(members))
    others = table[table["rows"] != "virtual"]
    assert set(others["cluster"]) == {"site T000", "site T010"} and len(others)


def test_virtual_towers_that_share_cells_give_the_wider_interval_of_their_blocks():
    """Forty virtual towers in ten cells with a level of their own: by site the interval is too narrow."""
    rng = np.random.default_rng(2)
    cell = np.arange(40) // 4
    level = rng.normal(0, 0.4, 10)[cell]
    parts = []
    for method, effect in (("gbm", 0.0), ("dere", level + rng.normal(0, 0.03, 40))):
        rmse = np.exp(effect) * np.ones(40)
        part = pd.DataFrame({"site": [f"V{i:02d}" for i in range(40)], "rmse": rmse, "nse": 1 - rmse / 3})
        parts.append(part.assign(method=method))
    fixed = {"backbone": "none", "fold": "0", "seed": "0", "flux": "nee", "scale": "monthly", "rows": "virtual"}
    empty = dict.fromkeys(("r2", "bias", "mae", "sigma_ratio", "kge", "observed_mean", "quality"), np.nan)
    table = pd.concat(parts, ignore_index=True).assign(**fixed, **empty, igbp="", koppen="", months=50)
    rows = [(str(c), "cell", f"block 0 {c}", 0, 0.0, 0.0, c) for c in range(10)]
    rows += [(f"V{i:02d}", "site", f"site V{i:02d}", -1, 0.0, 0.0, cell[i]) for i in range(40)]
    found = {}
    for name, clusters in (("site", tower_clusters), ("block", virtual_clusters)):
        found[name] = paired(table.assign(cluster=table["site"].map(clusters(splits(rows)))), CONFIG).iloc[0]
    assert (found["site"]["clusters"], found["block"]["clusters"]) == (40, 10)
    width = {name: row["nse_high"] - row["nse_low"] for name, row in found.items()}
    assert width["block"] > 1.3 * width["site"]
