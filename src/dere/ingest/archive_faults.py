"""Sentences about files that are named like zip archives and cannot be opened as such."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from dere.ingest.signatures import what_it_is


def unreadable(archive: Path, error: Exception) -> ValueError:
    """Sentence about a file that is no archive, by what it is instead."""
    if archive.is_symlink() and not archive.exists():
        return ValueError(
            f"{archive} is a link to {os.readlink(archive)}, which does not exist; put the archive there, or remove "
            "the link"
        )
    size = archive.stat().st_size if archive.exists() else 0
    if not size and archive.exists():
        return ValueError(f"{archive} is an empty file, but a zip archive is expected; download it again or remove it")
    try:
        with archive.open("rb") as stream:
            start = stream.read(512)
    except OSError:
        start = b""
    found = what_it_is(start)
    reason, what = reason_of(error), f"{archive} ({size} bytes) cannot be read as a zip archive"
    if start.startswith(b"PK") and isinstance(error, zipfile.BadZipFile):
        return ValueError(
            f"{what} ({reason}): it begins as one but has no readable directory at its end, as after a download that "
            "stopped half-way; delete it and download it again"
        )
    if found and not start.startswith(b"PK"):
        return ValueError(f"{what}, because it is {found}; give it the ending that belongs to it, or download it again")
    return ValueError(f"{what} ({reason}); it is truncated or of another format: delete it and download it again")


def reason_of(error: Exception) -> str:
    """First words of an error, on one line."""
    return " ".join(str(error).split())[:120] or type(error).__name__
