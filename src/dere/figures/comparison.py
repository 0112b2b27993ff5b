"""All methods on all backbones: skill at unseen towers beside methods that need no network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.style import (
    BLACK,
    GREY,
    backbone_label,
    method_colour,
    method_label,
    method_line,
    method_marker,
    ordered_methods,
)

GROUPINGS = {"all": "test towers", "virtual": "virtual towers"}
"""Grouping of the comparison table to the name of its row of panels."""
NO_BACKBONE = "none"
NO_NETWORK = "no network"
"""Name of the row that holds the scores of these methods: an arrow in the row of a backbone would read as its own."""
_FLOOR = -1.0
"""NSE has no lower bound: what lies below is drawn as an arrow at the edge, or one bad method would hide the rest."""
_OUTLIER = 3.0
"""Values further below the lower quartile than so many interquartile ranges become arrows too (Tukey's far out)."""
_STEP = 0.21
_HEAD, _AROUND, _BACKBONE = 1.1, 0.6, 0.48
"""Height in inches of the legend, of title and axis of a row of panels, and of a backbone in it."""


def draw(figure: Figure, comparison: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Median NSE over towers, backbones from top to bottom, one column per flux, one row of panels per grouping.

    Parameters
    ----------
    figure
        Empty figure; its height follows the number of backbones.
    comparison
        Columns method, backbone, grouping, flux, nse, nse_seed_std, nse_ensemble (``evaluation.comparison``).
    exchange
        Whose fluxes are shown.

    Returns
    -------
    list of Artist
        Markers, bars of the spread over seeds, ticks of the ensembles and lines of the references.
    """
    networks = comparison[comparison["backbone"] != NO_BACKBONE]
    backbones = list(dict.fromkeys(networks["backbone"]))
    methods = ordered_methods(networks["method"])
    references = ordered_methods(comparison.loc[comparison["backbone"] == NO_BACKBONE, "method"])
    groupings = [name for name in GROUPINGS if name in set(comparison["grouping"])]
    row_names = [*map(backbone_label, backbones), *([NO_NETWORK] if references else [])]
    figure.set_figheight(_HEAD + len(groupings) * (_AROUND + _BACKBONE * len(row_names)))
    axes = figure.subplots(len(groupings), len(exchange.fluxes), sharey=True, squeeze=False)
    artists: list[Artist] = []
    for row, grouping in zip(axes, groupings, strict=True):
        for panel, flux in zip(row, exchange.names, strict=True):
            here = comparison[(comparison["grouping"] == grouping) & (comparison["flux"] == flux)]
            left = left_edge(here["nse"])
            artists += reference_lines(panel, here, references, left, len(backbones))
            artists += markers(panel, here, backbones, methods, left)
            panel.set_xlim(left=left)
            panel.set_title(f"{flux.upper()}, {GROUPINGS[grouping]}")
            for edge in np.arange(len(row_names) - 1) + 0.5:
                panel.axhline(edge, color=GREY, linewidth=0.4, zorder=0)
        row[0].set_yticks(np.arange(len(row_names)), row_names)
        row[0].set_ylim(len(row_names) - 0.45, -0.55)
    for panel in axes[-1]:
        panel.set_xlabel("median NSE of monthly fluxes")
    spread = bool(networks["nse_seed_std"].notna().any())
    figure.legend(handles=legend(methods, references, spread), loc="outside upper center", ncols=4)
    return artists


def left_edge(values: pd.Series) -> float:
    """Left end of an NSE axis: a little below the smallest value that is no outlier, but not below the floor."""
    known = values.dropna()
    if known.empty:
        return 0.0
    low, high = known.quantile([0.25, 0.75])
    smallest = known[known >= low - _OUTLIER * (high - low)].min()
    return max(_FLOOR, float(np.floor((smallest - 0.05) * 10) / 10))


def reference_lines(
    panel: Axes, table: pd.DataFrame, references: list[str], left: float, position: int
) -> list[Artist]:
    """Scores of the methods without a network: a line through all rows, a bar in the row of their own.

    Parameters
    ----------
    panel
        Where to draw.
    table
        Columns method, backbone, nse.
    references
        Methods to draw.
    left
        Left end of the axis; below, an arrow in their own row stands alone.
    position
        Place of their own row.
    """
    artists: list[Artist] = []
    for number, name in enumerate(references):
        value = table.loc[(table["method"] == name) & (table["backbone"] == NO_BACKBONE), "nse"]
        if value.empty or not np.isfinite(value.iloc[0]):
            continue
        x, colour, style = value.iloc[0], method_colour(name), method_line(name)
        y = position + _STEP * (number - (len(references) - 1) / 2)
        if x < left:
            artists += panel.plot(left, y, marker="<", color=colour, markeredgecolor=BLACK, clip_on=False)
            continue
        order = 1.0 if style == "solid" else 1.5
        artists.append(panel.axvline(x, color=colour, linestyle=style, linewidth=1.4, zorder=order))
        artists += panel.plot([x, x], [y - _STEP / 2.5, y + _STEP / 2.5], color=colour, linewidth=3.5, zorder=4)
    return artists


def markers(panel: Axes, table: pd.DataFrame, backbones: list[str], methods: list[str], left: float) -> list[Artist]:
    """Marker of the mean over seeds, bar of plus and minus one standard deviation, tick of the ensemble."""
    artists: list[Artist] = []
    rows = table[table["method"].isin(methods) & (table["backbone"] != NO_BACKBONE)].dropna(subset=["nse"])
    numbers = rows[["nse", "nse_seed_std", "nse_ensemble"]].to_numpy(dtype=float)
    for method, backbone, (value, spread, ensemble) in zip(rows["method"], rows["backbone"], numbers, strict=True):
        y = backbones.index(backbone) + _STEP * (methods.index(method) - (len(methods) - 1) / 2)
        colour = method_colour(method)
        if value < left:
            artists += panel.plot(left, y, marker="<", color=colour, markeredgecolor=BLACK, clip_on=False)
            continue
        if np.isfinite(spread):
            ends = [max(value - spread, left), value + spread]
            artists += panel.plot(ends, [y, y], color=colour, linewidth=1.8, solid_capstyle="butt", zorder=2)
            artists += panel.plot(max(ensemble, left), y, marker="|", markersize=7, color=BLACK, zorder=3)
        look: dict[str, Any] = {"marker": method_marker(method), "markeredgecolor": BLACK, "markeredgewidth": 0.5}
        artists += panel.plot(value, y, color=colour, markersize=5, zorder=4, **look)
    panel.grid(axis="x")
    return artists


def legend(methods: list[str], references: list[str], spread: bool) -> list[Line2D]:
    """Handles for methods, references and, with several seeds, their spread and ensemble."""
    handles = [
        Line2D(
            [], [], linestyle="", marker=method_marker(name), color=method_colour(name),
            markeredgecolor=BLACK, markeredgewidth=0.5, markersize=5, label=method_label(name),
        )
        for name in methods
    ]  # fmt: skip
    handles += [
        Line2D([], [], color=method_colour(name), linestyle=method_line(name), linewidth=1.4, label=method_label(name))
        for name in references
    ]
    if spread:
        handles.append(Line2D([], [], color=GREY, linewidth=1.8, label="spread over seeds (±1 std)"))
        handles.append(
            Line2D([], [], color=BLACK, linestyle="", marker="|", markersize=7, label="score of the mean prediction")
        )
    return handles
