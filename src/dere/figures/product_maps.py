"""Maps of the product: mean annual fluxes and, where the truth is known, what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dere.figures import maps
from dere.figures.observed import labelled
from dere.figures.style import DIVERGING, SEQUENTIAL, SEQUENTIAL_OTHER, unit_text
from dere.variables import FLUX_UNIT, FLUXES, convert

ANNUAL_UNIT = "gC m-2 yr-1"
_DAYS = 365.25
"""Days of a year, where no year of the record is complete."""
_COLOURS = {"gpp": SEQUENTIAL, "reco": SEQUENTIAL_OTHER, "nee": DIVERGING}


def annual_sum(values: xr.DataArray) -> xr.DataArray:
    """Mean over complete years of the sum of each year, as ``tables/totals.csv`` adds them up.

    Parameters
    ----------
    values
        (time, ...) monthly means per day. A month counts with its days; years with fewer than twelve months are left
        out. Without any complete year all months make one of 365.25 days.

    Returns
    -------
    DataArray
        (...) per year; NaN where a month is missing.
    """
    months = pd.DatetimeIndex(values["time"].values)
    days = np.asarray(months.days_in_month, dtype="float64")
    _, index, count = np.unique(months.year, return_inverse=True, return_counts=True)
    complete = (count == 12)[index]
    length = days[complete].sum() / (count == 12).sum() if complete.any() else _DAYS
    weight = np.where(complete, days, 0.0) if complete.any() else days
    return (values * xr.DataArray(length * weight / weight.sum(), dims="time")).sum("time", skipna=False)


def tabulate(
    products: Mapping[str, xr.Dataset], truth: xr.Dataset | None = None, cover: xr.Dataset | None = None
) -> pd.DataFrame:
    """Mean annual flux of each land cell, per land area (``annual_sum``).

    Parameters
    ----------
    products
        Flux to product dataset (kg m-2 s-1 per land area).
    truth
        ``cell_flux(cell, time, flux)`` in gC m-2 d-1 per vegetated area with ``lat``, ``lon`` (cell), and its own
        ``vegetated_fraction(cell)`` where it has one.
    cover
        Observed ``vegetated_fraction(cell, year)``, for a truth without one.

    Returns
    -------
    DataFrame
        Columns flux, lat, lon, product, truth (NaN where unknown); gC m-2 yr-1.
    """
    frames = []
    for flux in FLUXES:
        total = annual_sum(products[flux][flux].astype("float64"))
        annual = total.copy(data=convert(total.values, "kg m-2 s-1", FLUX_UNIT))
        frame = annual.to_dataframe("product").reset_index().dropna(subset=["product"])
        frame["truth"] = np.nan
        if truth is not None:
            vegetated = truth if "vegetated_fraction" in truth else cover
            assert vegetated is not None, "a truth per vegetated area needs a vegetated fraction"
            share = vegetated["vegetated_fraction"]
            share = share.mean("year") if "year" in share.dims else share
            cells = annual_sum(labelled(truth, "cell_flux").sel(flux=flux)) * share
            known = pd.DataFrame({"lat": cells["lat"].values, "lon": cells["lon"].values, "value": cells.values})
            found = frame[["lat", "lon"]].round(4).merge(known.round({"lat": 4, "lon": 4}), how="left")
            frame["truth"] = found["value"].to_numpy()
        frames.append(frame.assign(flux=flux))
    return pd.concat(frames, ignore_index=True)[["flux", "lat", "lon", "product", "truth"]]


def draw(figure: Figure, table: pd.DataFrame, degrees: float) -> list[Artist]:
    """One column per flux; rows: product and, where known, product minus truth.

    Parameters
    ----------
    figure
        Empty figure.
    table
        Result of ``tabulate``.
    degrees
        Cell size.
    """
    known = bool(table["truth"].notna().any())
    axes = figure.subplots(2 if known else 1, len(FLUXES), squeeze=False)
    artists: list[Artist] = []
    for column, flux in enumerate(FLUXES):
        part = table[table["flux"] == flux]
        lat, lon, values = (part[name].to_numpy() for name in ("lat", "lon", "product"))
        high = float(np.nanquantile(np.abs(values), 0.99)) or 1.0
        norm = Normalize(-high, high) if flux == "nee" else Normalize(0.0, high)
        maps.prepare(axes[0, column], f"{flux.upper()} of the product")
        artists.append(maps.fill_cells(axes[0, column], lat, lon, values, degrees, _COLOURS[flux], norm))
        _bar(figure, axes[0, column], artists[-1], "both" if flux == "nee" else "max", ANNUAL_UNIT)
        if known:
            error = values - part["truth"].to_numpy()
            width = float(np.nanquantile(np.abs(error), 0.97)) or 1.0
            maps.prepare(axes[1, column], f"{flux.upper()}: product minus truth")
            artists.append(
                maps.fill_cells(axes[1, column], lat, lon, error, degrees, DIVERGING, Normalize(-width, width))
            )
            _bar(figure, axes[1, column], artists[-1], "both", ANNUAL_UNIT)
    return artists


def _bar(figure: Figure, axes: object, cells: Artist, extend: str, unit: str) -> None:
    bar = figure.colorbar(
        cells,  # type: ignore[arg-type]
        ax=axes,  # type: ignore[arg-type]
        orientation="horizontal",
        extend=extend,
        shrink=0.8,
        aspect=30,
        pad=0.02,
    )
    bar.set_label(f"mean annual flux per land area ({unit_text(unit)})", fontsize=8)
    bar.ax.tick_params(labelsize=7.5)
