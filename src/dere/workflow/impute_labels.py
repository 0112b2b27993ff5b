"""Draw the expanded labels of one fold and seed from the trained imputation."""

from __future__ import annotations

from dere.config.imputation import ImputationConfig
from dere.exchange import get
from dere.imputation.bundle import from_manifest
from dere.imputation.labels import impute
from dere.imputation.origins import IMPUTED, PARTLY
from dere.invented import invented_sources, marked
from dere.io import file_sha256, read_netcdf, write_netcdf
from dere.training import checkpoint, weights
from dere.training.context import choose_device
from dere.workflow.members import read_splits
from dere.workflow.rule_job import RuleJob
from dere.workflow.script import announce


def write_labels(job: RuleJob) -> None:
    """Write ``labels.nc`` to ``job.output``.

    Parameters
    ----------
    job
        With files ``towers``, ``splits``, the section imputation as ``params``, and the parent ``imputation``, which
        is refused when it saw another split or fold.
    """
    expect = {"split": file_sha256(job.files["splits"]), "fold": job.fold}
    fitted = checkpoint.read(job.parents["imputation"], get(job.exchange), expect)
    imputer = weights.load(from_manifest(fitted.facts), fitted)
    imputer.eval()
    towers = read_netcdf(job.files["towers"])
    labels = impute(
        imputer,
        towers,
        read_splits(job.files["splits"]),
        job.fold,
        ImputationConfig(**job.params),
        job.seed,
        choose_device(job.gpu),
    )
    write_netcdf(labels.assign_attrs(marked(invented_sources([towers.attrs]))), job.output)
    imputed = labels["origin"].isin((IMPUTED, PARTLY)).sum()
    announce(f"label months imputed: {int(imputed)} at {labels.sizes['site']} sites")
