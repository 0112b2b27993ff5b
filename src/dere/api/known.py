"""The sites that the models of a run know: read, and looked for among sites of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from dere.harmonise.known_sites import known_sites
from dere.ingest.distance import distance_km
from dere.ingest.tower.site_ids import OTHER_CODES
from dere.io import file_sha256, read_netcdf
from dere.workflow import layout
from dere.workflow.harmonise import CELLS

if TYPE_CHECKING:
    from dere.api.run import Run

SAME_KM = 1.0
"""A site so near to one of the run is that one."""


def read_known_sites(run: Run) -> xr.Dataset:
    """Read ``models/known_sites.nc``; make it from the data where an older version made the run.

    Raises
    ------
    FileNotFoundError
        When neither it nor the data are there.
    """
    path = run.folder / layout.KNOWN_SITES
    if path.exists():
        return read_netcdf(path)
    towers = run.folder / layout.canonical(run.exchange.name)["towers"]
    if not towers.exists():
        raise FileNotFoundError(
            f"{path} does not exist, and neither does {towers} to make it from; rule harmonise makes it: finish the "
            "run with dere run, or copy the folder models whole"
        )
    in_files = run.tree["sources"]["simulation"]["provider"] == "files"
    cells = {name: read_netcdf(run.canonical(name), load=False) for name in CELLS} if in_files else None
    return known_sites(
        read_netcdf(run.canonical("towers")),
        run.splits,
        file_sha256(run.canonical("splits")),
        run.tree["harmonise"]["minimum_training_quality"],
        run.exchange,
        cells,
    )


def compared(sites: xr.Dataset, known: xr.Dataset) -> pd.DataFrame:
    """Say of each site which one of the run it is, and which tower that models learned from is nearest.

    Parameters
    ----------
    sites
        Coordinates ``site``, ``lat``, ``lon``; ``other_codes`` where any site has more than one code.
    known
        ``models/known_sites.nc``.

    Returns
    -------
    DataFrame
        By site: ``known_as``, a site of the run of the same code, else the nearest within `SAME_KM`, else empty;
        ``known_km`` its distance; ``nearest_tower``, ``nearest_km``, of the towers that models learned from.
    """
    ids, codes = sites["site"].values.astype(str), known["site"].values.astype(str)
    lat, lon = (np.concatenate([sites[name].values, known[name].values]) for name in ("lat", "lon"))
    apart = distance_km(lat, lon)[: len(ids), len(ids) :]
    learned = np.flatnonzero((known["learned_months"].values > 0) & (known["fold"].values >= 0))
    others = sites[OTHER_CODES].values.astype(str) if OTHER_CODES in sites.coords else np.full(len(ids), "")
    rows = []
    for site, more, distances in zip(ids, others, apart, strict=True):
        own = [codes.tolist().index(code) for code in (site, *more.split()) if code in codes]
        nearest = int(distances.argmin()) if len(codes) else -1
        same = own[0] if own else nearest if nearest >= 0 and distances[nearest] <= SAME_KM else -1
        tower = int(learned[distances[learned].argmin()]) if len(learned) else -1
        rows.append(
            {
                "site": site,
                "known_as": str(codes[same]) if same >= 0 else "",
                "known_km": float(distances[same]) if same >= 0 else np.nan,
                "nearest_tower": str(codes[tower]) if tower >= 0 else "",
                "nearest_km": float(distances[tower]) if tower >= 0 else np.nan,
            }
        )
    return pd.DataFrame(rows).set_index("site")
