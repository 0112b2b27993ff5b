"""A downloader for pooch that goes on where an interrupted one stopped; pooch itself always starts again."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import requests

from dere.download.client import Client, breaking
from dere.download.politeness import DownloadError, Passing, persistently

log = logging.getLogger(__name__)
BLOCK = 1 << 16
SECONDS_BETWEEN_REPORTS = 15.0
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


def part_of(target: Path) -> Path:
    """Return where the unfinished file lies: beside the target, hidden."""
    return target.with_name(f".{target.name}.part")


class ResumingDownloader:
    """Fetch an address into ``<target>.part``, and hand it to pooch when it is whole.

    The part stays when anything breaks (network, disk, Ctrl-C), with a note of the address and of the server's
    validator (ETag or date) beside it. The next call asks for the rest (RFC 9110 14) if the file is still the same
    there; where the server has another file by now, gives no validator, or knows no ranges, it starts again.

    Parameters
    ----------
    client
        Session.
    target
        File that will be there in the end; the part lies beside it.
    size
        Size in bytes where it is known.
    checked
        Whether the whole file has a published checksum. It then says more than a validator, and servers that give
        every copy another validator (content networks) do not cost a new start.
    clock
        Seconds, for progress reports.
    """

    def __init__(
        self,
        client: Client,
        target: Path,
        size: int | None = None,
        checked: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.name = target.name
        self.size = size
        self.checked = checked
        self.part = part_of(target)
        self.note = self.part.with_name(f"{self.part.name}.json")
        self.clock = clock

    def __call__(self, url: str, output_file: str | Path, pooch: Any = None, check_only: bool = False) -> None:
        """Download ``url`` to ``output_file``, as pooch calls it.

        Raises
        ------
        DownloadError
            When it cannot be had; what is there already stays.
        """
        persistently(lambda: self._attempt(url), self.name, self.client.politeness, self._have, self.client.sleep)
        os.replace(self.part, output_file)
        self.note.unlink(missing_ok=True)

    def _attempt(self, url: str) -> None:
        have = self._usable(url)
        if have and have == self.size:
            return
        headers = {"Range": f"bytes={have}-"} if have else {}
        validator = str(self._read_note().get("validator") or "")
        if have and not self.checked:
            headers["If-Range"] = validator
        with self.client.open(url, headers) as response:
            if response.status_code == 416:
                return self._range_refused(response, have)
            start, total = _extent(response)
            if start not in (0, have):
                self._forget()
                raise Passing(f"the server sent bytes from {start} instead of {have}")
            if start and not self.checked and _validator(response) not in (None, validator):
                self._forget()
                raise Passing("the server has another file by now")
            if start < have:
                log.info("%s: the file changed or the server knows no ranges; starting again", self.name)
            elif start:
                log.info("%s: going on after %s", self.name, megabytes(start))
            self._check(url, response, start, total)
            self._write_note({"url": url, "validator": _validator(response)})
            self._receive(response, start, total)
        return None

    def _receive(self, response: requests.Response, start: int, total: int | None) -> None:
        expected = total if total is not None else self.size
        began = reported = self.clock()
        with self._writing(), self.part.open("r+b" if start else "wb") as stream:
            stream.seek(start)
            for block in _blocks(response):
                stream.write(block)
                if self.clock() - reported >= SECONDS_BETWEEN_REPORTS:
                    reported = self.clock()
                    self._report(stream, start, expected, reported - began)
            stream.flush()
            os.fsync(stream.fileno())
        have = self._have()
        if expected is not None and have < expected:
            raise Passing(f"the connection ended after {have} of {expected} bytes")
        if expected is not None and have > expected:
            self._forget()
            raise Passing(f"the server sent {have} bytes instead of {expected}")
        log.info("%s: %s received", self.name, megabytes(have))

    def _report(self, stream: BinaryIO, start: int, expected: int | None, seconds: float) -> None:
        have = stream.tell()
        share = f" of {megabytes(expected)} ({100 * have / expected:.0f} %)" if expected else ""
        log.info("%s: %s%s, %s per second", self.name, megabytes(have), share, megabytes((have - start) / seconds))

    def _check(self, url: str, response: requests.Response, start: int, total: int | None) -> None:
        """Refuse before the transfer what cannot end well."""
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind == "text/html" and PurePosixPath(unquote(urlsplit(url).path)).suffix not in (".html", ".htm"):
            raise DownloadError(
                f"{url} gave a web page instead of the file, most likely a login or a maintenance page; open it in a "
                "browser"
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(
                f"{url} came compressed ({response.headers['Content-Encoding']}) although the file itself was asked "
                "for; download it in a browser"
            )
        if self.size is not None and total is not None and total != self.size:
            raise DownloadError(
                f"{url} has {total} bytes, but {self.size} are published; the file was replaced: check the version"
            )
        if total is not None:
            require_space(self.part.parent, total - start, self.name)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Turn a full disk and the like into a sentence; the part stays."""
        try:
            yield
        except OSError as error:
            raise DownloadError(
                f"{self.part} cannot be written ({error.strerror or error}) after {megabytes(self._have())}; free "
                "space or set downloads.folder to another disk, and call again: it goes on where it stopped"
            ) from None

    def _range_refused(self, response: requests.Response, have: int) -> None:
        """Nothing lies behind the part: either it is whole, or it belongs to another file."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if match and match[3] == str(have) and self.size in (None, have):
            return
        self._forget()
        raise Passing("the server refused to go on; starting again")

    def _have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _usable(self, url: str) -> int:
        """Bytes of the part that belong to this address; anything else is removed."""
        have, note = self._have(), self._read_note()
        known = self.checked or note.get("validator")
        if have and (note.get("url") != url or not known or (self.size is not None and have > self.size)):
            log.info("%s: the unfinished file cannot be told to be of the same file; starting again", self.name)
            self._forget()
            return 0
        return have

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def _read_note(self) -> dict[str, Any]:
        try:
            content = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def _write_note(self, content: dict[str, Any]) -> None:
        with self._writing():
            self.note.write_text(json.dumps(content), encoding="utf-8")


def require_space(folder: Path, needed: int, what: str) -> None:
    """Check that ``needed`` bytes are free where ``folder`` is.

    Raises
    ------
    DownloadError
        When they are not.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DownloadError(
            f"{what} needs {megabytes(needed)} in {folder}, but {megabytes(free)} are free; free space, set "
            "downloads.folder to another disk, or name fewer files under downloads.files"
        )


def megabytes(count: float) -> str:
    """Bytes as a readable text."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _blocks(response: requests.Response) -> Iterator[bytes]:
    with breaking():
        yield from response.raw.stream(BLOCK, decode_content=False)


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """First byte of the answer, and the size of the whole file where the server says it."""
    length = response.headers.get("Content-Length", "")
    if response.status_code != 206:
        return 0, int(length) if length.isdecimal() else None
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not match or match[1] is None:
        return -1, None
    return int(match[1]), None if match[3] == "*" else int(match[3])


def _validator(response: requests.Response) -> str | None:
    """Strong ETag, else the date of the file: what If-Range may name (RFC 9110 13.1.5)."""
    etag = response.headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
