"""Whether the intervals hold what they promise."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.skill_comparison import GROUPINGS, one_run
from dere.figures.style import BLACK, method_colour, method_label, method_line, method_marker, ordered_methods

TOWERS = ("all", "virtual")
"""Groupings that are shown; of maps the table has one level only."""
SCALES = {"monthly": "months", "annual": "years"}
"""Scale of the table to what its rows are of."""
PANEL_INCHES, LINE_INCHES = 3.1, 0.2
"""Height of a row of square panels with its labels, and of a line of the legend."""


def draw(figure: Figure, calibration: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Share of observations inside central intervals against the nominal share, per grouping, scale and flux.

    Parameters
    ----------
    figure
        Empty figure.
    calibration
        Columns method, flux, grouping, part, scale and coverage_50, coverage_90 ... (0-1); optional backbone, fold,
        seed. Rows of parts are left out.
    exchange
        Whose fluxes are shown.
    """
    rows = one_run(calibration[calibration["grouping"].isin(TOWERS) & (calibration["part"] == "all")])
    shares = {int(name.split("_")[1]): name for name in map(str, rows) if re.fullmatch(r"coverage_\d+", name)}
    rows = rows.dropna(subset=list(shares.values()), how="all")
    shown = set(zip(rows["grouping"], rows["scale"], strict=True))
    kinds = [(name, scale) for name in TOWERS for scale in SCALES if (name, scale) in shown] or [("all", "monthly")]
    methods = ordered_methods(rows["method"])
    grid = figure.subplots(len(kinds), len(exchange.fluxes), sharex=True, sharey=True, squeeze=False)
    artists: list[Artist] = []
    for axes, (grouping, scale) in zip(grid, kinds, strict=True):
        for panel, flux in zip(axes, exchange.names, strict=True):
            panel.plot([0, 100], [0, 100], color=BLACK, linewidth=0.7)
            chosen = rows[(rows["grouping"] == grouping) & (rows["scale"] == scale) & (rows["flux"] == flux)]
            chosen = chosen.set_index("method")
            for method in methods:
                if method in chosen.index:
                    # a file that states no error model has fewer levels
                    observed = 100 * chosen.loc[method, list(shares.values())].astype(float).dropna()
                    levels = [level for level, name in shares.items() if name in observed.index]
                    artists += panel.plot(levels, observed, **_look(method))
            panel.set_title(f"{flux.upper()}, {SCALES[scale]}, {GROUPINGS[grouping][1].split(' (')[0]}")
            panel.set_xlim(0, 100)
            panel.set_ylim(0, 100)
            panel.set_aspect("equal")
            panel.grid(True)
        axes[0].set_ylabel("observations inside\nthe interval (%)")
    for panel in grid[-1]:
        panel.set_xlabel("nominal share (%)")
    # panels are square: a figure made for several groupings would leave the room of those that are missing empty
    figure.set_figheight(PANEL_INCHES * len(kinds) + LINE_INCHES * (2 + -(-len(methods) // 2)))
    handles = [Line2D([], [], label=method_label(method), **_look(method)) for method in methods]
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return artists


def _look(method: str) -> dict[str, Any]:
    line = {"linestyle": method_line(method), "linewidth": 1.0}
    return {"color": method_colour(method), "marker": method_marker(method), "markersize": 4, **line}
