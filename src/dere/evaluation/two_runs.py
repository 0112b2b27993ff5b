"""Two runs side by side: the same methods at the same towers and months, or a reason why they cannot be compared."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dere.config.evaluation import EvaluationConfig
from dere.config.reference_rows import REFERENCE
from dere.evaluation.bootstrap import COLUMNS as PAIRED
from dere.evaluation.bootstrap import paired
from dere.evaluation.comparison import NO_BACKBONE
from dere.evaluation.runs import ENSEMBLE
from dere.evaluation.tables import average_runs

METHOD = ["method", "backbone"]
PLACE = ["rows", "site", "fold", "quality"]
"""What says where a row of scores was judged, beside flux and scale."""
GROUPINGS = {"measured": "all", "virtual": "virtual"}
"""Kinds of rows that are compared, and what ``paired.csv`` calls them."""
SHOWN = 3
"""Sites that a refusal names."""
COLUMNS = ("method", "backbone", "grouping", "flux", "scale", "sites", "clusters", "seeds", "nse_first", "nse_second",
           *PAIRED[PAIRED.index("nse_difference") :])  # fmt: skip


def two_runs(first: pd.DataFrame, second: pd.DataFrame, config: EvaluationConfig) -> pd.DataFrame:
    """Compare the methods that two runs share, in the folds that both have.

    Parameters
    ----------
    first, second
        ``site_skill.csv`` of the runs; folds and seeds are texts.
    config
        Resamples and main quality threshold.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, one row per method, backbone, test or virtual towers, flux and scale. ``nse_first`` and
        ``nse_second`` are medians over towers; differences and ratios are of the second run to the first, so a ratio
        below 1 says that the second is better, with intervals as in ``paired.csv``. Where the runs have unequal
        seeds, each is averaged over its own.

    Raises
    ------
    ValueError
        When they share no method or fold, or their towers, folds, clusters or scored months differ.
    """
    one, two = _single(first), _single(second)
    require_alike(one, two)
    folds = set(one["fold"]) & set(two["fold"])
    one, two = (table[table["fold"].isin(folds)] for table in (one, two))
    rows = []
    for method, backbone in shared(one, two):
        pair = [
            table[(table["method"] == method) & (table["backbone"] == backbone)].assign(method=name)
            for table, name in ((one, "first"), (two, "second"))
        ]
        found = paired(pd.concat(pair, ignore_index=True), config, {"first": 0, "second": 1})
        medians = (_medians(table, config) for table in pair)
        key = ["grouping", "flux", "scale"]
        for name, median in zip(("nse_first", "nse_second"), medians, strict=True):
            found = found.join(median.rename(name), on=key)
        rows.append(found.assign(method=method, backbone=backbone))
    return pd.concat(rows, ignore_index=True)[list(COLUMNS)]


def shared(one: pd.DataFrame, two: pd.DataFrame) -> list[tuple[str, str]]:
    """Methods, with their backbone, of both tables.

    Raises
    ------
    ValueError
        When there is none.
    """
    each = [list(dict.fromkeys(zip(table["method"], table["backbone"], strict=True))) for table in (one, two)]
    both = [member for member in each[0] if member in each[1]]
    if not both:
        raise ValueError(
            f"the runs share no method on one backbone: the first has {_named(each[0])}, the second {_named(each[1])}; "
            "compare runs of the same methods"
        )
    return both


def require_alike(one: pd.DataFrame, two: pd.DataFrame) -> None:
    """Refuse runs whose methods were judged at different places or on different months.

    Raises
    ------
    ValueError
        One sentence with the first reason and some of the sites.
    """
    folds = sorted(set(one["fold"]) & set(two["fold"]))
    if not folds:
        raise ValueError(
            f"the runs share no fold: the first was judged in {_listed(one['fold'])}, the second in "
            f"{_listed(two['fold'])}; make one with the folds of the other"
        )
    one, two = (table[table["fold"].isin(folds)] for table in (one, two))
    tested = [table.drop_duplicates(PLACE).set_index(PLACE) for table in (one, two)]
    lacking = tested[0].index.symmetric_difference(tested[1].index)
    if len(lacking):
        raise ValueError(
            f"the runs test unequal sites in fold {', '.join(folds)}: {_sites(lacking.get_level_values('site'))} "
            "in one of them alone; equal splits and sources are expected, so give both the same sections splits, "
            "sources and world"
        )
    both = tested[0].join(tested[1], rsuffix="_two")
    moved = both[both["cluster"].fillna("") != both["cluster_two"].fillna("")]
    if len(moved):
        raise ValueError(
            f"clusters of the runs differ at {_sites(moved.index.get_level_values('site'))}; equal splits are "
            "expected, so give both the same section splits"
        )
    key = [*PLACE, "flux", "scale"]
    months = [table.drop_duplicates(key).set_index(key)["months"] for table in (one, two)]
    counted = pd.concat(months, axis=1, keys=["one", "two"])
    differ = counted[counted["one"].fillna(-1) != counted["two"].fillna(-1)]
    if len(differ):
        rows, site, _, _, flux, scale = differ.index[0]
        raise ValueError(
            f"the runs score unequal months at {_sites(differ.index.get_level_values('site'))}: {site} ({rows}) has "
            f"{_count(differ['one'].iloc[0])} {scale} values of {flux} in the first and "
            f"{_count(differ['two'].iloc[0])} in the second; equal labels are expected, so give both the same "
            "sections sources, harmonise and evaluation"
        )


def _single(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of single folds and seeds at towers, without references."""
    kept = table["rows"].isin(list(GROUPINGS)) & table["seed"].ne(ENSEMBLE)
    table = table[kept & ~table["method"].str.startswith(REFERENCE)]
    return table.assign(backbone=table["backbone"].fillna(NO_BACKBONE))


def _medians(table: pd.DataFrame, config: EvaluationConfig) -> pd.Series:
    """Median NSE over towers, by grouping as in ``paired.csv``, flux and scale."""
    main = table["rows"].ne("measured") | table["quality"].eq(config.testing_quality[0])
    each = average_runs(table[main], ["fold", "seed"])
    return each.assign(grouping=each["rows"].map(GROUPINGS)).groupby(["grouping", "flux", "scale"])["nse"].median()


def _named(members: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{method} ({backbone})" for method, backbone in members)


def _listed(values: pd.Series) -> str:
    return ", ".join(sorted(set(values)))


def _sites(sites: Iterable[str]) -> str:
    """Number of sites and the first of them."""
    names = sorted(set(sites))
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def _count(number: float) -> str:
    return "no" if pd.isna(number) else f"{number:.0f}"
