"""The table of data sets, read with the standard library alone: Snakemake and `make check` read it at every start."""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
import re
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

TABLE = Path(__file__).with_name("datasets.csv")
OPEN = "open"
_ALTERNATIVES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@dataclasses.dataclass(frozen=True)
class Dataset:
    """One row of the table: some files of one version of a data set."""

    name: str
    """Name in rules, configuration and `make download SOURCE=...`."""
    version: str
    """Version, or the revision of a repository."""
    file: str
    """File name or pattern; braces give alternatives: {1992..2020}, {zip,csv}."""
    access: str
    """open = downloaded; login, click = a person must fetch it."""
    service: str
    """Where it is open: http, huggingface or zenodo."""
    location: str
    """Folder address (http), owner/name (huggingface), record (zenodo)."""
    size_bytes: int | None
    """Size where it is published."""
    sha256: str
    """Published checksum, or empty: then the first download is recorded and later ones must equal it."""
    folder: str
    """Target folder below the folder of downloads."""
    loader: str
    """Module that reads it, or empty."""
    licence: str
    citation: str
    doi: str
    landing: str
    """Page for people."""
    verified: bool
    """Whether files were fetched from this address when the row was written."""
    note: str
    """What else to know."""

    @property
    def patterns(self) -> list[str]:
        """File names or patterns without braces."""
        return expand_braces(self.file)


COLUMNS = tuple(field.name for field in dataclasses.fields(Dataset))


def read_datasets(path: Path = TABLE) -> list[Dataset]:
    """Read the table; :func:`dere.download.schema.check` says whether its content makes sense.

    Raises
    ------
    ValueError
        When the columns are not the expected ones, or a size is no number.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(
                f"{path} has columns {', '.join(reader.fieldnames or ())}, but {', '.join(COLUMNS)} are expected; "
                "correct its header row"
            )
        return [_dataset(row, path, number) for number, row in enumerate(reader, start=2)]


def _dataset(row: Mapping[str, str], path: Path, line: int) -> Dataset:
    if None in row or None in row.values():
        raise ValueError(f"{path}: line {line} does not have {len(COLUMNS)} columns; quote texts that hold a comma")
    size = row["size_bytes"]
    if size and not size.isdecimal():
        raise ValueError(f"{path}: line {line} has size_bytes '{size}', but a whole number or nothing is expected")
    values = {**row, "size_bytes": int(size) if size else None, "verified": row["verified"] == "true"}
    return Dataset(**values)  # type: ignore[arg-type]


def names(path: Path = TABLE) -> list[str]:
    """Names of all data sets in the order of the table."""
    return list(dict.fromkeys(row.name for row in read_datasets(path)))


def select(rows: Iterable[Dataset], name: str, version: str | None = None) -> list[Dataset]:
    """Rows of one version of a data set; the first one of the table unless ``version`` is given.

    A repository on Hugging Face takes any revision (branch, tag, commit) as version.

    Raises
    ------
    ValueError
        When the name or the version is not in the table.
    """
    rows = list(rows)
    found = [row for row in rows if row.name == name]
    if not found:
        known = ", ".join(dict.fromkeys(row.name for row in rows))
        raise ValueError(f"'{name}' is not a data set that can be downloaded; choose one of {known}")
    wanted = version or found[0].version
    chosen = [row for row in found if row.version == wanted]
    if not chosen and found[0].service == "huggingface":
        chosen = [dataclasses.replace(row, version=wanted) for row in found if row.version == found[0].version]
    if not chosen:
        known = ", ".join(dict.fromkeys(row.version for row in found))
        raise ValueError(f"downloads.versions: {name} has no version '{wanted}'; choose one of {known}")
    return chosen


def expand_braces(pattern: str) -> list[str]:
    """Write out the alternatives of a pattern: ``a{1..3}`` gives a1, a2, a3 and ``b{x,y}`` gives bx, by."""
    match = _ALTERNATIVES.search(pattern)
    if match is None:
        return [pattern]
    span = _RANGE.fullmatch(match[1])
    parts = [str(n) for n in range(int(span[1]), int(span[2]) + 1)] if span else match[1].split(",")
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [text for part in parts for text in expand_braces(before + part + after)]


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Tell whether a relative path, or its last part, fits one of ``patterns``; hidden files never do."""
    path = PurePosixPath(name)
    if any(part.startswith(".") and part.strip(".") for part in path.parts):
        return False
    return any(fnmatch.fnmatchcase(name, text) or fnmatch.fnmatchcase(path.name, text) for text in patterns)


def present(folder: Path, rows: Iterable[Dataset]) -> list[Path]:
    """Files below ``folder`` whose names fit the rows, sorted."""
    patterns = [text for row in rows for text in row.patterns]
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    return [path for path in files if matches(path.relative_to(folder).as_posix(), patterns)]
