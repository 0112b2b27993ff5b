"""What months of its own give a tower: errors and coverage against the number of months that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.evaluation.runs import POOLED
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.style import BLACK, method_colour, method_label, method_line, method_marker, ordered_methods

ROWS = {
    "rmse_ratio": ("RMSE over that without\nown months", 1.0),
    "coverage_90": ("labels inside the\n90 % interval", 0.9),
}
"""Column to the label of its row of panels, and the value of a line."""
ROOM = 0.6
"""Share of the distance between two numbers of months over which methods stand side by side."""
LOWEST, MARGIN = 0.8, 0.02
"""Lower end of the axis of coverage, unless a method covers less; differences of a hundredth should look small."""
NONE = "no tower has enough labelled months"


def draw(figure: Figure, site_calibration: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Upper row: geometric mean of the RMSE ratio over towers with its 95 % interval; below: coverage.

    Parameters
    ----------
    figure
        Empty figure.
    site_calibration
        Columns method, fold, support_season, known_months, flux, rmse_ratio, ratio_low, ratio_high, coverage_90.
    exchange
        Whose fluxes are shown.
    """
    rows = site_calibration[(site_calibration["fold"] == POOLED) & (site_calibration["support_season"] == POOLED)]
    methods = ordered_methods(rows["method"])
    numbers = sorted(int(count) for count in set(rows["known_months"]))
    grid = figure.subplots(len(ROWS), len(exchange.fluxes), sharex=True, sharey="row", squeeze=False)
    artists: list[Artist] = []
    for axes, (column, (label, level)) in zip(grid, ROWS.items(), strict=True):
        for panel, flux in zip(axes, exchange.names, strict=True):
            panel.axhline(level, color=BLACK, linewidth=0.7, zorder=1)
            for place, method in enumerate(methods):
                own = rows[(rows["flux"] == flux) & (rows["method"] == method)].sort_values("known_months")
                shift = ROOM * ((place + 0.5) / len(methods) - 0.5)
                x = np.array([numbers.index(int(count)) for count in own["known_months"]]) + shift
                artists += panel.plot(x, own[column], **_look(method))
                if column == "rmse_ratio":
                    artists.append(panel.vlines(x, own["ratio_low"], own["ratio_high"], method_colour(method), lw=1.0))
            panel.set_xticks(range(len(numbers)), [str(count) for count in numbers])
            panel.grid(axis="y")
            if not methods:
                artists.append(panel.text(0.5, 0.5, NONE, ha="center", va="center", transform=panel.transAxes))
        axes[0].set_ylabel(label)
        if column == "coverage_90":
            axes[0].set_ylim(min([LOWEST, *(rows[column] - MARGIN)]), 1.0)
    for panel, flux in zip(grid[0], exchange.names, strict=True):
        panel.set_title(flux.upper())
    for panel in grid[-1]:
        panel.set_xlabel("months of its own that are known")
    if methods:
        handles = [Line2D([], [], label=method_label(method), **_look(method)) for method in methods]
        figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(methods)))
    return artists


def _look(method: str) -> dict[str, Any]:
    line = {"linestyle": method_line(method), "linewidth": 1.0}
    return {"color": method_colour(method), "marker": method_marker(method), "markersize": 4, **line}
