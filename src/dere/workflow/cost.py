"""Write what every job cost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dere.evaluation.cost import cost_table
from dere.io import write_table


def write_cost(benchmarks: Sequence[Path], folder: Path, output: Path) -> None:
    """Write ``cost.csv`` from benchmark files that lie below ``folder`` as ``rule/wildcards.tsv``."""
    tables = {
        path.relative_to(folder).with_suffix("").as_posix(): pd.read_csv(path, sep="\t") for path in benchmarks
    }
    write_table(cost_table(tables), output)
