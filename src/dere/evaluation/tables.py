"""``skill``: median, quartiles and 90th percentile over towers, by group; per tower first, always.

A tower counts once whatever the length of its record. Rows:

* ``fold`` and ``seed`` as in the prediction file (strings), and pooled rows ``fold = all``: each tower's score averaged
  over the folds that predict it and, for ``seed = all``, over the seeds. With one fold and seed the pooled rows equal
  the others, so a reader can always take ``fold == "all", seed == "all"``. ``seed = ensemble`` is the ensemble file.
* ``grouping``: all (test towers, main quality threshold), igbp and koppen (of the same, pooled rows only), quality
  (stricter thresholds), daytime (second partitioning), cold (months below freezing), odd (test months that do not fit
  the tower's own record, which are in no row but this and the next), with_odd (all with these among them), virtual
  (truth at the world's virtual towers), map (truth in the world's cells).
* ``statistic``: median, q25, q75, q90 of each score over towers; for the scale site_mean also ``across``, the scores
  of the towers' means taken together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from dere.evaluation.metrics import SCORES
from dere.evaluation.metrics import scores as pair_scores
from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.harmonise.koppen import climate_group

STATISTICS = {"median": 0.5, "q25": 0.25, "q75": 0.75, "q90": 0.9}
KEY = ("method", "backbone", "fold", "seed", "flux", "scale", "grouping", "group")
COLUMNS = (*KEY, "sites", "months", "statistic", *SCORES, "quality")


def skill(site_skill: pd.DataFrame) -> pd.DataFrame:
    """Aggregate per-tower scores.

    Parameters
    ----------
    site_skill
        Rows of ``site_scores.site_skill`` (and ``map_skill``) of any number of files, concatenated.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``; ``sites`` towers and ``months`` in all stand behind a row.
    """
    if site_skill.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    table = site_skill.assign(fold=site_skill["fold"].astype(str), seed=site_skill["seed"].astype(str))
    pooled = pd.concat(_pooled(table), ignore_index=True)
    parts = [_aggregate(_grouped(table[~_is_pooled(table)], classes=False)), _aggregate(_grouped(pooled, classes=True))]
    result = pd.concat([part for part in parts if not part.empty], ignore_index=True)
    return result[list(COLUMNS)].sort_values([*KEY, "statistic"], kind="stable", ignore_index=True)


def average_runs(table: pd.DataFrame, over: Iterable[str]) -> pd.DataFrame:
    """Average each tower's scores over the columns ``over`` (fold, seed); they become ``all`` in the result."""
    over = list(over)
    text = ["igbp", "koppen", "cluster"]
    key = [
        c for c in ("site", "method", "backbone", "fold", "seed", "flux", "scale", "rows", "quality") if c not in over
    ]
    values = (
        {name: "mean" for name in ("observed_mean", *SCORES)} | {"months": "max"} | {name: "first" for name in text}
    )
    return table.groupby(key, dropna=False, sort=False).agg(values).reset_index().assign(**{c: POOLED for c in over})


def _is_pooled(table: pd.DataFrame) -> pd.Series:
    return table["fold"] == POOLED


def _pooled(table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    runs = table[(table["seed"] != ENSEMBLE) & (table["seed"] != POOLED)]
    if not runs.empty:
        yield average_runs(runs, ["fold", "seed"])
        if runs["seed"].nunique() > 1:
            yield average_runs(runs, ["fold"])
    yield table[_is_pooled(table)]


def _grouped(table: pd.DataFrame, classes: bool) -> pd.DataFrame:
    """Rows repeated for every grouping they belong to."""
    measured = table[table["rows"] == "measured"]
    parts = []
    if not measured.empty:
        # The first threshold of the config is the main one; site_skill keeps that order.
        thresholds = measured["quality"].unique()
        main = measured[measured["quality"] == thresholds[0]]
        parts.append(main.assign(grouping="all", group="all"))
        if classes:
            parts.append(main.assign(grouping="igbp", group=main["igbp"].replace("", "unknown")))
            climate = main["koppen"].map(climate_group).replace("", "unknown")
            parts.append(main.assign(grouping="koppen", group=climate))
        for threshold in thresholds[1:]:
            strict = measured[measured["quality"] == threshold]
            parts.append(strict.assign(grouping="quality", group=f"{threshold:g}"))
    for rows in ("daytime", "cold", "odd", "with_odd", "virtual", "map"):
        part = table[table["rows"] == rows]
        if not part.empty:
            parts.append(part.assign(grouping=rows, group="all"))
    return pd.concat(parts, ignore_index=True) if parts else table.assign(grouping="", group="")


def _aggregate(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    groups = table.groupby(list(KEY), sort=False)
    counts = groups.agg(sites=("site", "nunique"), months=("months", "sum"), quality=("quality", "first"))
    parts = [
        groups[list(SCORES)].quantile(level).join(counts).assign(statistic=name) for name, level in STATISTICS.items()
    ]
    means = table[table["scale"] == "site_mean"]
    if not means.empty:
        across = means.groupby(list(KEY), sort=False)[["observed_mean", "bias"]].apply(_across)
        parts.append(across.join(counts).assign(statistic="across"))
    return pd.concat(parts).reset_index()


def _across(means: pd.DataFrame) -> pd.Series:
    observed = means["observed_mean"].to_numpy()
    found = pair_scores(observed, observed + means["bias"].to_numpy())
    return pd.Series({name: float(np.asarray(found[name])) for name in SCORES})
