"""Score the imputations of a run on hidden months of their validation towers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dere.config.imputation import ImputationConfig
from dere.evaluation.clusters import tower_clusters
from dere.evaluation.imputation_table import ALL, checked, table
from dere.exchange import DEFAULT, get
from dere.imputation.bundle import from_manifest
from dere.imputation.hidden import score_hidden
from dere.imputation.label_truth import label_sums
from dere.io import file_sha256, read_netcdf, write_table
from dere.training import checkpoint, weights
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)


def write_scores(
    files: Mapping[str, Path],
    manifests: Sequence[Path],
    output: Path,
    config: ImputationConfig,
    labels: Sequence[Path] = (),
) -> None:
    """Write ``imputation.csv``.

    Parameters
    ----------
    files
        ``towers`` and ``splits``; of the built-in world also ``truth``.
    manifests
        ``manifest.json`` of every trained imputation, one per fold and seed, its weights beside it; refused when they
        saw another split.
    output
        File to write.
    config
        The section imputation; ``samples`` is not read.
    labels
        ``labels.nc`` of every fold and seed, scored against the truth where there is any.
    """
    towers, splits = read_netcdf(files["towers"]), read_splits(files["splits"])
    split = file_sha256(files["splits"])
    sums = []
    for path in manifests:
        fitted = checkpoint.read(path.parent, get(DEFAULT), {"split": split})
        imputer = weights.load(from_manifest(fitted.facts), fitted)
        fold, seed = int(fitted.facts["fold"]), int(fitted.facts["seed"])
        sums.append(score_hidden(imputer, towers, splits, fold, config, seed).assign(fold=fold, seed=seed))
    if "truth" in files:
        truth = read_netcdf(files["truth"])
        for path in labels:
            made = read_netcdf(path)
            sums.append(label_sums(made, truth).assign(fold=int(made.attrs["fold"]), seed=int(made.attrs["seed"])))
    every = pd.concat(sums, ignore_index=True)
    classes = dict(zip(towers["site"].values.astype(str), towers["igbp"].values.astype(str), strict=True))
    scores = table(every.assign(igbp=every["site"].map(classes), cluster=every["site"].map(tower_clusters(splits))))
    write_table(checked(scores), output)
    whole = (scores[["fold", "gap", "igbp"]] == ALL).all(axis=1)
    pooled = scores[whole & (scores["scale"] == "monthly")]
    for flux, rows in pooled.groupby("flux", sort=False):
        said = ", ".join(f"{row.method} {row.crps:.3f}" for row in rows.itertuples())
        log.info("%d trainings, CRPS of %s on hidden months: %s gC m-2 d-1", len(manifests), flux, said)
