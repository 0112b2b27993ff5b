"""Fetch a data set, or say where a person gets it; then write down what is there."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from dere.config.download import DownloadsConfig
from dere.download.catalogue import OPEN, Dataset, matches, present, read_datasets, select
from dere.download.client import Client
from dere.download.fetch import Fetched, bytes_at_hand, fetch
from dere.download.listing import LISTERS, RemoteFile, Services, inside
from dere.download.politeness import DownloadError, Politeness
from dere.download.resume import megabytes, require_space
from dere.download.schema import check
from dere.download.sums import read_sums, record, require_sum
from dere.io import write_table

log = logging.getLogger(__name__)
COLUMNS = ("source", "version", "file", "size_bytes", "sha256", "checked", "url", "licence", "citation", "doi")


def download(
    name: str,
    config: DownloadsConfig,
    output: Path,
    rows: Sequence[Dataset] | None = None,
    client: Client | None = None,
) -> None:
    """Bring one data set into its folder and write the table of its files.

    Checksums of files without a published one are recorded beside the table at first sight (`<name>-<version>.sha256`)
    and must hold ever after.

    Parameters
    ----------
    name
        Data set.
    config
        Folder, versions, patterns.
    output
        Table of the files.
    rows
        Table of data sets; the one of the package by default.
    client
        Session; a new one by default.

    Raises
    ------
    ValueError
        When name, version or pattern is not known, or a file cannot be had or is not what it should be.
    """
    table = list(rows) if rows is not None else read_datasets()
    _known_names(config, table)
    if rows is None:
        check(table)
    chosen = select(table, name, config.versions.get(name))
    folder = Path(config.folder) / chosen[0].folder
    sums = output.with_name(f"{name}-{chosen[0].version}.sha256")
    log.info("%s %s: licence %s; cite %s", name, chosen[0].version, chosen[0].licence, chosen[0].citation)
    if chosen[0].access == OPEN:
        services = Services.of()
        session = client or services.client(Politeness(attempts=config.attempts))
        found = _fetch_all(chosen, folder, sums, session, services, config.files.get(name, ()))
    else:
        found = _check_all(chosen, folder, sums)
    write_table(files_table(chosen[0], folder, found), output)
    total = sum(file.path.stat().st_size for file in found)
    log.info("%s: %d files (%s) are in %s", name, len(found), megabytes(total), folder)
    for note in dict.fromkeys(row.note for row in chosen if row.note):
        log.info("%s: %s", name, note)


def files_table(row: Dataset, folder: Path, found: Sequence[Fetched]) -> pd.DataFrame:
    """Return what is there, one line per file, with its licence and what to cite."""
    lines = [
        (row.name, row.version, file.path.relative_to(folder).as_posix(), file.path.stat().st_size, file.sha256)
        + (file.checked, file.url, row.licence, row.citation, row.doi)
        for file in found
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS)).sort_values("file", ignore_index=True)


def _fetch_all(
    rows: Sequence[Dataset], folder: Path, sums: Path, client: Client, services: Services, only: Sequence[str]
) -> list[Fetched]:
    listed = [file for row in rows for file in LISTERS[row.service](row, client, services)]
    wanted = [file for file in listed if not only or matches(file.name, only)]
    if not wanted:
        raise DownloadError(
            f"downloads.files: no file of {rows[0].name} fits {', '.join(only)}; it has {listed[0].name} and "
            f"{len(listed) - 1} others: correct the patterns"
        )
    targets = {inside(folder, file.name): file for file in wanted}
    folder.mkdir(parents=True, exist_ok=True)
    missing = sum(max(0, (file.size or 0) - bytes_at_hand(file, path)) for path, file in targets.items())
    require_space(folder, missing, rows[0].name)
    log.info("%s: %d of %d files wanted, %s to fetch", rows[0].name, len(wanted), len(listed), _amount(wanted, missing))
    found = []
    for path, file in targets.items():
        found.append(fetch(file, path, client, read_sums(sums).get(file.name)))
        if not file.checksum:
            record(sums, file.name, found[-1].sha256)
    return found


def _known_names(config: DownloadsConfig, rows: Sequence[Dataset]) -> None:
    known = dict.fromkeys(row.name for row in rows)
    for key, section in (("versions", config.versions), ("files", config.files)):
        for name in section:
            if name not in known:
                raise ValueError(f"downloads.{key}: {name} is not a data set; choose from {', '.join(known)}")


def _amount(wanted: Sequence[RemoteFile], missing: int) -> str:
    return megabytes(missing) if all(file.size is not None for file in wanted) else "an unknown amount"


def _check_all(rows: Sequence[Dataset], folder: Path, sums: Path) -> list[Fetched]:
    """Check the files that a person has put there."""
    files = present(folder, rows)
    if not files:
        row = rows[0]
        folder.mkdir(parents=True, exist_ok=True)
        raise DownloadError(
            f"{row.name} cannot be downloaded without a {row.access}: get it at {row.landing} ({row.note}), put the "
            f"files, as they come, into {folder} under names like {_example(row)}, and call again"
        )
    others = sum(path.is_file() for path in folder.rglob("*")) - len(files)
    if others:
        log.warning("%s: %d other files in %s are not of this data set and stay unread", rows[0].name, others, folder)
    recorded, found = read_sums(sums), []
    for path in files:
        name = path.relative_to(folder).as_posix()
        row = next(row for row in rows if matches(name, row.patterns))
        if row.size_bytes is not None and path.stat().st_size != row.size_bytes:
            raise DownloadError(
                f"{path} has {path.stat().st_size} bytes, but {row.size_bytes} are published; it is incomplete: get it "
                f"again at {row.landing}"
            )
        sha256 = require_sum(path, f"sha256:{row.sha256}" if row.sha256 else "", recorded.get(name))
        before = "published sha256" if row.sha256 else "recorded sha256" if name in recorded else "nothing (first seen)"
        if not row.sha256:
            record(sums, name, sha256)
        found.append(Fetched(path, row.landing, sha256, before))
    return found


def _example(row: Dataset) -> str:
    return " or ".join(row.patterns[:2])
