"""Where the world is productive, and where it is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures import maps
from dere.figures.observed import labelled
from dere.figures.style import BLACK, SEQUENTIAL, VERMILLION, unit_text


def tabulate(drivers: xr.Dataset, truth: xr.Dataset, exchange: Exchange = CO2) -> pd.DataFrame:
    """Mean of the first flux (for CO2, GPP) of each cell in truth: cell, lat, lon, and a column of the flux's name."""
    name = exchange.names[0]
    mean = labelled(truth, "cell_flux", exchange).sel(flux=name).mean("time")
    cells = mean["cell"].values
    where = drivers[["lat", "lon"]].sel(cell=cells)
    return pd.DataFrame(
        {"cell": cells, "lat": where["lat"].values, "lon": where["lon"].values, name: mean.values.astype(float)}
    )


def draw(
    figure: Figure,
    towers: xr.Dataset,
    table: pd.DataFrame | None = None,
    degrees: float = 0.0,
    exchange: Exchange = CO2,
) -> list[Artist]:
    """Map of towers, over the mean of the first flux where a table of cells is given.

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
    exchange
        What the towers measure.
    """
    axes = figure.subplots()
    maps.prepare(axes)
    artists: list[Artist] = []
    if table is not None:
        first = exchange.fluxes[0]
        lat, lon, mean = (table[name].to_numpy() for name in ("lat", "lon", first.name))
        norm = Normalize(0.0, float(np.nanmax(mean)))
        cells = maps.fill_cells(axes, lat, lon, mean, degrees, SEQUENTIAL, norm)
        bar = figure.colorbar(cells, ax=axes, orientation="horizontal", shrink=0.5, aspect=40, pad=0.02)
        bar.set_label(f"mean {first.long_name} per {exchange.area.partition('_')[0]} area ({unit_text(first.unit)})")
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
