"""Whether methane is predicted better on an asinh scale, with the level put right, by towers that no table scores.

Run: python benchmarks/methane_link.py --folder results/methane_link

The towers of the package; every cluster is a test cluster once, and the clusters beside it are left out one at a time
from what is learned: these inner predictions alone are scored, so that no choice made by them has seen the test
cluster. Each model is fitted on labels as they are (linear), on asinh(label / 5 nmol m-2 s-1) and put back as it is
(asinh), and put back times a factor of level (smeared): the ratio of the weighted means of labels and predictions at
towers of the learned clusters that three further fits left out. ``--without wetland`` takes predictors away. Writes
methane_link.csv.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from measuring import table as as_text
from methane_forest import summary
from methane_rows import Array, Model, Rows, boosted, forest, read_rows
from numpy.typing import NDArray

from dere.io import write_table
from dere.training.membership import deal

log = logging.getLogger(__name__)

UNIT = 5.0
"""nmol m-2 s-1 above which asinh is a logarithm."""
GROUPS = 3
"""Fits behind a factor of level."""
HIDDEN, STEPS, RATE, DECAY = 32, 300, 0.01, 0.1


def network(rows: Rows, learn: NDArray[np.bool_], test: NDArray[np.bool_], seed: int) -> Array:
    """One hidden layer on the predictors of the forest, full batches of all months, towers alike."""
    torch.manual_seed(seed)
    mean, std = rows.features[learn].mean(0), rows.features[learn].std(0)
    x = torch.tensor((rows.features - mean) / np.where(std > 0, std, 1.0), dtype=torch.float32)
    level, spread = rows.label[learn].mean(), rows.label[learn].std()
    y = torch.tensor((rows.label[learn] - level) / spread, dtype=torch.float32)
    weight = torch.tensor(rows.weights(learn), dtype=torch.float32)
    layers = torch.nn.Sequential(torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.AdamW(layers.parameters(), RATE, weight_decay=DECAY)
    for _ in range(STEPS):
        optimiser.zero_grad()
        ((weight * (layers(x[learn])[:, 0] - y) ** 2).sum() / weight.sum()).backward()
        optimiser.step()
    with torch.no_grad():
        return layers(x[test])[:, 0].double().numpy() * spread + level


LINKS = ("linear", "asinh", "smeared")
MODELS: dict[str, Model] = {"forest": partial(forest, trees=100), "boosted trees": boosted, "network": network}


def linked(
    model: Model,
    rows: Rows,
    learn: NDArray[np.bool_],
    test: NDArray[np.bool_],
    seed: int,
    links: Collection[str] = LINKS,
) -> Mapping[str, Array]:
    """Predictions of the rows ``test`` by a model that learns ``learn``, by each link."""
    found = {"linear": model(rows, learn, test, seed)} if "linear" in links else {}
    if {"asinh", "smeared"} & set(links):
        bent = replace(rows, label=np.arcsinh(rows.label / UNIT))
        found["asinh"] = back(model(bent, learn, test, seed))
    if "smeared" in links:
        found["smeared"] = found["asinh"] * level(model, bent, rows, learn, seed)
    return {link: found[link] for link in links}


def back(bent: Array) -> Array:
    """From the asinh scale to nmol m-2 s-1."""
    return UNIT * np.sinh(bent)


def level(model: Model, bent: Rows, rows: Rows, learn: NDArray[np.bool_], seed: int) -> float:
    """Mean of labels over mean of predictions at towers that were left out within ``learn``, towers alike."""
    names, member, size = np.unique(rows.cluster[learn], return_inverse=True, return_counts=True)
    group = deal(size, min(GROUPS, len(names)), np.random.default_rng(seed))[member]
    at = np.flatnonzero(learn)
    predicted = np.zeros(len(at))
    for number in range(group.max() + 1):
        held = np.zeros(len(learn), bool)
        held[at[group == number]] = True
        predicted[group == number] = back(model(bent, learn & ~held, held, seed))
    weight = rows.weights(learn)
    return float((weight * rows.label[learn]).sum() / (weight * predicted).sum())


def inner(rows: Rows, model: Model, seed: int, links: Collection[str] = LINKS) -> dict[str, list[dict[str, float]]]:
    """Scores by link of the inner predictions beside each test cluster."""
    clusters = np.unique(rows.cluster)
    found = {link: np.full((len(clusters), len(rows.label)), np.nan) for link in links}
    for first, second in combinations(range(len(clusters)), 2):
        one, other = (rows.cluster == clusters[number] for number in (first, second))
        for link, values in linked(model, rows, ~(one | other), one | other, seed, links).items():
            both = np.full(len(rows.label), np.nan)
            both[one | other] = values
            # the test cluster of the one is what is left out beside it of the other
            found[link][first, other], found[link][second, one] = both[other], both[one]
    scores: dict[str, list[dict[str, float]]] = {}
    for link, values in found.items():
        own = [np.isfinite(line) for line in values]
        scores[link] = [summary(taken(rows, at), line[at]) for line, at in zip(values, own, strict=True)]
    return scores


def without(rows: Rows, names: Collection[str]) -> Rows:
    """Rows that lack some predictors."""
    kept = [number for number, name in enumerate(rows.names) if name not in names]
    return replace(rows, features=rows.features[:, kept], names=tuple(rows.names[number] for number in kept))


def taken(rows: Rows, at: NDArray[np.bool_]) -> Rows:
    """Some of the rows."""
    arrays = {name: getattr(rows, name)[at] for name in Rows.__dataclass_fields__ if name != "names"}
    return replace(rows, **arrays)


def main(given: list[str] | None = None) -> None:
    """Write and show the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--links", nargs="+", choices=LINKS, default=list(LINKS))
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME", help="predictors to leave out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=Path("results/methane_link"))
    arguments = parser.parse_args(given)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    rows, lines = without(read_rows(), arguments.without), []
    for name in arguments.models:
        started = time.process_time()
        for link, scores in inner(rows, MODELS[name], arguments.seed, arguments.links).items():
            mean = pd.DataFrame(scores).mean()
            lines.append({"model": name, "link": link, "test_clusters": len(scores), **mean})
        log.info("%s: %.0f CPU s", name, time.process_time() - started)
        table = pd.DataFrame(lines)
        write_table(table, arguments.folder / "methane_link.csv")
        log.info("%s", as_text(list(table.columns), table.round(3).astype(str).to_numpy().tolist()))


if __name__ == "__main__":
    main()
