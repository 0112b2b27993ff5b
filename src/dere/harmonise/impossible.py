"""What ingest took out of the tower files, as rows of ``counts.csv``."""

from __future__ import annotations

import pandas as pd
import xarray as xr

from dere.ingest.possible import IMPOSSIBLE, unpacked

STEP = "ingest"
"""Step of these rows."""


def without_impossible(towers: xr.Dataset) -> tuple[xr.Dataset, pd.DataFrame]:
    """Towers without the coordinate ``impossible``, and its counts.

    Parameters
    ----------
    towers
        Interim towers; the coordinate may be absent.

    Returns
    -------
    tuple
        The towers, and site, step "ingest", reason "<variable>: impossible", months; a month counts each value that was
        a mark of missing values or impossible, in the steps of the file (half hours, days or months).
    """
    sites = towers["site"].values.astype(str)
    texts = towers[IMPOSSIBLE].values.astype(str) if IMPOSSIBLE in towers.coords else [""] * len(sites)
    rows = [
        (site, STEP, f"{name}: impossible", count)
        for site, text in zip(sites, texts, strict=True)
        for name, count in unpacked(text).items()
    ]
    table = pd.DataFrame(rows, columns=["site", "step", "reason", "months"])
    return towers.drop_vars(IMPOSSIBLE, errors="ignore"), table
