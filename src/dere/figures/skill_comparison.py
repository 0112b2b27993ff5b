"""How good each method is at unseen towers, and how sure the differences are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dere.figures.style import BLACK, method_colour, method_label, ordered_methods
from dere.variables import FLUXES

GROUPINGS = {
    "all": ("o", "test towers"),
    "virtual": ("D", "virtual towers (truth known)"),
    "map": ("s", "cells of the product map (truth known)"),
}
"""Grouping of the skill table to its marker and name."""
_FLOOR = -1.0
"""Scores below are drawn as an arrow at the edge: NSE has no lower bound, and one bad method would hide the rest."""


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


def draw(figure: Figure, skill: pd.DataFrame, paired: pd.DataFrame, reference: str = "gbm_sim") -> list[Artist]:
    """Upper row: median NSE over towers with quartiles; lower row: paired difference to ``reference``.

    Parameters
    ----------
    figure
        Empty figure.
    skill
        Columns method, fold, seed, flux, scale, grouping, statistic (median, q25, q75), nse.
    paired
        Columns method, against, flux, scale, grouping, nse_difference, nse_low, nse_high.
    reference
        Method the differences refer to; where the run lacks it, its simplest method.
    """
    rows = one_run(skill[(skill["scale"] == "monthly") & skill["grouping"].isin(list(GROUPINGS))])
    wide = rows.pivot_table(index=["method", "flux", "grouping"], columns="statistic", values="nse").reset_index()
    methods = ordered_methods(wide["method"])[::-1]
    reference = reference if reference in methods else methods[-1]
    difference = against(paired[paired["scale"] == "monthly"], reference)
    others = [name for name in methods if name != reference]
    axes = figure.subplots(
        2, len(FLUXES), height_ratios=[len(methods) + 1, len(others) + 1], sharey="row", squeeze=False
    )
    artists: list[Artist] = []
    for column, flux in enumerate(FLUXES):
        top, bottom = axes[:, column]
        top.set_title(flux.upper())
        chosen = wide[wide["flux"] == flux].rename(columns={"median": "value", "q25": "low", "q75": "high"})
        artists += intervals(top, chosen, methods, floor=_FLOOR)
        top.set_xlim(right=1.0)
        top.set_xlabel("NSE, monthly: median and quartiles")
        artists += intervals(bottom, difference[difference["flux"] == flux], others, floor=None)
        bottom.axvline(0.0, color=BLACK, linewidth=0.8, zorder=1)
        bottom.set_xlabel(f"NSE minus {method_label(reference)}\n(paired, 95 % interval)")
    present = [look for name, look in GROUPINGS.items() if name in set(wide["grouping"])]
    handles = [
        Line2D(
            [],
            [],
            marker=mark,
            color=BLACK,
            linestyle="",
            markerfacecolor=BLACK if mark == "o" else "white",
            label=name,
        )
        for mark, name in present
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    return artists


def intervals(axes: Axes, table: pd.DataFrame, methods: list[str], floor: float | None) -> list[Artist]:
    """Dots with whiskers, one line per method, groupings side by side.

    Parameters
    ----------
    axes
        Where to draw.
    table
        Columns method, grouping, value, low, high.
    methods
        From bottom to top.
    floor
        Values below are marked by an arrow at this place.
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
        if floor is not None and value < floor:
            artists += axes.plot(floor, y, marker="<", color=colour, markeredgecolor=BLACK, markersize=5, clip_on=False)
            continue
        start = low if floor is None else max(low, floor)
        artists += axes.plot([start, high], [y, y], color=colour, linewidth=2.2, solid_capstyle="butt", zorder=2)
        face = colour if marker == "o" else "white"
        edge = BLACK if marker == "o" else colour
        artists += axes.plot(
            value, y, marker=marker, markersize=5.5, color=edge, markerfacecolor=face, markeredgewidth=0.8, zorder=3
        )
    axes.set_yticks(np.arange(len(methods)), [method_label(name) for name in methods])
    axes.set_ylim(-0.6, len(methods) - 0.4)
    axes.grid(axis="x")
    return artists
