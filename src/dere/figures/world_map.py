"""Where the world is productive, and where it is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dere.figures import maps
from dere.figures.observed import labelled
from dere.figures.style import BLACK, SEQUENTIAL, VERMILLION, unit_text
from dere.variables import FLUX_UNIT


def tabulate(drivers: xr.Dataset, truth: xr.Dataset) -> pd.DataFrame:
    """Mean true GPP of each cell: columns cell, lat, lon, gpp (gC m-2 d-1 per vegetated area)."""
    gpp = labelled(truth, "cell_flux").sel(flux="gpp").mean("time")
    cells = gpp["cell"].values
    where = drivers[["lat", "lon"]].sel(cell=cells)
    return pd.DataFrame(
        {"cell": cells, "lat": where["lat"].values, "lon": where["lon"].values, "gpp": gpp.values.astype(float)}
    )


def draw(
    figure: Figure,
    towers: xr.Dataset,
    table: pd.DataFrame | None = None,
    degrees: float = 0.0,
) -> list[Artist]:
    """Map of towers, over mean GPP where a table of cells is given.

    Parameters
    ----------
    figure
        Empty figure.
    towers
        Canonical towers; ``kind`` tells towers from sites that are only predicted.
    table
        Result of ``tabulate``; None on runs without a known truth.
    degrees
        Cell size of the table.
    """
    axes = figure.subplots()
    maps.prepare(axes)
    artists: list[Artist] = []
    if table is not None:
        norm = Normalize(0.0, float(np.nanmax(table["gpp"])))
        cells = maps.fill_cells(
            axes, table["lat"].to_numpy(), table["lon"].to_numpy(), table["gpp"].to_numpy(), degrees, SEQUENTIAL, norm
        )
        bar = figure.colorbar(cells, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
        bar.set_label(f"mean gross primary production per vegetated area ({unit_text(FLUX_UNIT)})")
        artists.append(cells)
    kind = towers["kind"].values.astype(str) if "kind" in towers else np.full(towers.sizes["site"], "tower")
    lat, lon = towers["lat"].values, towers["lon"].values
    looks = {
        "predict": {"s": 7, "c": "white", "edgecolors": BLACK, "linewidths": 0.4, "marker": "o"},
        "tower": {"s": 34, "c": VERMILLION, "edgecolors": "white", "linewidths": 0.6, "marker": "^"},
    }
    names = {"predict": "sites without labels (scored or predicted only)", "tower": "towers with flux labels"}
    for name, look in looks.items():
        here = kind == name
        if here.any():
            label = f"{names[name]}: {here.sum()}"
            artists.append(maps.points(axes, lat[here], lon[here], label=label, **look))
    unknown = int(np.isnan(lon).sum())
    if unknown:
        note = f"{unknown} of {len(lon)} sites have no published coordinates"
        artists.append(axes.text(0.5, 0.02, note, transform=axes.transAxes, ha="center", va="bottom"))
    figure.legend(loc="outside upper center", ncols=2)
    return artists
