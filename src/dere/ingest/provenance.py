"""Where every number comes from: file, checksum, version, licence, citation and address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from dere.ingest.source import Product
from dere.io import file_sha256

COLUMNS = ("source", "file", "product", "version", "role", "rows", "sha256", "licence", "citation", "url")
"""First columns of ``tables/provenance.csv``; further ones depend on the source."""

SOFTWARE = "software"
"""Source and role of Python and packages, whose rows state a version and nothing else."""
UNKNOWN = Product("unknown", "not recognised", "unknown", "unknown")
"""Product of files that no source knows."""


def provenance_row(path: Path, product: Product, rows: int, **extra: Any) -> dict[str, Any]:
    """One row of the provenance table.

    Parameters
    ----------
    path
        File (or folder, for a store of many files) that was read.
    product
        Whose it is.
    rows
        Rows (or cells) read.
    extra
        Further columns. ``version`` and ``url`` replace those of the product where the file states its own
        (``processing`` serves as version where no ``version`` is given); ``role`` says what the file was for.

    Returns
    -------
    dict
        One row; the first columns are ``COLUMNS`` without ``source``.
    """
    row = {
        "file": Path(path).name,
        "product": product.title,
        "version": extra.get("processing") or product.version,
        "role": "data",
        "rows": rows,
        "sha256": checksum(path),
        "licence": product.licence,
        "citation": product.citation,
        "url": product.url,
    }
    return row | {name: value for name, value in extra.items() if value or name not in row}


def checksum(path: Path) -> str:
    """SHA-256 of a file, or of a folder's sorted names and contents; each file is read once per process.

    A file that changed its size or time of change is read again. A link that leads nowhere has an empty one.
    """
    path = Path(path)
    if not path.is_dir():
        if not path.is_file():
            return ""
        return _file_checksum(path, path.stat().st_size, path.stat().st_mtime_ns)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path).as_posix()} {checksum(file)}\n".encode())
    return digest.hexdigest()


@cache
def _file_checksum(path: Path, size: int, changed: int) -> str:
    """Checksum of one state of a file: a member of an archive costs no second pass over the archive."""
    return file_sha256(path)


def software_rows(versions: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per distribution that computes, with its version."""
    return pd.DataFrame(
        [
            {"source": SOFTWARE, "file": "", "product": name, "version": version, "role": SOFTWARE, "rows": 0}
            for name, version in versions.items()
        ]
    )


def provenance_of(
    paths: Mapping[Product, Sequence[Path]],
    rows: Mapping[str, int] | None = None,
    versions: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Provenance of files that are not towers.

    Parameters
    ----------
    paths
        Product to its files.
    rows
        Rows or cells by file name, where known.
    versions
        Versions by file name, where the file's own is known.
    """
    known, stated = rows or {}, versions or {}
    return pd.DataFrame(
        [
            provenance_row(path, product, known.get(Path(path).name, 0), version=stated.get(Path(path).name, ""))
            for product, files in paths.items()
            for path in sorted(files)
        ]
    )
