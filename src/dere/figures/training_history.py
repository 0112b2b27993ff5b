"""How the loss of each training went down, and which epoch was kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from dere.figures.style import BLACK, BLUE, GREY, VERMILLION

KEPT, ONCE = "kept", "kept, validated after the last epoch alone"


def parts(path: PurePath, table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Trainings of one history file by name.

    Parameters
    ----------
    path
        ``.../<stage>/history.csv``, or ``.../imputation/fold<k>/seed<s>/history.csv``.
    table
        Its content; a column ``part`` tells several trainings apart.
    """
    folders = [part.name for part in path.parents]
    stage = next((name for name in folders if not re.fullmatch(r"(fold|seed)\d+", name)), "training")
    if "part" not in table:
        return {stage: table}
    return {f"{stage}, {part}": rows for part, rows in table.groupby("part", sort=False)}


def draw(figure: Figure, history: Mapping[str, pd.DataFrame], columns: int = 4) -> list[Artist]:
    """One panel per stage with training and validation loss.

    A stage whose members are validated after their last epoch alone has a diamond there; one of which epoch 0 is kept
    gained nothing, and its title says so.

    Parameters
    ----------
    figure
        Empty figure.
    history
        Stage to a table with columns epoch, training_loss, validation_loss, empty where nothing was validated; epoch 0
        is before the first step.
    columns
        Panels per row.
    """
    names = list(history)
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    artists: list[Artist] = []
    for panel, name in zip(axes, names, strict=False):
        table = history[name].sort_values("epoch")
        artists += panel.plot(table["epoch"], table["training_loss"], color=GREY, label="training")
        artists += panel.plot(table["epoch"], table["validation_loss"], color=BLUE, label="validation")
        best = table.iloc[int(np.nanargmin(table["validation_loss"]))]
        # members of an ensemble are judged after the last epoch alone
        once = table["validation_loss"].notna().sum() == 1
        label, marker = (ONCE, "D") if once else (KEPT, "o")
        artists += panel.plot(
            best["epoch"], best["validation_loss"], marker, color=VERMILLION, markersize=5, label=label, clip_on=False
        )
        gained = once or best["epoch"] > 0
        title = name.replace("_", " ") + ("" if gained else ": epoch 0 kept, no gain")
        panel.set_title(title, fontsize=8.5, color=BLACK if gained else VERMILLION)
        # A likelihood may be negative; everything else spans decades.
        if (table[["training_loss", "validation_loss"]].min() > 0).all():
            panel.set_yscale("log")
            # within a decade or less, powers of ten alone would label nothing
            panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 3.0, 5.0)))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.yaxis.set_minor_formatter(NullFormatter())
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.tick_params(labelsize=7.5, which="both")
        panel.grid(True)
    for panel in axes[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("epoch (a fixed number of random draws)", fontsize=9)
    figure.supylabel("loss of the stage (scaled units; stages are not comparable)", fontsize=9)
    entries = {text: handle for panel in axes for handle, text in zip(*panel.get_legend_handles_labels(), strict=True)}
    figure.legend(list(entries.values()), list(entries), loc="outside upper center", ncols=len(entries))
    return artists
