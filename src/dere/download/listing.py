"""Which files a data set has where it is published: address, size and checksum of each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from dere.download.catalogue import Dataset, matches
from dere.download.client import Client
from dere.download.politeness import DownloadError, Politeness

HUGGINGFACE = "https://huggingface.co"
ZENODO = "https://zenodo.org"
MOST_PAGES = 1000
_CHECKSUM = re.compile(r"(?:md5:[0-9a-f]{32}|sha1:[0-9a-f]{40}|sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class RemoteFile:
    """A file at its source."""

    name: str
    """Path relative to the target folder."""
    url: str
    size: int | None = None
    checksum: str = ""
    """`algorithm:hexadecimal`, or empty where none is published."""


@dataclass(frozen=True)
class Services:
    """Addresses of the services; other ones are mirrors or test servers."""

    huggingface: str = HUGGINGFACE
    zenodo: str = ZENODO

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Services:
        """Services with Hugging Face where `HF_ENDPOINT` says, as its own tools do."""
        return cls(huggingface=environment.get("HF_ENDPOINT") or HUGGINGFACE)

    def client(self, politeness: Politeness, environment: Mapping[str, str] = os.environ) -> Client:
        """Session that shows `HF_TOKEN` to Hugging Face only."""
        token = environment.get("HF_TOKEN")
        return Client(politeness, {f"{self.huggingface.rstrip('/')}/": token} if token else {})


def list_plain(row: Dataset, client: Client, services: Services) -> list[RemoteFile]:
    """Files at a plain address: their names stand in the table."""
    checksum = f"sha256:{row.sha256}" if row.sha256 else ""
    return [RemoteFile(name, row.location + quote(name), row.size_bytes, checksum) for name in row.patterns]


def list_huggingface(row: Dataset, client: Client, services: Services) -> list[RemoteFile]:
    """Files of a data set on Hugging Face.

    The revision is resolved to its commit first, so that a download that takes days does not mix two states. Large
    files carry their SHA-256 in the listing (LFS), small ones none.
    """
    start = services.huggingface.rstrip("/")
    repository = f"{start}/api/datasets/{row.location}"
    about, _ = client.json(f"{repository}/revision/{quote(row.version, safe='')}")
    commit = _field(about, "sha", str, repository)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise DownloadError(f"{repository} names its commit '{commit[:80]}', 40 hexadecimal digits are expected")
    entries: list[Any] = []
    page: str | None = f"{repository}/tree/{commit}?recursive=true"
    for _ in range(MOST_PAGES):
        content, following = client.json(str(page))
        entries += _list(content, str(page))
        if following is None:
            break
        if urlsplit(following)[:2] != urlsplit(start)[:2]:
            raise DownloadError(f"{page} goes on at {urlsplit(following).netloc}, another host; it is not followed")
        page = following
    found = []
    for entry in entries:
        if _field(entry, "type", str, repository) != "file":
            continue
        path = _field(entry, "path", str, repository)
        large = entry.get("lfs") or {}
        digest = _checksum(f"sha256:{large.get('oid', '')}") if large else ""
        address = f"{start}/datasets/{row.location}/resolve/{commit}/{quote(path)}"
        found.append(RemoteFile(path, address, _field(entry, "size", int, repository), digest))
    return _wanted(found, row, repository)


def list_zenodo(row: Dataset, client: Client, services: Services) -> list[RemoteFile]:
    """Files of a record on Zenodo, with size and MD5."""
    start = services.zenodo.rstrip("/")
    address = f"{start}/api/records/{row.location}"
    record, _ = client.json(address)
    found = []
    for entry in _list(record.get("files") if isinstance(record, dict) else None, address):
        name = _field(entry, "key", str, address)
        url = f"{start}/records/{row.location}/files/{quote(name)}?download=1"
        found.append(RemoteFile(name, url, _field(entry, "size", int, address), _checksum(entry.get("checksum"))))
    return _wanted(found, row, address)


LISTERS: dict[str, Callable[[Dataset, Client, Services], list[RemoteFile]]] = {
    "http": list_plain,
    "huggingface": list_huggingface,
    "zenodo": list_zenodo,
}


def inside(folder: Path, name: str) -> Path:
    """Return the path of ``name`` below ``folder``.

    Raises
    ------
    DownloadError
        When the name would lead out of the folder (``..``, absolute, a link) or is no file name.
    """
    parts = name.split("/")
    strange = any(part in ("", ".", "..") or len(part.encode()) > 200 for part in parts)
    strange = strange or not name.isprintable() or "\\" in name or ":" in name
    if strange or not (folder / name).resolve().is_relative_to(folder.resolve()):
        raise DownloadError(
            f"the source lists a file called {name[:80]!r}, which does not stay inside {folder}; nothing was written: "
            "report it to the source"
        )
    return folder / name


def _wanted(found: list[RemoteFile], row: Dataset, address: str) -> list[RemoteFile]:
    wanted = [file for file in found if matches(file.name, row.patterns)]
    if not wanted:
        some = ", ".join(file.name for file in found[:5]) or "nothing"
        raise DownloadError(f"{address} lists {some}, but {row.file} is expected; correct version or file of the row")
    return wanted


def _field(entry: Any, key: str, kind: type, address: str) -> Any:
    value: Any = entry.get(key) if isinstance(entry, dict) else None
    impossible = isinstance(value, bool) or (isinstance(value, int) and value < 0)
    if impossible or not isinstance(value, kind):
        raise DownloadError(
            f"{address}: an entry has no usable '{key}' ({value!r}); the service has changed: download the files by "
            "hand into the folder and call again"
        )
    return value


def _list(content: Any, address: str) -> list[Any]:
    if not isinstance(content, list):
        raise DownloadError(
            f"{address} gave no list of files; the record is restricted or the service has changed: look at its page"
        )
    return content


def _checksum(text: Any) -> str:
    """Return a checksum that can be checked, or nothing."""
    lower = text.lower() if isinstance(text, str) else ""
    return lower if _CHECKSUM.fullmatch(lower) else ""
