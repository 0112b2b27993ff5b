"""How good each method is at unseen towers, and how sure the differences are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.config.reference_rows import REFERENCE
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.style import BLACK, method_colour, method_label, ordered_methods

GROUPINGS = {
    "all": ("o", "test towers"),
    "virtual": ("D", "virtual towers (truth known)"),
    "map": ("s", "cells of the product map (truth known)"),
}
"""Grouping of the skill table to its marker and name."""
_FLOOR = -1.0
"""Scores below are drawn as an arrow at the edge: NSE has no lower bound, and one bad method would hide the rest."""
_OUTLIER = 2.0
"""Ends of differences further out than so many interquartile ranges leave the axis for the same reason (Tukey)."""
_HEAD, _AROUND, _METHOD = 0.4, 0.75, 0.36
"""Height in inches of the legend, of title and axis of a row of panels, and of a method in it."""


def one_run(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one evaluation per method: the pooled one where there is one, else the first fold and seed.

    Parameters
    ----------
    table
        Table with columns ``method`` and, all optional, ``backbone``, ``fold``, ``seed``. Of several backbones the
        first in alphabetical order stays.
    """
    columns = [name for name in ("backbone", "fold", "seed") if name in table]
    if table.empty or not columns:
        return table
    # Pooled rows are marked "all", files of averaged seeds "ensemble"; digits come after both.
    order = table[columns].astype(str).replace({"all": "", "ensemble": " "})
    order = order.assign(method=table["method"])
    first = order.sort_values(columns, kind="stable").groupby("method").head(1).set_index("method")
    return table[(order[columns].to_numpy() == first.loc[order["method"], columns].to_numpy()).all(axis=1)]


def against(paired: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Rows as method minus ``reference``, turning round those that are stored the other way.

    Parameters
    ----------
    paired
        Columns method, against, flux, grouping, nse_difference, nse_low, nse_high.

    Returns
    -------
    DataFrame
        Columns method, flux, grouping, value, low, high.
    """
    names = {"nse_difference": "value", "nse_low": "low", "nse_high": "high"}
    rows = paired.rename(columns=names)
    forward = rows[rows["against"] == reference]
    backward = rows[(rows["method"] == reference) & (rows["against"] != reference)]
    backward = backward.assign(
        method=backward["against"], value=-backward["value"], low=-backward["high"], high=-backward["low"]
    )
    both = pd.concat([forward, backward])[["method", "flux", "grouping", "value", "low", "high"]]
    return both.drop_duplicates(["method", "flux", "grouping"])


def draw(
    figure: Figure,
    skill: pd.DataFrame,
    paired: pd.DataFrame,
    reference: str | None = None,
    exchange: Exchange = CO2,
) -> list[Artist]:
    """Upper row: median NSE over towers with quartiles; below: paired difference to ``reference``, a row per grouping.

    Parameters
    ----------
    figure
        Empty figure; its height follows the number of methods and groupings.
    skill
        Columns method, fold, seed, flux, scale, grouping, statistic (median, q25, q75), nse.
    paired
        Columns method, against, flux, scale, grouping, nse_difference, nse_low, nse_high.
    reference
        Method the differences refer to; where the run lacks it, its simplest method.
    exchange
        Whose fluxes are shown.
    """
    rows = one_run(skill[(skill["scale"] == "monthly") & skill["grouping"].isin(list(GROUPINGS))])
    wide = rows.pivot_table(index=["method", "flux", "grouping"], columns="statistic", values="nse").reset_index()
    wide = wide.rename(columns={"median": "value", "q25": "low", "q75": "high"})
    methods = ordered_methods(wide["method"])[::-1]
    reference = reference if reference in methods else methods[-1]
    # references are paired with no method: they leave out months that they use
    others = [name for name in methods if name != reference and not name.startswith(REFERENCE)]
    difference = against(paired[paired["scale"] == "monthly"], reference)
    difference = difference[difference["method"].isin(others)].dropna(subset=["value"])
    # Intervals of 12 and of 500 towers differ tenfold in width: each grouping has axes of its own.
    groupings = [name for name in GROUPINGS if name in set(difference["grouping"])] or ["all"]
    heights = [_AROUND + _METHOD * len(methods), *[_AROUND + _METHOD * len(others)] * len(groupings)]
    figure.set_figheight(_HEAD + sum(heights))
    axes = figure.subplots(len(heights), len(exchange.fluxes), height_ratios=heights, sharey="row", squeeze=False)
    artists: list[Artist] = []
    for column, flux in enumerate(exchange.names):
        top = axes[0, column]
        artists += intervals(top, wide[wide["flux"] == flux], methods, (_FLOOR, 1.0))
        top.set_xlim(right=1.0)
        top.set_title(flux.upper())
        top.set_xlabel("NSE, monthly: median and quartiles")
        for panel, grouping in zip(axes[1:, column], groupings, strict=True):
            chosen = difference[(difference["flux"] == flux) & (difference["grouping"] == grouping)]
            edges = difference_edges(chosen)
            artists += intervals(panel, chosen, others, edges)
            panel.set_xlim(*edges)
            panel.axvline(0.0, color=BLACK, linewidth=0.8, zorder=1)
            panel.set_title(f"{flux.upper()}, {GROUPINGS[grouping][1].split(' (')[0]}")
            panel.set_xlabel(f"NSE minus {method_label(reference)}\n(paired, 95 % interval)")
    handles = [handle(name) for name in GROUPINGS if name in set(wide["grouping"])]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return artists


def handle(grouping: str) -> Line2D:
    """Legend entry of a grouping."""
    mark, name = GROUPINGS[grouping]
    face = BLACK if mark == "o" else "white"
    return Line2D([], [], marker=mark, color=BLACK, linestyle="", markerfacecolor=face, label=name)


def difference_edges(table: pd.DataFrame) -> tuple[float, float]:
    """Ends of an axis of differences: zero and all interval ends but outliers, with a small margin.

    Parameters
    ----------
    table
        Columns value, low, high.
    """
    ends = table[["value", "low", "high"]].to_numpy(dtype=float).ravel()
    ends = ends[np.isfinite(ends)]
    if not ends.size:
        return -1.0, 1.0
    lower, upper = np.quantile(ends, [0.25, 0.75])
    reach = _OUTLIER * (upper - lower)
    inside = np.append(ends[(ends >= lower - reach) & (ends <= upper + reach)], 0.0)
    margin = 0.05 * float(np.ptp(inside)) or 0.1
    return float(inside.min()) - margin, float(inside.max()) + margin


def intervals(axes: Axes, table: pd.DataFrame, methods: list[str], edges: tuple[float, float]) -> list[Artist]:
    """Dots with whiskers, one line per method, groupings side by side.

    Parameters
    ----------
    axes
        Where to draw.
    table
        Columns method, grouping, value, low, high.
    methods
        From bottom to top.
    edges
        A value beyond stands as an arrow at the edge, a whisker that goes on beyond ends in a small arrow head.
    """
    artists: list[Artist] = []
    table = table[table["method"].isin(methods) & table["grouping"].isin(list(GROUPINGS))].dropna(subset=["value"])
    present = [name for name in GROUPINGS if name in set(table["grouping"])]
    gap = 0.32 if len(present) < 3 else 0.26
    shift = {name: gap * ((len(present) - 1) / 2 - i) for i, name in enumerate(present)}
    numbers = table[["value", "low", "high"]].to_numpy(dtype=float)
    for method, grouping, (value, low, high) in zip(table["method"], table["grouping"], numbers, strict=True):
        y = methods.index(method) + shift[grouping]
        colour, marker = method_colour(method), GROUPINGS[grouping][0]
        beyond = {"<": (edges[0], value < edges[0], low < edges[0]), ">": (edges[1], value > edges[1], high > edges[1])}
        for arrow, (edge, whole, part) in beyond.items():
            if whole or part:
                look = {"markersize": 5, "markeredgecolor": BLACK} if whole else {"markersize": 4, "markeredgewidth": 0}
                artists += axes.plot(edge, y, marker=arrow, color=colour, clip_on=False, **look)
        ends = np.clip([low, high], *edges)
        artists += axes.plot(ends, [y, y], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
        if not edges[0] <= value <= edges[1]:
            continue
        face = colour if marker == "o" else "white"
        edge_colour = BLACK if marker == "o" else colour
        artists += axes.plot(
            value,
            y,
            marker=marker,
            markersize=5,
            color=edge_colour,
            markerfacecolor=face,
            markeredgewidth=0.8,
            zorder=3,
        )
    axes.set_yticks(np.arange(len(methods)), [method_label(name) for name in methods])
    axes.set_ylim(-0.6, len(methods) - 0.4)
    axes.grid(axis="x")
    return artists
