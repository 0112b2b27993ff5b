"""Files that no reader takes: of which kind they are, which need no word, and one warning per kind for the others.

Imports nothing heavy, because the files of a run are looked through before any job.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

READ, METADATA, PASSED_OVER, IGNORED, DROPPED = "read", "metadata", "passed over", "ignored", "dropped"
"""What a file is: data that are read, what is known of sites, known and left alone, what no source knows, at fault."""
LEFT_BY_SNAKEMAKE = ".snakemake_timestamp"
"""What Snakemake leaves in a folder that a rule has made; no file of a source."""
BESIDE = "beside the data, for people"
"""Why a companion is passed over."""
FORMAT = "format not recognised"
"""Why a file is not read whose name no source knows."""
_COMPANIONS = frozenset(
    (
        "md", "rst", "pdf", "html", "htm", "doc", "docx", "odt", "rtf", "ppt", "pptx", "png", "jpg", "jpeg", "gif",
        "svg", "eps", "bib", "ris", "cff", "md5", "sha1", "sha256", "sha512", "asc", "sig", "log", "py", "r", "ipynb",
        "sh", "yaml", "yml", "toml", "url",
    )
)  # fmt: skip
# a text is data unless its name says that it is about the data
_ABOUT = re.compile(
    r"read.?me|licen[cs]e|polic|terms|instruction|disclaimer|copying|notice|changes|changelog|authors|citation|"
    r"reference|acknowledg|checksum|manifest|md5|sha\d+"
)
_TEXTS = frozenset(("", "txt"))
_TABLES = frozenset(("csv", "csv.gz", "xlsx", "zip"))
_UNFINISHED = frozenset(("part", "partial", "crdownload", "download", "filepart", "aria2", "incomplete", "tmp"))
_ARCHIVES = frozenset(
    ("tar", "tgz", "tar.gz", "tbz2", "tar.bz2", "txz", "tar.xz", "tar.zst", "7z", "rar", "gz", "bz2", "xz", "zst")
)
_ENDING = re.compile(r"\.((?:tar|csv|tsv|txt|dat|nc|json)\.(?:gz|bz2|xz|zst)|[a-z0-9]{1,10})")
_FIRST = 5


def ending_of(name: str) -> str:
    """Ending of a file name in small letters, without its dot, for example ``csv`` or ``tar.gz``; empty without one."""
    match = re.search(rf"{_ENDING.pattern}$", name.lower())
    return match[1] if match else ""


def is_companion(name: str) -> bool:
    """Whether a file lies beside data to be read by people: a read me, a licence, a checksum, a figure, a script."""
    ending = ending_of(name)
    return ending in _COMPANIONS or (ending in _TEXTS and _ABOUT.search(name.lower()) is not None)


def reason_of(name: str) -> str:
    """Why a file is not read whose name no source knows."""
    ending = ending_of(name)
    if ending in _UNFINISHED:
        return "unfinished download"
    return "archive of a type that is not opened" if ending in _ARCHIVES else FORMAT


def warn_of(log: logging.Logger, ignored: Iterable[tuple[str, str, str]]) -> None:
    """Log a warning for each kind of ignored files, with their number and the first of them.

    Parameters
    ----------
    log
        Logger of the reader.
    ignored
        Label for people, name, and why the file is not read.
    """
    kinds: dict[tuple[str, str], list[str]] = {}
    for label, name, why in ignored:
        kinds.setdefault((ending_of(name), why), []).append(label)
    for (ending, why), labels in kinds.items():
        first = ", ".join(labels[:_FIRST]) + (", ..." if len(labels) > _FIRST else "")
        kind = f"files of type .{ending}" if ending else "files without an ending"
        which = first if len(labels) == 1 else f"{len(labels)} {kind} ({first})"
        log.warning("%s: %s, ignored%s", which, why, _remedy(ending, why))


def _remedy(ending: str, why: str) -> str:
    """What to do about an ignored file, as far as it can be told."""
    if why.startswith(("link to", "archive without", "archive that holds")):
        return "; put the file there again, or remove it"
    if ending in _TABLES:
        return ""
    if ending in _UNFINISHED:
        return "; finish the download, or remove the file"
    if ending in _ARCHIVES:
        return "; unpack it into the folder"
    return "; see docs/data.md for the formats and names that are read"
