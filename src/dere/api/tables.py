"""The tables of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd

TEXT = {"fold": str, "seed": str}
"""Columns of tables that look like numbers where they are not ``all`` or ``ensemble``."""


class Tables(Mapping[str, pd.DataFrame]):
    """Tables of a run by name (``docs/tables.md``); each is read when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Read a table; folds and seeds are texts, because some rows join several (``all``, ``ensemble``)."""
        path = self._folder / f"{name}.csv"
        if name not in self:
            there = ", ".join(self) or "none yet"
            raise FileNotFoundError(
                f"{path} does not exist, but a table of the run is expected (there are {there}); correct the name, or "
                f"make it: snakemake {path}, with the --configfile of the run"
            )
        # numbers as they were written, to the last bit
        return pd.read_csv(path, dtype=TEXT, float_precision="round_trip")

    def __contains__(self, name: object) -> bool:
        return (self._folder / f"{name}.csv").exists()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(path.stem for path in self._folder.glob("*.csv")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<tables in {self._folder}: {', '.join(self) or 'none yet'}>"
