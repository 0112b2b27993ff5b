"""The job of a training or prediction rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dere.training.job import Job
from dere.workflow.script import named_files


def rule_job(snakemake: Any) -> Job:
    """Return what a training or prediction function needs from a rule.

    Inputs called ``parent_<stage>`` are checkpoints and become ``parents`` (folders by stage name); all other named
    inputs become ``files``. ``output`` is the folder of a rule with several outputs, else the file.
    """
    named = named_files(snakemake)
    parents = {name.removeprefix("parent_"): files for name, files in named.items() if name.startswith("parent_")}
    return Job(
        files={name: file for name, file in named.items() if not name.startswith("parent_")},
        parents={stage: files[0].parent for stage, files in parents.items()},
        output=Path(snakemake.output[0]).parent if len(snakemake.output) > 1 else Path(snakemake.output[0]),
        params=dict(snakemake.params.config),
        fold=int(snakemake.wildcards.fold),
        seed=int(snakemake.wildcards.seed),
        gpu=int(snakemake.resources.gpu),
        code=snakemake.params.code,
    )
