"""What became of the files of a folder that a step read: in its log, on the screen and in a table."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dere.ingest.accounts import Account, lines_of, report, table_of
from dere.io import write_table
from dere.workflow.script import say


def tell(log: logging.Logger, what: str, accounts: Sequence[Account], table: Path) -> None:
    """Log and show the accounts of the files of ``what``, and write them to ``table`` (docs/tables.md)."""
    report(log, what, accounts)
    write_table(table_of(accounts), table)
    for line in lines_of(what, accounts):
        say(line)
