"""How the loss of each training went down, and which epoch was kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from dere.figures.style import BLUE, GREY, VERMILLION


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
        # members of an ensemble are judged after the last epoch alone
        best = table.iloc[int(np.nanargmin(table["validation_loss"]))]
        artists += panel.plot(
            best["epoch"], best["validation_loss"], "o", color=VERMILLION, markersize=5, label="kept", clip_on=False
        )
        panel.set_title(name.replace("_", " "), fontsize=8.5)
        # A likelihood may be negative; everything else spans decades.
        if (table[["training_loss", "validation_loss"]].min() > 0).all():
            panel.set_yscale("log")
        panel.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        panel.tick_params(labelsize=7.5, which="both")
        panel.grid(True)
    for panel in axes[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("epoch (a fixed number of random draws)", fontsize=9)
    figure.supylabel("loss (scaled units)", fontsize=9)
    handles, texts = axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=3)
    return artists
