"""Make the packaged tables again from the files of the compilation.

``python -m dere.ingest.tower.bundled.compilation ORIGINALS FOLDER``, where ORIGINALS holds ``{SITE}_MM.csv`` (or
``.csv.gz``) of the folders ``metaflux/data/sample/base`` and ``.../target`` of github.com/leap-stc/metaflux at the
commit that src/dere/resources/towers/README.md names. Numbers are copied as they are written; nothing is rounded.
"""

from __future__ import annotations

import gzip
import io
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

from dere.ingest.tables import month_numbers, read_bytes
from dere.ingest.tower.bundled import RENAMED, SITES, TABLE
from dere.ingest.tower.fluxnet_extract.table import restore_months
from dere.io import write_atomically

LEFT_OUT = ("Unnamed: 0",)
"""Row numbers of the compilers' frame."""
PAGE = "https://fluxnet.org/doi/FLUXNET2015/{site}"
"""Page of a site in the FLUXNET2015 list, where its DOI leads; no file of the compilation states the DOI itself."""


def in_calendar_order(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return a site's table of texts with LAI and EVI in their months, under their new names.

    Parameters
    ----------
    table
        Columns as the compilation writes them, each value a text and empty where there is none.
    source
        File name for messages.

    Raises
    ------
    ValueError
        When the months cannot be read.
    """
    months = month_numbers(table.assign(TIMESTAMP=pd.to_numeric(table["TIMESTAMP"])), source)
    # from which row each row's value comes; NaN in years without twelve rows, where no month is known
    rows = restore_months(np.arange(len(table), dtype=float), months)
    kept = table.drop(columns=list(LEFT_OUT)).rename(columns=RENAMED)
    for name in RENAMED.values():
        texts = kept[name].to_numpy()
        kept[name] = [texts[int(row)] if np.isfinite(row) else "" for row in rows]
    return kept


def compiled(originals: Path) -> tuple[bytes, bytes]:
    """Return the table of months and that of sites, as text.

    Raises
    ------
    FileNotFoundError, ValueError
        When a file is missing, damaged or of another layout.
    """
    tables, sites = [], []
    for path in sorted(originals.glob("*_MM.csv*"), key=lambda path: path.name):
        content = read_bytes(path)
        table = in_calendar_order(pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False), path.name)
        site = str(table["Site"].iloc[0])
        page = PAGE.format(site=site)
        tables.append(table)
        sites.append(
            {
                "site_id": site,
                "doi": "",
                "citation": f"FLUXNET2015 site {site}, with the DOI on its page of the site list, {page}",
                "source_file": f"{site}_MM.csv",
                "source_sha256": sha256(content).hexdigest(),
            }
        )
    if not tables:
        raise FileNotFoundError(
            f"{originals} holds no *_MM.csv, but the files of the compilation are needed; name their folder"
        )
    return _text(pd.concat(tables)), _text(pd.DataFrame(sites))


def write(originals: Path, folder: Path) -> None:
    """Write both tables into ``folder``; the same originals give the same text."""
    months, sites = compiled(originals)
    packed = gzip.compress(months, 9, mtime=0)
    write_atomically(folder / TABLE, lambda temporary: temporary.write_bytes(packed))
    write_atomically(folder / SITES, lambda temporary: temporary.write_bytes(sites))


def _text(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode()


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))
