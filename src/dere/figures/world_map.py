"""Where the world is productive, and where it is seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures import maps
from dere.figures.observed import labelled
from dere.figures.style import BLACK, SEQUENTIAL, VERMILLION, unit_text
from dere.harmonise.site_roles import CROSS_VALIDATED, SEEN


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
    sites: pd.DataFrame | None = None,
) -> list[Artist]:
    """Map of all sites by their role, over the mean of the first flux where a table of cells is given.

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
    sites
        Table of the sites with their roles (``tables/sites.csv``); None = towers are told from other sites only.
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
    kind = _kinds(towers, sites)
    lat, lon = towers["lat"].values, towers["lon"].values
    looks = {
        "predict": {"s": 7, "c": "white", "edgecolors": BLACK, "linewidths": 0.4, "marker": "o"},
        SEEN: {"s": 22, "c": "white", "edgecolors": VERMILLION, "linewidths": 1.0, "marker": "v"},
        "tower": {"s": 34, "c": VERMILLION, "edgecolors": "white", "linewidths": 0.6, "marker": "^"},
    }
    looks[CROSS_VALIDATED] = looks["tower"]
    names = {
        "predict": "sites without labels (scored or predicted only)",
        SEEN: "towers seen in training",
        "tower": "towers with flux labels",
        CROSS_VALIDATED: "towers tested by models that have not seen them",
    }
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


def _kinds(towers: xr.Dataset, sites: pd.DataFrame | None) -> NDArray[np.str_]:
    """How each site shows: ``predict``, or a tower, by its role where that is known."""
    kind = towers["kind"].values.astype(str) if "kind" in towers else np.full(towers.sizes["site"], "tower")
    if sites is None:
        return kind
    role = sites.set_index("site")["role"].reindex(towers["site"].values.astype(str))
    told = (kind == "tower") & role.isin([CROSS_VALIDATED, SEEN]).to_numpy()
    return np.where(told, role.to_numpy(str), kind)
