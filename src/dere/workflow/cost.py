"""Write what every job cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dere.evaluation.cost import cost_table
from dere.io import write_table

FOLDER = "benchmarks"


def write_cost(benchmarks: Sequence[Path], output: Path) -> None:
    """Write ``cost.csv`` from Snakemake's benchmark files, ``.../benchmarks/<rule>/<wildcards>.tsv``."""
    tables = {job_of(path): pd.read_csv(path, sep="\t") for path in benchmarks}
    write_table(cost_table(tables), output)


def job_of(benchmark: Path) -> str:
    """Return ``rule/wildcards`` of a benchmark file."""
    parts = benchmark.with_suffix("").parts
    return "/".join(parts[parts.index(FOLDER) + 1 :])
