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

GROUPINGS = {"all": ("o", "test towers"), "virtual": ("D", "virtual towers")}
"""Grouping of the skill table to its marker and name."""
_FLOOR = -1.0
"""Scores below are drawn as an arrow at the edge: NSE has no lower bound, and one bad method would hide the rest."""


def one_run(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of one evaluation per method: the ensemble where there is one, else the first fold and seed; lowest quality.

    Parameters
    ----------
    table
        Skill table with columns ``fold``, ``seed`` and optionally ``quality``.
    """
    out = table
    for column in ("fold", "seed"):
        if column in out:
            text = out[column].astype(str)
            joint = text.isin(["all", "ensemble"])
            chosen = "joint" if joint.any() else min(text, default="")
            out = out[joint] if chosen == "joint" else out[text == chosen]
    if "quality" in out and len(out):
        out = out[out["quality"] == out["quality"].min()]
    return out


def against(paired: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Rows as method minus ``reference``, turning round those that are stored the other way.

    Returns
    -------
    DataFrame
        Columns method, flux, grouping, difference, low, high.
    """
    forward = paired[paired["method_b"] == reference].rename(columns={"method_a": "method"})
    backward = paired[(paired["method_a"] == reference) & ~paired["method_b"].isin(forward["method"])]
    backward = backward.rename(columns={"method_b": "method"}).assign(
        difference=-backward["difference"], low=-backward["high"], high=-backward["low"]
    )
    return pd.concat([forward, backward])[["method", "flux", "grouping", "difference", "low", "high"]]


def draw(figure: Figure, skill: pd.DataFrame, paired: pd.DataFrame, reference: str = "gbm_sim") -> list[Artist]:
    """Upper row: median NSE over towers with quartiles; lower row: paired difference to ``reference``.

    Parameters
    ----------
    figure
        Empty figure.
    skill
        Columns method, fold, seed, flux, scale, grouping, statistic (median, q25, q75), nse.
    paired
        Columns method_a, method_b, flux, scale, grouping, difference, low, high (of median NSE).
    reference
        Method the differences refer to.
    """
    rows = one_run(skill[(skill["scale"] == "monthly") & skill["grouping"].isin(list(GROUPINGS))])
    wide = rows.pivot_table(index=["method", "flux", "grouping"], columns="statistic", values="nse").reset_index()
    difference = against(one_run(paired[paired["scale"] == "monthly"]), reference)
    methods = ordered_methods(wide["method"])[::-1]
    others = [name for name in methods if name != reference]
    axes = figure.subplots(2, len(FLUXES), height_ratios=[len(methods) + 1, len(others) + 1], sharey="row", squeeze=False)
    artists: list[Artist] = []
    for column, flux in enumerate(FLUXES):
        top, bottom = axes[:, column]
        top.set_title(flux.upper())
        chosen = wide[wide["flux"] == flux].rename(columns={"median": "value", "q25": "low", "q75": "high"})
        artists += intervals(top, chosen, methods, floor=_FLOOR)
        top.set_xlim(right=1.0)
        top.set_xlabel("NSE, monthly: median and quartiles")
        artists += intervals(
            bottom, difference[difference["flux"] == flux].rename(columns={"difference": "value"}), others, floor=None
        )
        bottom.axvline(0.0, color=BLACK, linewidth=0.8, zorder=1)
        bottom.set_xlabel(f"NSE minus {method_label(reference)}\n(paired, 95 % interval)")
    present = [look for name, look in GROUPINGS.items() if name in set(wide["grouping"])]
    handles = [
        Line2D([], [], marker=mark, color=BLACK, linestyle="", markerfacecolor=BLACK if mark == "o" else "white", label=name)
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
    shift = dict(zip(GROUPINGS, (0.16, -0.16), strict=True))
    table = table[table["method"].isin(methods) & table["grouping"].isin(list(GROUPINGS))]
    for row in table.itertuples():
        y = methods.index(row.method) + shift[row.grouping]
        colour, marker = method_colour(row.method), GROUPINGS[row.grouping][0]
        value, low, high = (float(v) for v in (row.value, row.low, row.high))
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
