"""``neighbours.csv``: from which towers and cells a method that retrieves them has predicted each tower."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.io import read_netcdf, write_table

GIVEN = "neighbour"
"""What the predictions of such a method have, beside ``neighbour_km`` and ``neighbour_weight``."""
COLUMNS = ("method", "backbone", "fold", "seed", "site", "role", "source", "neighbour", "distance_km", "weight")
_DIMS = ("site", "asked_role", "asked_source", "rank")


def neighbours_table(file: xr.Dataset) -> pd.DataFrame:
    """One row per site, role, source and neighbour, the heaviest first; columns are `COLUMNS`.

    Parameters
    ----------
    file
        A prediction at sites, with ``neighbour``, ``neighbour_km`` and ``neighbour_weight`` over site, asked_role,
        asked_source and rank.
    """
    name, km, weight = (file[v].transpose(*_DIMS).values for v in (GIVEN, f"{GIVEN}_km", f"{GIVEN}_weight"))
    heard = np.nonzero(weight > 0)
    site, role, source = (file[dim].values.astype(str)[rows] for dim, rows in zip(_DIMS[:3], heard[:3], strict=True))
    of_file = {column: file.attrs[column] for column in COLUMNS[:4]}
    found = {"site": site, "role": role, "source": source, "neighbour": name[heard].astype(str)}
    table = pd.DataFrame(found | {"distance_km": km[heard].round(1), "weight": weight[heard].round(4)})
    return table.assign(**of_file)[list(COLUMNS)]


def write_neighbours(predictions: Sequence[Path], output: Path) -> None:
    """Write the table of all prediction files, one below the other."""
    wanted = [GIVEN, f"{GIVEN}_km", f"{GIVEN}_weight"]
    tables = []
    for path in predictions:
        with read_netcdf(path, load=False) as file:
            tables.append(neighbours_table(file[wanted].load()))
    write_table(pd.concat(tables, ignore_index=True), output)
