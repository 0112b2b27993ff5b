"""Read simulated methane in files and write it as an interim file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dere.ingest.accounts import accounts_of_folder
from dere.ingest.source import Source, source_called
from dere.io import write_netcdf, write_table
from dere.workflow.told_accounts import tell

log = logging.getLogger(__name__)


def ingest_methane(
    folder: Path, provider: str, methane: Path, provenance: Path, sources: Path, among: Sequence[Source] | None = None
) -> None:
    """Write ``methane``, the provenance of its files, and what became of every file of the folder.

    Parameters
    ----------
    folder
        Of the files.
    provider
        ``sources.methane.provider``; its source reads them: ``read(folder)``.
    methane, provenance, sources
        Files to write.
    among
        Sources that are looked through; None = all.

    Raises
    ------
    FileNotFoundError, ValueError
        As the reader of the provider.
    """
    source = source_called("methane", provider, among)
    dataset, table = source.reader()(folder)
    write_netcdf(dataset, methane)
    write_table(table.assign(source="methane"), provenance)
    read = {str(row.file): (source.name, str(row.product)) for row in table.itertuples()}
    accounts = accounts_of_folder(folder, read, known=source)
    tell(log, "methane", accounts, sources)
    log.info("%d cells, %d months, %d files", dataset.sizes["cell"], dataset.sizes["time"], len(table))
