"""Train the imputation of one fold and seed and write its checkpoint."""

from __future__ import annotations

from dere.config.imputation import ImputationConfig
from dere.imputation.fit import describe, point_file, train_imputation
from dere.io import content_hash, file_sha256, read_netcdf
from dere.training import checkpoint
from dere.training.context import choose_device
from dere.training.job import Job
from dere.training.snapshots import discard
from dere.workflow.members import read_splits


def train(job: Job) -> None:
    """Write ``model.safetensors``, ``manifest.json`` and ``history.csv`` into ``job.output``.

    Parameters
    ----------
    job
        With files ``towers``, ``splits``, ``statistics``, no parents, and the section imputation as ``params``. An
        unfinished run is resumed from ``last_point.pt`` and ``last.pt`` in the folder of the checkpoint.
    """
    hashes = {name: file_sha256(path) for name, path in sorted(job.files.items())}
    last = job.output / "last.pt"
    imputer, history = train_imputation(
        read_netcdf(job.files["towers"]),
        read_splits(job.files["splits"]),
        read_netcdf(job.files["statistics"]),
        job.fold,
        ImputationConfig(**job.params),
        job.seed,
        choose_device(job.gpu),
        last,
        content_hash([hashes, job.code, checkpoint.VARIABLES_HASH]),
    )
    about = {"fold": job.fold, "seed": job.seed, "split": hashes["splits"], "params": dict(job.params)}
    checkpoint.save(job.output, imputer, describe(imputer, about), history)
    discard(point_file(last), last)
