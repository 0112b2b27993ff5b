"""Which towers a learning curve keeps: labels of n towers beside the test towers, which stay the same."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.splits import SplitsConfig
from dere.harmonise.splits import KEPT, all_folds, kept_in, roles


def with_kept_towers(splits: pd.DataFrame, config: SplitsConfig) -> pd.DataFrame:
    """Add to the split table which towers each fold keeps (``kept_<fold>``); as it is without ``training_towers``.

    Training and validation towers are drawn apart, in the proportion that the fold has them.

    Raises
    ------
    ValueError
        When a fold has fewer towers to learn from than are to be kept.
    """
    table = splits.drop(columns=[name for name in splits.columns if name.startswith(KEPT)])
    if config.training_towers is None:
        return table
    is_site = (table["kind"] == "site").to_numpy()
    columns = {}
    for fold in range(all_folds(table)):
        role = roles(table, fold)["role"].to_numpy()
        own = {name: np.flatnonzero(is_site & (role == name)) for name in ("validation", "training")}
        there = sum(len(rows) for rows in own.values())
        if there < config.training_towers:
            raise ValueError(
                f"splits.training_towers: it is {config.training_towers}, but fold {fold} has {there} towers to learn "
                "from; lower it, or choose null for all of them"
            )
        number = {"validation": max(1, round(config.training_towers * len(own["validation"]) / there))}
        number["training"] = config.training_towers - number["validation"]
        kept = ~is_site
        for name, rows in own.items():
            generator = np.random.default_rng([config.training_draw, fold, len(name)])
            kept[rows] = drawn_clusters(table["cluster"].to_numpy(str)[rows], number[name], generator)
        columns[kept_in(fold)] = kept.astype(int)
    return table.assign(**columns)


def drawn_clusters(cluster: NDArray[np.str_], number: int, generator: np.random.Generator) -> NDArray[np.bool_]:
    """Members of clusters drawn at random, as many as fit into ``number``, but of one cluster at least."""
    names, size = np.unique(cluster, return_counts=True)
    order = generator.permutation(len(names))
    chosen, held = [], 0
    for index in order:
        if held + size[index] <= number:
            chosen.append(names[index])
            held += int(size[index])
    return np.isin(cluster, chosen or names[order[[size[order].argmin()]]])
