"""Write what a user of the run must cite."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dere.harmonise.citations import citations
from dere.io import write_table


def write_citations(provenance: Path, output: Path) -> None:
    """Read ``tables/provenance.csv`` and write ``tables/citations.csv``."""
    write_table(citations(pd.read_csv(provenance)), output)
