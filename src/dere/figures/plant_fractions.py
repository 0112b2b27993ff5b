"""Plant-type fractions that the network predicts, against the observed maps and against persistence.

The network starts from the observed fractions of the year before its window, so that it is near the maps whatever it
learned. What it must beat is the first year kept unchanged.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dere.figures import maps
from dere.figures.style import BLACK, DIVERGING, SEQUENTIAL_OTHER
from dere.variables import PLANT_TYPES

NAMES = {"BL": "broadleaf trees", "NL": "needleleaf trees", "GS": "grass and shrubs"}
_BEHIND_TEXT = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.5}
_ROLES = {"test": "cells no stage trained on", "all": "all cells"}


def tabulate(learned: xr.Dataset, cover: xr.Dataset, roles: pd.DataFrame | None = None) -> pd.DataFrame:
    """One row per cell and plant type.

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
        Columns cell, plant_type, observed and learned (means over the years after the first, which the network is
        given), persistence (observed fraction of the first year), role; cells without vegetation are left out.
    """
    guess = learned["plant_fraction"]
    guess = guess.mean("year") if "year" in guess.dims else guess
    vegetated = cover["vegetated_fraction"].mean("year")
    cells = np.intersect1d(guess["cell"].values, vegetated["cell"].values[vegetated.values > 0])
    seen = cover["plant_fraction"].sel(cell=cells)
    data = xr.Dataset(
        {
            "observed": seen.isel(year=slice(min(1, seen.sizes["year"] - 1), None)).mean("year"),
            "learned": guess.sel(cell=cells),
            "persistence": seen.isel(year=0, drop=True),
        }
    )
    frame = data.sel(plant_type=list(PLANT_TYPES)).to_dataframe(dim_order=("cell", "plant_type")).reset_index()
    frame["role"] = "all"
    if roles is not None:
        by_cell = roles[roles["kind"] == "cell"].set_index("id")["role"]
        frame["role"] = frame["cell"].astype(str).map(by_cell)
    return frame[["cell", "plant_type", "observed", "learned", "persistence", "role"]].dropna()


def rmse(table: pd.DataFrame) -> dict[str, float]:
    """Root mean square errors of the network and of persistence over the rows of ``tabulate``."""
    columns = {"network": "learned", "persistence": "persistence"}
    return {name: float(np.sqrt(np.mean((table[column] - table["observed"]) ** 2))) for name, column in columns.items()}


def symmetric_limit(difference: NDArray) -> float:
    """End of a colour scale around 0: the 99th percentile of the sizes, rounded up to one digit, at least 0.001.

    Examples
    --------
    >>> symmetric_limit(np.array([-0.0132, 0.001])), symmetric_limit(np.zeros(3))
    (0.02, 0.001)
    """
    # below a thousandth the colours would show rounding; also the answer where nothing differs
    largest = max(float(np.nanpercentile(np.abs(difference), 99)), 1e-3)
    digits = -int(np.floor(np.log10(largest)))
    # a sum in binary may lie a last bit above the number that it is
    return round(float(np.ceil(largest * 10.0**digits - 1e-9)) / 10.0**digits, digits)


def draw(figure: Figure, table: pd.DataFrame, drivers: xr.Dataset | None = None) -> list[Artist]:
    """Upper row: learned against observed, with the errors of network and first year; lower row: map of the difference.

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
        errors = "\n".join(f"{who} {_short(error)}" for who, error in rmse(part).items())
        # above the diagonal; translucent, because cells may lie behind it where the network is far off
        panel.text(0.03, 0.97, f"RMSE\n{errors}", transform=panel.transAxes, va="top", fontsize=8, bbox=_BEHIND_TEXT)
        artists.append(image)
    axes[0, 0].set_ylabel(f"learned fraction\n({_ROLES[role]})")
    figure.colorbar(artists[-1], ax=list(axes[0]), label="cells per bin", shrink=0.85, aspect=15)  # type: ignore[arg-type]
    if drivers is None:
        return artists
    wide = table.assign(difference=table["learned"] - table["observed"]).pivot(
        index="cell", columns="plant_type", values="difference"
    )
    limit = symmetric_limit(wide.to_numpy())
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
                Normalize(-limit, limit),
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


def _short(error: float) -> str:
    """Two digits without an exponent, so that small errors, which are the rule, stay comparable and short."""
    # maps that do not change leave persistence an error of rounding
    return "< 0.0001" if error < 1e-4 else f"{error:.2g}"
