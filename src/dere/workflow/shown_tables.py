"""Tables of a run as its pages read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

_TEXTS = ("fold", "seed", "site", "id", "backbone", "neighbour")
"""Columns whose values may look like numbers, and are names."""


def read(path: Path, columns: Sequence[str], only: bool = False) -> pd.DataFrame:
    """Read a table of which a page shows some columns.

    Parameters
    ----------
    path
        File.
    columns
        What must be there.
    only
        Read these and no others.

    Raises
    ------
    FileNotFoundError, ValueError
        When the file is missing, is no table, or lacks a column.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist, but the page of the run shows it; run the workflow again")
    wanted = set(columns)
    try:
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(_TEXTS, str),
            keep_default_na=True,
            usecols=(lambda name: name in wanted) if only else None,
        )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path} cannot be read as a table ({reason}); delete it and run again") from None
    if absent := [name for name in columns if name not in table]:
        raise ValueError(f"{path} lacks the column {absent[0]}, which the page shows; delete the table and run again")
    return table
