"""What became of every file of a source: the rows of ``tables/sources*.csv``, and one line per kind on the screen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from dere.ingest.source import Source
from dere.ingest.unread import (
    BESIDE,
    DROPPED,
    FORMAT,
    IGNORED,
    LEFT_BY_SNAKEMAKE,
    METADATA,
    PASSED_OVER,
    READ,
    is_companion,
    reason_of,
    warn_of,
)

NOT_ASKED = "no name that the reader looks for"
"""Why a file of a folder is not read whose reader looks for names of its own."""
_ORDER = (READ, METADATA, PASSED_OVER, IGNORED, DROPPED)
_FIRST = 3


class Account(NamedTuple):
    """What became of one file, or of one member of an archive; a row of ``tables/sources.csv``.

    Parameters
    ----------
    folder
        Its folder, from the source folder on; no place on a machine.
    file
        File name.
    member
        Name inside the archive; empty for a plain file.
    what
        ``READ``, ``METADATA``, ``PASSED_OVER``, ``IGNORED`` or ``DROPPED``.
    source
        Name of the source that knows it.
    product
        Title of its product.
    why
        Why it is not read, or what it was read with.
    site
        Sites that were read from it; of a file that is not read, the one in its name.
    bytes
        Size on the disk, or after unpacking.
    """

    folder: str
    file: str
    member: str
    what: str
    source: str = ""
    product: str = ""
    why: str = ""
    site: str = ""
    bytes: int = 0


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder; 0 behind a link that leads nowhere."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size if path.exists() else 0


def table_of(accounts: Iterable[Account]) -> pd.DataFrame:
    """Table of accounts, in their order."""
    return pd.DataFrame(list(accounts), columns=list(Account._fields))


def lines_of(what: str, accounts: Sequence[Account]) -> list[str]:
    """Lines for the screen: how many files became what, and for each reason how many were not read, with the first.

    Parameters
    ----------
    what
        Whose files they are, in one word.
    accounts
        Of every file.

    Examples
    --------
    ``towers: 26 read``, ``towers: 2 ignored, format not recognised (a.parquet, b.dat)``.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for account in accounts:
        # each fault has a warning of its own
        why = account.why if account.what in (PASSED_OVER, IGNORED) else "see the warnings" * (account.what == DROPPED)
        kinds.setdefault((account.what, why), []).append(account.member or account.file)
    lines = []
    for (kind, why), names in sorted(kinds.items(), key=lambda item: _ORDER.index(item[0][0])):
        first = f", {why} ({', '.join(names[:_FIRST])}{', ...' if len(names) > _FIRST else ''})" if why else ""
        lines.append(f"{what}: {len(names)} {kind}{first}")
    return lines


def accounts_of_folder(
    folder: Path, read: Mapping[str, tuple[str, str]], elsewhere: Iterable[str] = (), known: Source | None = None
) -> list[Account]:
    """Account for the files below a folder of which a reader took some.

    Parameters
    ----------
    folder
        Searched with its sub-folders.
    read
        Names of the files that were read: name of the source and title of the product of each.
    elsewhere
        Names that another step of the run reads.
    known
        Source whose other files (``Source.known``) are nothing to warn about.

    Returns
    -------
    list
        An account of every file, in the order of the paths.
    """
    folder, others = Path(folder), frozenset(elsewhere)
    accounts = []
    for path in sorted(f for f in folder.rglob("*") if not f.is_dir() and f.name != LEFT_BY_SNAKEMAKE):
        inside = path.relative_to(folder)
        source, product = read.get(path.name, ("", ""))
        what, why = PASSED_OVER, ""
        if source:
            what = READ
        elif any(part.startswith(".") for part in inside.parts):
            why = "hidden file"
        elif path.name in others:
            why = "read by another step"
        elif known is not None and known.known is not None and known.known(path.name):
            source, why = known.name, "not asked for by the configuration"
        elif is_companion(path.name):
            why = BESIDE
        else:
            what, why = IGNORED, NOT_ASKED if reason_of(path.name) == FORMAT else reason_of(path.name)
        place = (Path(folder.name) / inside).parent.as_posix()
        accounts.append(Account(place, path.name, "", what, source, product, why, bytes=size_of(path)))
    return accounts


def report(log: logging.Logger, what: str, accounts: Sequence[Account]) -> None:
    """Log the accounts of a folder that :func:`accounts_of_folder` made: a warning per kind of ignored files."""
    warn_of(log, [(account.file, account.file, account.why) for account in accounts if account.what == IGNORED])
    for line in lines_of(what, accounts):
        log.info("%s", line)
