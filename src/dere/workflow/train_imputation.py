"""Train the imputation of one fold and seed and write its checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dere.config.imputation import ImputationConfig
from dere.imputation.fit import describe, point_file, train_imputation
from dere.io import content_hash, file_sha256, read_netcdf
from dere.training import checkpoint
from dere.training.context import choose_device
from dere.training.snapshots import discard
from dere.workflow.members import read_splits


def train(
    files: Mapping[str, Path],
    parents: Mapping[str, Path],
    output: Path,
    params: Mapping[str, Any],
    fold: int,
    seed: int,
    gpu: int,
) -> None:
    """Write ``model.safetensors``, ``manifest.json`` and ``history.csv`` into ``output``.

    Parameters
    ----------
    files
        ``towers``, ``splits``, ``statistics``.
    parents
        None; the denoiser starts from noise.
    output
        Folder of the checkpoint; an unfinished run is resumed from ``last_point.pt`` and ``last.pt`` there.
    params
        The section imputation.
    fold, seed, gpu
        As given by the rule.
    """
    hashes = {name: file_sha256(path) for name, path in sorted(files.items())}
    last = output / "last.pt"
    imputer, history = train_imputation(
        read_netcdf(files["towers"]),
        read_splits(files["splits"]),
        read_netcdf(files["statistics"]),
        fold,
        ImputationConfig(**params),
        seed,
        choose_device(gpu),
        last,
        content_hash(hashes),
    )
    about = {"fold": fold, "seed": seed, "split": hashes["splits"], "params": dict(params)}
    checkpoint.save(output, imputer, describe(imputer, about), history)
    discard(point_file(last), last)
