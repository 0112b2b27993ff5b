"""One file: there already, or fetched, checked, and only then given its name."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pooch
from filelock import FileLock, Timeout

from dere.download.client import Client
from dere.download.listing import RemoteFile
from dere.download.politeness import DownloadError
from dere.download.resume import ResumingDownloader, part_of
from dere.download.sums import digests, require_sum

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """A file that is here and was checked."""

    path: Path
    url: str
    sha256: str
    checked: str
    """Against what: published md5, published sha256, recorded sha256, or nothing (first seen)."""


def fetch(remote: RemoteFile, target: Path, client: Client, recorded: str | None = None) -> Fetched:
    """Fetch one file unless it is there; two processes never write one file, the second waits and finds it done.

    Parameters
    ----------
    remote
        File at its source.
    target
        Where it goes; complete and checked whenever it exists under this name.
    client
        Session.
    recorded
        SHA-256 of its first download where none is published.

    Raises
    ------
    DownloadError
        When it cannot be had, or is not what was published or recorded.
    """
    checked = f"published {remote.checksum.partition(':')[0]}" if remote.checksum else ""
    checked = checked or ("recorded sha256" if recorded else "nothing (first seen)")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _alone(target):
        if target.exists():
            return Fetched(target, remote.url, _existing(remote, target, recorded), checked)
        expected = remote.checksum or (f"sha256:{recorded}" if recorded else "")
        _retrieve(remote, target, client, expected)
        algorithm, _, value = expected.partition(":")
        sha256 = value if algorithm == "sha256" else digests(target, "sha256")["sha256"]
        return Fetched(target, remote.url, sha256, checked)


def bytes_at_hand(remote: RemoteFile, target: Path) -> int:
    """Bytes of a file, or of its part, that are here already."""
    path = target if target.exists() else part_of(target)
    return path.stat().st_size if path.exists() else 0


def _existing(remote: RemoteFile, target: Path, recorded: str | None) -> str:
    size = target.stat().st_size
    if remote.size is not None and size != remote.size:
        raise DownloadError(
            f"{target} has {size} bytes, but {remote.size} are published; it is incomplete or another version: delete "
            "it and call again"
        )
    return require_sum(target, remote.checksum, recorded)


def _retrieve(remote: RemoteFile, target: Path, client: Client, expected: str) -> None:
    """Let pooch fetch and check a file through the resuming downloader, and rename it when it is right."""
    pooch.get_logger().setLevel(logging.WARNING)
    downloader = ResumingDownloader(client, target, remote.size, checked=bool(expected))
    try:
        pooch.retrieve(
            remote.url, known_hash=expected or None, fname=target.name, path=target.parent, downloader=downloader
        )
    except DownloadError:
        raise
    except ValueError as error:
        found = re.search(r"but got ([0-9a-f]+)", str(error))
        if found is None:
            raise
        raise DownloadError(
            f"{remote.url} has {expected.partition(':')[0]} {found[1]}, but {expected.partition(':')[2]} is expected; "
            "the file was removed: call again, and if it stays so, the file was replaced at its source"
        ) from None


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Hold the lock of a target; it is removed after success, when everybody who waits finds the file itself."""
    lock = FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.info("%s: another process fetches it; waiting", target.name)
        lock.acquire()
    try:
        yield
        Path(lock.lock_file).unlink(missing_ok=True)
    finally:
        lock.release()
