"""Read the split table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dere.harmonise.splits import read_back, roles


def read_splits(path: Path) -> pd.DataFrame:
    """Read ``splits.csv``; ids are texts, also those of cells."""
    return read_back(pd.read_csv(path, dtype={"id": str, "kind": str, "cluster": str}))


def read_roles(path: Path, fold: int) -> pd.DataFrame:
    """Read ``splits.csv`` with the role of each member in ``fold``."""
    return roles(read_splits(path), fold)
