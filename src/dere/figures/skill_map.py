"""Where a method is good: towers on a map, coloured by their score."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.figures import maps
from dere.figures.style import BLACK, SEQUENTIAL, VERMILLION, house_style

EDGES = (0.0, 0.25, 0.5, 0.75)
"""Efficiencies at which the colour changes; below the first a tower has a shape of its own too."""

_SIZE, _DPI = (4.6, 2.5), 110
"""Inches of the picture and dots per inch."""


def draw(figure: Figure, table: pd.DataFrame) -> list[Artist]:
    """Map of towers by their Nash-Sutcliffe efficiency, best on top; the legend counts them.

    Parameters
    ----------
    figure
        Empty figure.
    table
        One row per tower: lat, lon (degrees), nse; towers without a score are left out.
    """
    axes = figure.subplots()
    maps.prepare(axes)
    lat, lon, nse = (table[name].to_numpy(dtype=float) for name in ("lat", "lon", "nse"))
    place = np.digitize(nse, EDGES)
    place[~np.isfinite(nse)] = -1
    shades = mpl.colormaps[SEQUENTIAL](np.linspace(0.0, 1.0, len(EDGES)))
    artists: list[Artist] = []
    for step in range(len(EDGES) + 1):
        here = place == step
        look = (
            {"s": 24, "marker": "o", "color": [shades[step - 1]]}
            if step
            else {"s": 26, "marker": "v", "color": VERMILLION}
        )
        label = f"{_name(step)}: {int(here.sum())}"
        artists.append(maps.points(axes, lat[here], lon[here], label=label, edgecolors=BLACK, linewidths=0.4, **look))
    figure.legend(
        title="Towers by their NSE",
        loc="outside lower center",
        ncols=len(EDGES) + 1,
        handletextpad=0.1,
        columnspacing=0.9,
    )
    return artists


def png(table: pd.DataFrame) -> bytes:
    """Return the map as the bytes of a png file, the same for the same table."""
    with house_style():
        figure = Figure(figsize=_SIZE, layout="constrained")
        draw(figure, table)
        file = io.BytesIO()
        said = {"Software": "dere"}
        figure.savefig(file, format="png", dpi=_DPI, metadata=said, bbox_inches="tight", pad_inches=0.03)
    return file.getvalue()


def _name(step: int) -> str:
    """Name of a step of the efficiency."""
    if step == 0:
        return "below 0"
    return f"above {EDGES[-1]:g}" if step == len(EDGES) else f"{EDGES[step - 1]:g}–{EDGES[step]:g}"
