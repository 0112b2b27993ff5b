"""Where observations lie in their predicted distributions: the histogram of the probability integral transform."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.evaluation.probabilistic import PIT
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.calibration import SCALES, TOWERS
from dere.figures.skill_comparison import GROUPINGS, one_run
from dere.figures.style import BLACK, method_colour, method_label, method_line, ordered_methods

PANEL_INCHES, LINE_INCHES = 1.9, 0.2
"""Height of a row of panels with its labels, and of a line of the legend."""
NONE = "no method states an error model"


def draw(figure: Figure, calibration: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Share of observations in each tenth of the predicted distribution, a step line per method.

    Parameters
    ----------
    figure
        Empty figure.
    calibration
        Columns method, flux, grouping, part, scale and pit_1 to pit_10 (0-1); optional backbone, fold, seed. Rows of
        parts, and of methods that state no error model, are left out.
    exchange
        Whose fluxes are shown.
    """
    whole = (calibration["part"] == "all") & calibration["grouping"].isin(TOWERS)
    rows = one_run(calibration[whole].dropna(subset=list(PIT)))
    shown = set(zip(rows["grouping"], rows["scale"], strict=True))
    kinds = [(name, scale) for name in TOWERS for scale in SCALES if (name, scale) in shown] or [("all", "monthly")]
    methods = ordered_methods(rows["method"])
    grid = figure.subplots(len(kinds), len(exchange.fluxes), sharex=True, sharey="row", squeeze=False)
    edges = np.linspace(0, 100, len(PIT) + 1)
    artists: list[Artist] = []
    for axes, (grouping, scale) in zip(grid, kinds, strict=True):
        for panel, flux in zip(axes, exchange.names, strict=True):
            panel.axhline(100 / len(PIT), color=BLACK, linewidth=0.7)
            chosen = rows[(rows["grouping"] == grouping) & (rows["scale"] == scale) & (rows["flux"] == flux)]
            for method, own in chosen.groupby("method"):
                shares = 100 * own[list(PIT)].iloc[0].to_numpy(float)
                artists.append(panel.stairs(shares, edges, baseline=None, **_look(str(method))))
            panel.set_title(f"{flux.upper()}, {SCALES[scale]}, {GROUPINGS[grouping][1].split(' (')[0]}")
            panel.set_xlim(0, 100)
            panel.grid(True, axis="y")
            if not methods:
                artists.append(panel.text(0.5, 0.5, NONE, ha="center", va="center", transform=panel.transAxes))
        # once all are drawn: a limit ends the scaling by what follows
        axes[0].set_ylim(bottom=0)
        axes[0].set_ylabel("observations (%)")
    for panel in grid[-1]:
        panel.set_xlabel("tenth of the predicted\ndistribution (%)")
    figure.set_figheight(PANEL_INCHES * len(kinds) + LINE_INCHES * (3 + -(-len(methods) // 2)))
    if methods:
        handles = [Line2D([], [], label=method_label(method), **_look(method)) for method in methods]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return artists


def _look(method: str) -> dict[str, Any]:
    return {"color": method_colour(method), "linestyle": method_line(method), "linewidth": 1.0}
