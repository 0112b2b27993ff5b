"""Train the imputation of one fold and seed and write its checkpoint."""

from __future__ import annotations

from dere.config.imputation import ImputationConfig
from dere.exchange import get
from dere.imputation.fit import describe, train_imputation
from dere.io import content_hash, file_sha256, read_netcdf
from dere.training import checkpoint
from dere.training.context import choose_device
from dere.training.fitted import Fitted
from dere.training.parallel import team
from dere.training.unfinished import discard
from dere.training.weights import arrays_of
from dere.workflow.members import read_splits
from dere.workflow.rule_job import RuleJob


def train(job: RuleJob) -> None:
    """Write ``model.safetensors``, ``manifest.json`` and ``history.csv`` into ``job.output``.

    Parameters
    ----------
    job
        With files ``towers``, ``splits``, ``statistics``, no parents, and the section imputation as ``params``. An
        unfinished run is resumed from ``last_point.pt`` and ``last.pt`` in the folder of the checkpoint.
    """
    exchange = get(job.exchange)
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
        content_hash([hashes, job.code, checkpoint.variables_hash(exchange)]),
    )
    about = {"fold": job.fold, "seed": job.seed, "split": hashes["splits"], "params": dict(job.params)}
    if team().leads:
        checkpoint.save(
            job.output, Fitted(arrays_of(imputer.state_dict()), describe(imputer, about), history), exchange
        )
        discard(job.output)
