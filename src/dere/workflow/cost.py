"""Write what every job cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dere.evaluation.cost import cost_table
from dere.io import write_table

FOLDER = "benchmarks"


def write_cost(jobs: Sequence[Path], output: Path) -> None:
    """Write ``cost.csv`` from what each job cost, ``.../benchmarks/<rule>/<wildcards>.csv``."""
    tables = {job_of(path): pd.read_csv(path) for path in jobs}
    write_table(cost_table(tables), output)


def job_of(path: Path) -> str:
    """Return ``rule/wildcards`` of the file in which a job says what it cost."""
    parts = path.with_suffix("").parts
    return "/".join(parts[parts.index(FOLDER) + 1 :])
