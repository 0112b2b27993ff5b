"""Are the differences real? Paired cluster bootstrap between methods on identical towers (docs/tables.md#pairedcsv).

Clusters of towers, not towers or months, are resampled: neighbours share climate, plant types and often the team.
Virtual towers are drawn by the block of their cell (``evaluation.clusters``), because many lie in one cell.
The same resamples serve every method, so a difference is always taken on equal towers. Where both methods have
several seeds, these are resampled too (`dere.evaluation.two_level`).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.reference_rows import REFERENCE
from dere.evaluation import two_level
from dere.evaluation.resampling import Counts, resample_clusters
from dere.evaluation.runs import ENSEMBLE
from dere.evaluation.tables import average_runs

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

Array = NDArray[np.float64]

_RANGE = (0.025, 0.975)
COLUMNS = (
    "method",
    "backbone",
    "against",
    "against_backbone",
    "grouping",
    "flux",
    "scale",
    "sites",
    "clusters",
    "seeds",
    "nse_difference",
    "nse_low",
    "nse_high",
    "rmse_ratio",
    "ratio_low",
    "ratio_high",
    "detectable_ratio",
    "share_better",
    "nse_difference_seed_std",
    "rmse_ratio_seed_std",
)
_GROUPINGS = {"measured": "all", "virtual": "virtual"}


class Interval(NamedTuple):
    """A statistic with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def resampled_median(values: Array, counts: Counts) -> Array:
    """Median of each resample, (resample,): exactly the median of ``np.repeat(values, counts[i])``."""
    order = np.argsort(values, kind="stable")
    cumulative = np.cumsum(counts[:, order], axis=1)
    total = cumulative[:, -1:]
    sorted_values = values[order]
    lower = sorted_values[(cumulative > (total - 1) // 2).argmax(1)]
    upper = sorted_values[(cumulative > total // 2).argmax(1)]
    return (lower + upper) / 2


def resampled_mean(values: Array, counts: Counts) -> Array:
    """Mean of each resample, (resample,)."""
    return counts @ values / counts.sum(1)


def geometric_ratio(a: Array, b: Array, counts: Counts) -> Interval:
    """Geometric mean over sites of ``a / b`` (both positive), with interval; below 1, ``a`` is smaller."""
    log_ratio = np.log(a) - np.log(b)
    return Interval(float(np.exp(log_ratio.mean())), *_interval(np.exp(resampled_mean(log_ratio, counts))))


def paired(site_skill: pd.DataFrame, config: EvaluationConfig, ranks: Mapping[str, int] | None = None) -> pd.DataFrame:
    """Compare every pair of methods per flux and scale, on test towers and on virtual towers; references are in none.

    Scores are averaged over seeds (and, for virtual towers, over folds) per site before pairing; of several assignments
    of clusters to folds each tests a tower once, and the logarithms of its RMSE are averaged. ``seeds`` is the
    number of seeds that both methods have; the spread columns are standard deviations over these of the statistic of
    single seeds, empty with one seed. With several, intervals are of clusters and seeds together.

    Parameters
    ----------
    site_skill
        Rows of ``site_scores.site_skill`` of all files, concatenated; ``cluster`` is what is resampled.
    config
        ``bootstrap`` resamples, ``seed``; the main quality threshold is ``testing_quality[0]``.
    ranks
        Method to its rank: one of higher rank is compared against one of lower; methods without a rank come first.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``: NSE difference = median of ``method`` minus median of ``against`` (above 0, ``method`` is
        better); RMSE ratio = geometric mean of ``method`` over ``against`` (below 1, ``method`` is better);
        ``detectable_ratio`` = sqrt(low / high) of its interval: only a ratio below it (or above its inverse) has an
        interval of this width, in the logarithm, that does not hold 1;
        ``share_better`` = share of towers where ``method`` has the smaller RMSE.
    """
    table = site_skill.assign(seed=site_skill["seed"].astype(str), fold=site_skill["fold"].astype(str))
    # References leave out months that they use, so that they share no rows with a method.
    table = table[~table["method"].str.startswith(REFERENCE)]
    main = table["rows"].ne("measured") | table["quality"].eq(config.testing_quality[0])
    # One value per site cannot have an NSE; its RMSE is the absolute bias and may be zero.
    table = table[
        main & table["rows"].isin(list(_GROUPINGS)) & table["seed"].ne(ENSEMBLE) & table["scale"].ne("site_mean")
    ]
    if table.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    by_seed = average_runs(_geometric_over_assignments(table), ["fold"])
    rows: list[dict[str, object]] = []
    for (kind, flux, scale), part in by_seed.groupby(["rows", "flux", "scale"], sort=False):
        found = _compare(part, config.bootstrap, config.seed, ranks or {})
        rows += [{**row, "grouping": _GROUPINGS[str(kind)], "flux": flux, "scale": scale} for row in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _geometric_over_assignments(table: pd.DataFrame) -> pd.DataFrame:
    """Give a test tower that several folds test the geometric mean of its RMSE in all of them."""
    key = ["site", "method", "backbone", "seed", "flux", "scale", "quality"]
    several = table["rows"].eq("measured") & table.duplicated([*key, "rows"], keep=False)
    if not several.any():
        return table
    rows = table[several]
    with np.errstate(divide="ignore"):
        log = rows.assign(rmse=np.log(rows["rmse"])).groupby(key)["rmse"].transform("mean")
    return table.assign(rmse=table["rmse"].where(~several, np.exp(log)))


def _compare(part: pd.DataFrame, resamples: int, seed: int, ranks: Mapping[str, int]) -> list[dict[str, object]]:
    cluster = part.drop_duplicates("site").set_index("site")["cluster"]
    sites = cluster.index.sort_values()
    labels = np.asarray([cluster[s] or s for s in sites])
    counts = resample_clusters(labels, resamples, np.random.default_rng(seed))
    members = set(zip(part["method"], part["backbone"], strict=True))
    methods = sorted(members, key=lambda member: (-ranks.get(member[0], sys.maxsize), *member))
    wide: dict[tuple[str, str], dict[str, pd.DataFrame]] = {
        method: {
            score: part[(part["method"] == method[0]) & (part["backbone"] == method[1])]
            .pivot(index="site", columns="seed", values=score)
            .reindex(sites)
            for score in ("nse", "rmse")
        }
        for method in methods
    }
    rows = []
    # With many networks most pairs share their sites, and the medians of the resamples are the dear part.
    known: dict[tuple[tuple[str, str], bytes], Array] = {}

    def median_of(method: tuple[str, str], values: Array, shared: NDArray, drawn: Counts) -> Array:
        key = (method, shared.tobytes())
        if key not in known:
            known[key] = resampled_median(values, drawn)
        return known[key]

    of_seeds: dict[tuple[tuple[str, str], bytes, tuple[str, ...]], tuple[Array, Array]] = {}

    def two_level_of(method: tuple[str, str], seeds: tuple[str, ...], shared: NDArray) -> tuple[Array, Array]:
        """Median of NSE and mean of ln RMSE in each resample of seeds and clusters; a lone seed is always drawn."""
        key = (method, shared.tobytes(), seeds)
        if key not in of_seeds:
            drawn = counts[:, shared]
            some = drawn.sum(1) > 0
            of_seed = two_level.resample_seeds(len(seeds), resamples, seed)[some]
            nse, rmse = (
                two_level.seed_means(wide[method][score].loc[shared, list(seeds)].to_numpy(), of_seed)
                for score in ("nse", "rmse")
            )
            of_seeds[key] = two_level.medians(nse, drawn[some]), two_level.means(np.log(rmse), drawn[some])
        return of_seeds[key]

    means = {m: {score: wide[m][score].mean(axis=1).to_numpy() for score in ("nse", "rmse")} for m in methods}
    for a, b in combinations(methods, 2):
        shared = np.logical_and.reduce([np.isfinite(v) for m in (a, b) for v in means[m].values()])
        shared &= np.logical_and.reduce([means[m]["rmse"] > 0 for m in (a, b)])
        # A resample that holds none of the shared sites says nothing.
        drawn = counts[:, shared]
        drawn = drawn[drawn.sum(1) > 0]
        if shared.sum() < 2 or not len(drawn):
            continue
        nse_a, nse_b, rmse_a, rmse_b = (means[m][score][shared] for score in ("nse", "rmse") for m in (a, b))
        seeds = _common_seeds(wide[a]["nse"], wide[b]["nse"])
        ratio = geometric_ratio(rmse_a, rmse_b, drawn)
        if len(seeds) < 2:
            draws = median_of(a, nse_a, shared, drawn) - median_of(b, nse_b, shared, drawn)
        else:
            own, other = (tuple(names) for names in zip(*seeds, strict=True))
            of_a, of_b = two_level_of(a, own, shared), two_level_of(b, other, shared)
            draws = of_a[0] - of_b[0]
            ratio = Interval(ratio.value, *_interval(np.exp(of_a[1] - of_b[1])))
        difference = Interval(float(np.median(nse_a) - np.median(nse_b)), *_interval(draws))
        spread = _seed_spread(wide[a], wide[b], seeds, shared)
        counted = (int(shared.sum()), len(np.unique(labels[shared])), len(seeds))
        values = (*counted, *difference, *ratio, math.sqrt(ratio.low / ratio.high))
        names = COLUMNS[COLUMNS.index("sites") : COLUMNS.index("share_better")]
        rows.append(
            {"method": a[0], "backbone": a[1], "against": b[0], "against_backbone": b[1]}
            | dict(zip(names, values, strict=True))
            | {"share_better": float((rmse_a < rmse_b).mean())}
            | dict(zip(COLUMNS[-2:], spread, strict=True))
        )
    return rows


def _common_seeds(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[str, str]]:
    """Seed pairs; a method of a single seed (deterministic, say) stands beside every seed of the other."""
    if a.shape[1] == 1 or b.shape[1] == 1:
        return [(s, t) for s in a.columns for t in b.columns]
    return [(s, s) for s in a.columns if s in set(b.columns)]


def _seed_spread(
    a: dict[str, pd.DataFrame], b: dict[str, pd.DataFrame], seeds: list[tuple[str, str]], shared: NDArray
) -> tuple[float, float]:
    if len(seeds) < 2:
        return float("nan"), float("nan")
    differences, ratios = [], []
    for s, t in seeds:
        differences.append(np.nanmedian(a["nse"][s][shared]) - np.nanmedian(b["nse"][t][shared]))
        ratios.append(np.exp(np.nanmean(np.log(a["rmse"][s][shared] / b["rmse"][t][shared]))))
    return float(np.std(differences, ddof=1)), float(np.std(ratios, ddof=1))


def _interval(draws: Array) -> tuple[float, float]:
    low, high = np.quantile(draws, _RANGE)
    return float(low), float(high)
