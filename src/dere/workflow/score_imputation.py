"""Score the imputations of a run on hidden months of their validation towers."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dere.config.imputation import ImputationConfig
from dere.evaluation.imputation_table import checked
from dere.exchange import DEFAULT, get
from dere.imputation.bundle import from_manifest
from dere.imputation.hidden import score_hidden
from dere.imputation.scores import ALL, table
from dere.io import file_sha256, read_netcdf, write_table
from dere.training import checkpoint, weights
from dere.workflow.members import read_splits

log = logging.getLogger(__name__)


def write_scores(files: Mapping[str, Path], manifests: Sequence[Path], output: Path, config: ImputationConfig) -> None:
    """Write ``imputation.csv``.

    Parameters
    ----------
    files
        ``towers`` and ``splits``.
    manifests
        ``manifest.json`` of every trained imputation, one per fold and seed, its weights beside it; refused when they
        saw another split.
    output
        File to write.
    config
        The section imputation; ``samples`` is not read.
    """
    towers, splits = read_netcdf(files["towers"]), read_splits(files["splits"])
    split = file_sha256(files["splits"])
    sums = []
    for path in manifests:
        fitted = checkpoint.read(path.parent, get(DEFAULT), {"split": split})
        imputer = weights.load(from_manifest(fitted.facts), fitted)
        fold, seed = int(fitted.facts["fold"]), int(fitted.facts["seed"])
        sums.append(score_hidden(imputer, towers, splits, fold, config, seed).assign(fold=fold, seed=seed))
    scores = table(pd.concat(sums, ignore_index=True))
    write_table(checked(scores), output)
    pooled = scores[(scores["fold"] == ALL) & (scores["gap"] == ALL) & (scores["scale"] == "monthly")]
    for flux, rows in pooled.groupby("flux", sort=False):
        said = ", ".join(f"{row.method} {row.crps:.3f}" for row in rows.itertuples())
        log.info("%d trainings, CRPS of %s on hidden months: %s gC m-2 d-1", len(manifests), flux, said)
