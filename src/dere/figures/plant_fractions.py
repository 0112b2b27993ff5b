"""Plant-type fractions that the network learned, against the observed maps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from dere.figures import maps
from dere.figures.style import BLACK, DIVERGING, SEQUENTIAL_OTHER
from dere.variables import PLANT_TYPES

NAMES = {"BL": "broadleaf trees", "NL": "needleleaf trees", "GS": "grass and shrubs"}
_ROLES = {"test": "cells no stage trained on", "all": "all cells"}


def tabulate(learned: xr.Dataset, cover: xr.Dataset, roles: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per cell and plant type, means over the years.

    Parameters
    ----------
    learned
        ``plant_fraction(cell[, year], plant_type)`` of the network.
    cover
        Observed ``plant_fraction(cell, year, plant_type)`` and ``vegetated_fraction(cell, year)``.
    roles
        Columns id, kind, role; without it every cell counts as ``all``.

    Returns
    -------
    DataFrame
        Columns cell, plant_type, observed, learned, role; cells without vegetation are left out.
    """
    guess = learned["plant_fraction"]
    guess = guess.mean("year") if "year" in guess.dims else guess
    vegetated = cover["vegetated_fraction"].mean("year")
    cells = np.intersect1d(guess["cell"].values, vegetated["cell"].values[vegetated.values > 0])
    seen = cover["plant_fraction"].sel(cell=cells).mean("year")
    data = xr.Dataset({"observed": seen, "learned": guess.sel(cell=cells)}).sel(plant_type=list(PLANT_TYPES))
    frame = data.to_dataframe(dim_order=("cell", "plant_type")).reset_index()
    frame["role"] = "all"
    if roles is not None:
        by_cell = roles[roles["kind"] == "cell"].set_index("id")["role"]
        frame["role"] = frame["cell"].astype(str).map(by_cell)
    return frame[["cell", "plant_type", "observed", "learned", "role"]].dropna()


def draw(figure: Figure, table: pd.DataFrame, drivers: xr.Dataset | None = None) -> list[Artist]:
    """Upper row: learned against observed; lower row: map of the difference.

    Parameters
    ----------
    figure
        Empty figure.
    table
        Result of ``tabulate``; test cells alone fill the upper row where roles are known.
    drivers
        ``lat``, ``lon`` (cell) and attribute ``grid_degrees``; None = no map.
    """
    rows = 1 if drivers is None else 2
    axes = figure.subplots(rows, len(PLANT_TYPES), squeeze=False, height_ratios=(2.2, 1.0)[:rows])
    role = "test" if (table["role"] == "test").any() else "all"
    shown = table[table["role"] == role]
    artists: list[Artist] = []
    bins = np.linspace(0.0, 1.0, 26)
    densest = max(np.histogram2d(g["observed"], g["learned"], bins)[0].max() for _, g in shown.groupby("plant_type"))
    counts = LogNorm(1, max(2.0, densest))
    for column, name in enumerate(PLANT_TYPES):
        panel = axes[0, column]
        part = shown[shown["plant_type"] == name]
        *_, image = panel.hist2d(
            part["observed"], part["learned"], bins=[bins, bins], cmap=SEQUENTIAL_OTHER, norm=counts, cmin=1
        )
        panel.plot([0, 1], [0, 1], color=BLACK, linewidth=0.7)
        panel.set_aspect("equal")
        panel.set_title(NAMES[name])
        panel.set_xlabel("observed fraction")
        artists.append(image)
    axes[0, 0].set_ylabel(f"learned fraction\n({_ROLES[role]})")
    figure.colorbar(artists[-1], ax=list(axes[0]), label="cells per bin", shrink=0.85, aspect=15)  # type: ignore[arg-type]
    if drivers is None:
        return artists
    wide = table.assign(difference=table["learned"] - table["observed"]).pivot(
        index="cell", columns="plant_type", values="difference"
    )
    where = drivers[["lat", "lon"]].sel(cell=wide.index.to_numpy())
    for column, name in enumerate(PLANT_TYPES):
        maps.prepare(axes[1, column])
        artists.append(
            maps.fill_cells(
                axes[1, column],
                where["lat"].values,
                where["lon"].values,
                wide[name].to_numpy(),
                float(drivers.attrs["grid_degrees"]),
                DIVERGING,
                Normalize(-0.5, 0.5),
            )
        )
    figure.colorbar(
        artists[-1],  # type: ignore[arg-type]
        ax=list(axes[1]),
        label="learned minus\nobserved",
        extend="both",
        shrink=0.85,
        aspect=15,
    )
    return artists
