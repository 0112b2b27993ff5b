"""How well a random forest predicts the methane of wetlands that it never saw, and what a few known months add.

Run: python benchmarks/methane_forest.py --seeds 5 --folder results/methane_forest

Takes the 15 towers that come with the package and leaves each of their 12 clusters out once. Writes
methane_models.csv (scores of each model, mean over seeds), methane_paired.csv (the forest against the others, intervals
by resampled clusters) and methane_known.csv (scores with some months of the tower known), and shows them. Scores by
tower are of those with at least twelve labelled months (14 towers in 11 clusters), pooled ones of all labelled months.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import table as as_text
from methane_rows import MODELS, Array, Rows, forest, read_rows, unseen
from numpy.typing import NDArray

from dere.evaluation.bootstrap import geometric_ratio, resample_clusters, resampled_median
from dere.evaluation.metrics import score
from dere.io import write_table

log = logging.getLogger(__name__)

MONTHS = 12
"""Labelled months of a tower that is scored by itself."""
KNOWN = (0, 1, 3, 6, 12)
REST = 6
"""Months that must be left to score where some are known."""
DRAWS = 20
FLOOR = 1.0
"""nmol m-2 s-1 below which a mean counts as this when levels are compared as logarithms."""
HALVES = np.geomspace(0.05, 20.0, 40)
"""Worths of months among which the one at which half of a level is believed is chosen."""
RESAMPLES = 2000
TREES_OF_PAIRS = 100
"""Trees of the forests behind the shrinkage; it needs levels alone."""


def scored_towers(rows: Rows) -> list[str]:
    """Towers with enough labelled months, by id."""
    names, counts = np.unique(rows.site, return_counts=True)
    return [str(name) for name, count in zip(names, counts, strict=True) if count >= MONTHS]


def by_tower(rows: Rows, predicted: Array) -> pd.DataFrame:
    """NSE and RMSE of each scored tower."""
    towers = scored_towers(rows)
    own = [rows.site == tower for tower in towers]
    found = {name: [float(score(name, rows.label[at], predicted[at])) for at in own] for name in ("nse", "rmse")}
    return pd.DataFrame({"site": towers, **found}).set_index("site")


def summary(rows: Rows, predicted: Array) -> dict[str, float]:
    """Scores of one prediction of all rows."""
    each = by_tower(rows, predicted)
    low, median, high = each["nse"].quantile([0.25, 0.5, 0.75])
    return {
        "pooled_nse": float(score("nse", rows.label, predicted)),
        "pooled_rmse": float(score("rmse", rows.label, predicted)),
        "nse_q25": low,
        "nse_median": median,
        "nse_q75": high,
        "towers_above_0": float((each["nse"] > 0).sum()),
        "rmse_median": each["rmse"].median(),
    }


def models(rows: Rows, predictions: Mapping[str, list[Array]]) -> pd.DataFrame:
    """Scores of each model, mean over its seeds, and their standard deviation for the two main ones."""
    found = []
    for name, each in predictions.items():
        scores = pd.DataFrame([summary(rows, predicted) for predicted in each])
        spread = scores[["pooled_nse", "nse_median"]].std(ddof=0).add_suffix("_seed_std")
        found.append({"model": name, "seeds": len(each), **scores.mean(), **spread})
    return pd.DataFrame(found)


def paired(rows: Rows, predictions: Mapping[str, list[Array]], chosen: str = "forest") -> pd.DataFrame:
    """The chosen model against each other one: ratio of RMSE and difference of the median NSE over towers.

    Scores of a tower are means over seeds; clusters of towers are resampled, the seeds are not.
    """
    mean = {
        name: pd.concat([by_tower(rows, predicted) for predicted in each]).groupby(level="site").mean()
        for name, each in predictions.items()
    }
    towers = mean[chosen].index
    cluster = dict(zip(rows.site, rows.cluster, strict=True))
    clusters = np.array([cluster[tower] for tower in towers])
    counts = resample_clusters(clusters, RESAMPLES, np.random.default_rng(0))
    found = []
    for other in [name for name in predictions if name != chosen]:
        ratio = geometric_ratio(mean[chosen]["rmse"].to_numpy(), mean[other]["rmse"].to_numpy(), counts)
        nse = [mean[name]["nse"].to_numpy() for name in (chosen, other)]
        drawn = resampled_median(nse[0], counts) - resampled_median(nse[1], counts)
        low, high = np.quantile(drawn, [0.025, 0.975])
        found.append(
            {"model": chosen, "against": other, "towers": len(towers), "clusters": len(set(clusters)),
             "rmse_ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high,
             "nse_difference": float(np.median(nse[0]) - np.median(nse[1])), "nse_low": low, "nse_high": high}
        )  # fmt: skip
    return pd.DataFrame(found)


def log_level(observed: Array, predicted: Array) -> float:
    """Logarithm of the ratio of two means over the same months, each at least ``FLOOR``."""
    return float(np.log(max(observed.mean(), FLOOR) / max(predicted.mean(), FLOOR)))


def pair_predictions(rows: Rows, seed: int = 0) -> dict[tuple[str, str], Array]:
    """Predictions of a cluster by forests that saw neither it nor a second one; by (cluster, second one)."""
    found = {}
    for one, other in combinations(np.unique(rows.cluster), 2):
        out = np.isin(rows.cluster, [one, other])
        predicted = np.full(len(rows.label), np.nan)
        predicted[out] = forest(rows, ~out, out, seed, TREES_OF_PAIRS)
        found[one, other] = found[other, one] = predicted
    return found


def information(predicted: Array, known: NDArray[np.int64], own: NDArray[np.int64]) -> float:
    """How many mean months the known ones are worth: winters with next to no methane say little of a level."""
    return float(np.maximum(predicted[known], 0.0).sum() / max(float(np.maximum(predicted[own], 0.0).mean()), FLOOR))


def share_of(worth: float, half: float) -> float:
    """Share of a level that is believed; half of it where the months are worth ``half`` mean ones."""
    return worth / (worth + half)


def half_believed(rows: Rows, pairs: Mapping[tuple[str, str], Array], test: str) -> float:
    """Worth of months at which half of their level is believed, from towers of other clusters.

    Least squares of the level in the months left on the believed one in the known ones, over towers, numbers of known
    months and draws; predictions saw neither the tower's cluster nor ``test``.
    """
    rng = np.random.default_rng(0)
    found = []
    for tower in scored_towers(rows):
        own = np.flatnonzero(rows.site == tower)
        cluster = rows.cluster[own[0]]
        if cluster == test:
            continue
        predicted = pairs[str(cluster), test]
        for known in (known for known in KNOWN if 0 < known <= len(own) - REST):
            for _ in range(DRAWS):
                at, rest = np.split(rng.permutation(own), [known])
                levels = [log_level(rows.label[some], predicted[some]) for some in (at, rest)]
                found.append((information(predicted, at, own), *levels))
    worth, seen, rest_level = np.array(found).T
    errors = [((rest_level - share_of(worth, half) * seen) ** 2).sum() for half in HALVES]
    return float(HALVES[int(np.argmin(errors))])


def known_months(rows: Rows, predictions: list[Array], halves: Mapping[str, float], known: int) -> pd.DataFrame:
    """NSE of the months that stay unknown, mean over draws and seeds: without, and with the level of the known ones.

    Parameters
    ----------
    rows, predictions
        Labels, and predictions of them by seed.
    halves
        `half_believed` of each cluster.
    known
        Number of known months.

    Returns
    -------
    DataFrame
        By site: ``cluster``, ``share`` (of the level that is believed, mean over draws), ``nse_without``,
        ``nse_shrunk`` and ``nse_ratio`` (the level taken in full).
    """
    found = []
    for tower in scored_towers(rows):
        own = np.flatnonzero(rows.site == tower)
        if len(own) < known + REST:
            continue
        cluster = str(rows.cluster[own[0]])
        rng = np.random.default_rng(1)
        scores = []
        for predicted in predictions:
            for _ in range(DRAWS if known else 1):
                at, rest = np.split(rng.permutation(own), [known])
                share = share_of(information(predicted, at, own), halves[cluster]) if known else 0.0
                level = log_level(rows.label[at], predicted[at]) if known else 0.0
                each = [_nse(rows, rest, np.exp(part * level) * predicted) for part in (0.0, share, 1.0)]
                scores.append([share, *each])
        found.append((tower, cluster, *np.mean(scores, 0)))
    columns = ["site", "cluster", "share", "nse_without", "nse_shrunk", "nse_ratio"]
    return pd.DataFrame(found, columns=columns).assign(known=known)


def _nse(rows: Rows, at: NDArray[np.int64], predicted: Array) -> float:
    return float(score("nse", rows.label[at], predicted[at]))


def curve(each: pd.DataFrame) -> pd.DataFrame:
    """Median over towers for each number of known months, with the interval of the shrunk one by resampled clusters."""
    found = []
    for known, part in each.groupby("known"):
        counts = resample_clusters(part["cluster"].to_numpy(), RESAMPLES, np.random.default_rng(0))
        low, high = np.quantile(resampled_median(part["nse_shrunk"].to_numpy(), counts), [0.025, 0.975])
        median = part[["nse_without", "nse_shrunk", "nse_ratio", "share"]].median()
        found.append({"known": known, "towers": len(part), **median, "shrunk_low": low, "shrunk_high": high})
    return pd.DataFrame(found)


def show(title: str, table: pd.DataFrame) -> str:
    """Markdown of a table, two decimals."""
    texts = [[f"{x:.2f}" if isinstance(x, float) else str(x) for x in row] for row in table.itertuples(index=False)]
    return f"{title}\n\n{as_text(list(table.columns), texts)}\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="seeds of the models that have any")
    parser.add_argument("--folder", type=Path, default=Path("results/methane_forest"), help="gets the tables")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows = read_rows()
    plain = ("seasonal mean", "Q10 line")
    predictions = {}
    for name, model in MODELS.items():
        log.info("%s: %d clusters left out", name, len(set(rows.cluster)))
        predictions[name] = [unseen(rows, model, seed) for seed in range(1 if name in plain else options.seeds)]
    pairs = pair_predictions(rows)
    halves = {str(cluster): half_believed(rows, pairs, str(cluster)) for cluster in np.unique(rows.cluster)}
    log.info(
        "half of a level is believed at a worth of %.2f to %.2f months", min(halves.values()), max(halves.values())
    )
    each = pd.concat([known_months(rows, predictions["forest"], halves, known) for known in KNOWN], ignore_index=True)
    tables = {"models": models(rows, predictions), "paired": paired(rows, predictions), "known": curve(each)}
    for name, table in tables.items():
        write_table(table, options.folder / f"methane_{name}.csv")
        print(show(name, table))


if __name__ == "__main__":
    main()
