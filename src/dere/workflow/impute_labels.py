"""Draw the expanded labels of one fold and seed from the trained imputation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dere.config.imputation import ImputationConfig
from dere.imputation.bundle import from_manifest
from dere.imputation.labels import impute
from dere.io import file_sha256, read_json, read_netcdf, write_netcdf
from dere.training import checkpoint
from dere.training.context import choose_device
from dere.workflow.members import read_splits


def write_labels(
    files: Mapping[str, Path],
    parents: Mapping[str, Path],
    output: Path,
    params: Mapping[str, Any],
    fold: int,
    seed: int,
    gpu: int,
) -> None:
    """Write ``labels.nc``.

    Parameters
    ----------
    files
        ``towers``, ``splits``.
    parents
        ``imputation``: folder of its checkpoint; refused when it saw another split or fold.
    output
        File to write.
    params
        The section imputation.
    fold, seed, gpu
        As given by the rule.
    """
    folder = parents["imputation"]
    imputer = from_manifest(read_json(folder / "manifest.json"))
    checkpoint.load(folder, imputer, {"split": file_sha256(files["splits"]), "fold": fold})
    imputer.eval()
    labels = impute(
        imputer,
        read_netcdf(files["towers"]),
        read_splits(files["splits"]),
        fold,
        ImputationConfig(**params),
        seed,
        choose_device(gpu),
    )
    write_netcdf(labels, output)
