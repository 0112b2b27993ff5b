"""Whether the intervals hold what they promise."""

from __future__ import annotations

import re

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure

from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures.skill_comparison import GROUPINGS, one_run
from dere.figures.style import BLACK, method_colour, method_label, ordered_methods


def draw(figure: Figure, calibration: pd.DataFrame, exchange: Exchange = CO2) -> list[Artist]:
    """Share of observations inside central intervals against the nominal share, per flux.

    Parameters
    ----------
    figure
        Empty figure.
    calibration
        Columns method, flux, grouping and coverage_50, coverage_90 (0-1); optional backbone, fold, seed.
    exchange
        Whose fluxes are shown.
    """
    rows = one_run(calibration[calibration["grouping"].isin(list(GROUPINGS))])
    shares = {int(name.split("_")[1]): name for name in map(str, rows) if re.fullmatch(r"coverage_\d+", name)}
    axes = figure.subplots(1, len(exchange.fluxes), sharex=True, sharey=True, squeeze=False)[0]
    artists: list[Artist] = []
    for panel, flux in zip(axes, exchange.names, strict=True):
        panel.plot([0, 100], [0, 100], color=BLACK, linewidth=0.7)
        for method in ordered_methods(rows["method"]):
            for grouping, (marker, name) in GROUPINGS.items():
                chosen = (rows["method"] == method) & (rows["grouping"] == grouping) & (rows["flux"] == flux)
                part = rows.loc[chosen, list(shares.values())]
                if part.empty or part.isna().to_numpy().all():
                    continue
                artists += panel.plot(
                    list(shares),
                    100 * part.iloc[0],
                    marker=marker,
                    markersize=5,
                    color=method_colour(method),
                    markerfacecolor=method_colour(method) if marker == "o" else "white",
                    linestyle="-" if marker == "o" else "--",
                    label=f"{method_label(method)}, {name}",
                )
        panel.set_title(flux.upper())
        panel.set_xlabel("nominal share (%)")
        panel.set_xlim(0, 100)
        panel.set_ylim(0, 100)
        panel.set_aspect("equal")
        panel.grid(True)
    axes[0].set_ylabel("observations inside the interval (%)")
    handles, texts = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, texts, loc="outside upper center", ncols=2)
    return artists
