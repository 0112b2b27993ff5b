"""The table that places the rows of the DERE arrays, which hold no coordinates: ``kind,index,id,lat,lon,igbp``.

``kind`` is ``train_cell``, ``test_cell``, ``train_tower`` or ``test_tower``; ``index`` counts the rows of the array
from 0; ``id`` names a tower; ``igbp`` may be empty. Each row of the arrays needs one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dere.ingest.checks import check_coordinates
from dere.ingest.igbp_classes import igbp_codes
from dere.ingest.tables import numeric, read_table, require_columns

KINDS = ("train_cell", "test_cell", "train_tower", "test_tower")
COLUMNS = ("kind", "index", "id", "lat", "lon", "igbp")


def parse_coordinates(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Check the table.

    Returns
    -------
    DataFrame
        ``id``, ``lat``, ``lon``, ``igbp`` by (kind, index).

    Raises
    ------
    ValueError
        A missing column, an unknown kind, an index that is no whole number or occurs twice, impossible coordinates, or
        towers without a name of their own.
    """
    require_columns(table, COLUMNS, source)
    kinds = table["kind"].astype(str).str.strip()
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(
            f"{source}: kind '{unknown[0]}' is unknown, but one of {', '.join(KINDS)} is needed; correct it"
        )
    index = numeric(table, "index", source)
    if not (np.isfinite(index) & (index == np.floor(index)) & (index >= 0)).all():
        raise ValueError(f"{source}: index must count the rows of the array as 0, 1, 2 ...; correct the column")
    lat, lon = numeric(table, "lat", source), numeric(table, "lon", source)
    for row in range(len(table)):
        check_coordinates(lat[row], lon[row], f"{source}: {kinds.iloc[row]} {int(index[row])}")
    result = pd.DataFrame(
        {
            "id": table["id"].fillna("").astype(str).str.strip().to_numpy(),
            "lat": lat,
            "lon": lon,
            "igbp": igbp_codes(table["igbp"], table["id"], source),
        },
        index=pd.MultiIndex.from_arrays([kinds.to_numpy(), index.astype(int)], names=["kind", "index"]),
    )
    if result.index.has_duplicates:
        kind, row = result.index[result.index.duplicated()][0]
        raise ValueError(f"{source}: {kind} {row} stands there twice, once is expected; remove a row")
    names = result.loc[result.index.get_level_values("kind").str.endswith("tower"), "id"]
    if (names == "").any() or names.duplicated().any():
        wrong = names[names.duplicated()].iloc[0] if names.duplicated().any() else ""
        raise ValueError(
            f"{source}: tower id '{wrong}' is empty or occurs twice, a name each is needed; correct the column"
        )
    return result


def rows_of(places: pd.DataFrame, kind: str, count: int, source: str) -> pd.DataFrame:
    """Places of the rows 0 to ``count`` - 1 of one kind, in their order.

    Raises
    ------
    ValueError
        When the table has others than these.
    """
    chosen = places[places.index.get_level_values("kind") == kind]
    own = chosen.droplevel("kind").sort_index()
    if not np.array_equal(own.index.to_numpy(), np.arange(count)):
        raise ValueError(
            f"{source} places {len(own)} rows of kind {kind}, but the arrays have {count} (0 to {count - 1}); give one "
            "row each"
        )
    return own


def read_coordinates(path: Path) -> pd.DataFrame:
    """Read the table (see :func:`parse_coordinates`)."""
    path = Path(path)
    return parse_coordinates(read_table(path), path.name)
