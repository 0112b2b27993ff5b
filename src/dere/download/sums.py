"""Checksums on record: what a file without a published checksum was at its first download, it must stay."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from filelock import FileLock

from dere.download.politeness import DownloadError
from dere.io import write_atomically

_LINE = re.compile(r"([0-9a-f]{64})  (.+)")


def read_sums(path: Path) -> dict[str, str]:
    """SHA-256 by file name, from a file as ``sha256sum`` writes and checks it; nothing when there is none yet.

    Raises
    ------
    ValueError
        When a line is no checksum and name.
    """
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    found = {}
    for number, line in enumerate(lines, start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(
                f"{path}: line {number} is {line[:80]!r}, but 64 hexadecimal digits, two blanks and a file name are "
                "expected; correct it or delete the file"
            )
        found[match[2]] = match[1]
    return found


def record(path: Path, name: str, sha256: str) -> None:
    """Add one checksum, safely beside other processes that do the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        sums = {**read_sums(path), name: sha256}
        text = "".join(f"{digest}  {file}\n" for file, digest in sorted(sums.items()))
        write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def digests(path: Path, *algorithms: str) -> dict[str, str]:
    """Several checksums of one file in one reading, by algorithm."""
    hashers = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            for hasher in hashers.values():
                hasher.update(block)
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}


def require_sum(path: Path, published: str, recorded: str | None) -> str:
    """Check a file against its published and its recorded checksum; return its SHA-256.

    Parameters
    ----------
    path
        File.
    published
        ``algorithm:hexadecimal``, or empty.
    recorded
        SHA-256 of the first download, or None.

    Raises
    ------
    DownloadError
        When the file is another one; it stays, because a person may have put it there.
    """
    algorithm, _, expected = published.partition(":")
    found = digests(path, *dict.fromkeys(("sha256", *([algorithm] if published else []))))
    if published and found[algorithm] != expected:
        raise DownloadError(
            f"{path} has {algorithm} {found[algorithm]}, but {expected} is published; it is damaged or another "
            "version: delete it and call again"
        )
    if recorded and found["sha256"] != recorded:
        raise DownloadError(
            f"{path} has sha256 {found['sha256']}, but {recorded} was recorded when it was first seen; it has changed: "
            "delete it and call again, or, if the change is wanted, delete its line from the file of checksums"
        )
    return found["sha256"]
