"""Maps of the product: mean annual fluxes and, where the truth is known, what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from dere.cell_files import month_slices
from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE as CO2
from dere.figures import maps
from dere.figures.observed import labelled
from dere.figures.style import DIVERGING, SEQUENTIAL, signed, unit_text
from dere.variables import convert

_DAYS = 365.25
"""Days of a year, where no year of the record is complete."""


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
    return (values * _weights(values)).sum("time", skipna=False)


def annual_map(values: xr.DataArray) -> xr.DataArray:
    """`annual_sum` of a map (time, lat, lon) that may be lazy: some months at a time, one after the other."""
    total = np.zeros(values.shape[1:])
    weights = _weights(values).values
    for rows in month_slices(len(weights), total.size):
        for month, weight in zip(values.isel(time=rows).values.astype("float64"), weights[rows], strict=True):
            total += month * weight
    return values.isel(time=0, drop=True).copy(data=total)


def _weights(values: xr.DataArray) -> xr.DataArray:
    """Days (time,) with which each month counts in the sum of a year."""
    months = pd.DatetimeIndex(values["time"].values)
    days = np.asarray(months.days_in_month, dtype="float64")
    _, index, count = np.unique(months.year, return_inverse=True, return_counts=True)
    complete = (count == 12)[index]
    length = days[complete].sum() / (count == 12).sum() if complete.any() else _DAYS
    weight = np.where(complete, days, 0.0) if complete.any() else days
    return xr.DataArray(length * weight / weight.sum(), dims="time")


def annual_unit(flux: Flux) -> str:
    """Unit of the sum of a year of a flux that is per day."""
    return flux.unit.replace(" d-1", " yr-1")


def tabulate(
    products: Mapping[str, xr.Dataset],
    truth: xr.Dataset | None = None,
    cover: xr.Dataset | None = None,
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Mean annual flux of each land cell, per land area (``annual_sum``).

    Parameters
    ----------
    products
        Flux to product dataset (public unit, per land area).
    truth
        ``cell_flux(cell, time, flux)`` per vegetated area (``exchange.area``) with ``lat``, ``lon`` (cell), and its own
        ``vegetated_fraction(cell)`` where it has one.
    cover
        Observed ``vegetated_fraction(cell, year)``, for a truth without one.
    exchange
        Whose fluxes, per day, are shown.

    Returns
    -------
    DataFrame
        Columns flux, lat, lon, product, truth (NaN where unknown), per year (for CO2 gC m-2 yr-1).
    """
    frames = []
    for flux in exchange.fluxes:
        total = annual_map(products[flux.name][flux.stem])
        annual = total.copy(data=convert(total.values, flux.public_unit, flux.unit))
        frame = annual.to_dataframe("product").reset_index().dropna(subset=["product"])
        frame["truth"] = np.nan
        if truth is not None:
            vegetated = truth if exchange.area in truth else cover
            assert vegetated is not None, "a truth per vegetated area needs a vegetated fraction"
            share = vegetated[exchange.area]
            share = share.mean("year") if "year" in share.dims else share
            cells = annual_sum(labelled(truth, "cell_flux", exchange).sel(flux=flux.name)) * share
            known = pd.DataFrame({"lat": cells["lat"].values, "lon": cells["lon"].values, "value": cells.values})
            found = frame[["lat", "lon"]].round(4).merge(known.round({"lat": 4, "lon": 4}), how="left")
            frame["truth"] = found["value"].to_numpy()
        frames.append(frame.assign(flux=flux.name))
    return pd.concat(frames, ignore_index=True)[["flux", "lat", "lon", "product", "truth"]]


def draw(figure: Figure, table: pd.DataFrame, degrees: float, exchange: Exchange = CO2) -> list[Artist]:
    """One column per flux; rows: product and, where known, product minus truth.

    Fluxes of one unit that go in one direction have one scale, and so have all errors of one unit.

    Parameters
    ----------
    figure
        Empty figure.
    table
        Result of ``tabulate``.
    degrees
        Cell size.
    exchange
        Whose fluxes are shown.
    """
    known = bool(table["truth"].notna().any())
    axes = figure.subplots(2 if known else 1, len(exchange.fluxes), squeeze=False)
    artists: list[Artist] = []
    error = (table["product"] - table["truth"]).abs()
    for column, flux in enumerate(exchange.fluxes):
        name, both_ways = flux.name.upper(), signed(flux)
        part = table[table["flux"] == flux.name]
        lat, lon, values = (part[name].to_numpy() for name in ("lat", "lon", "product"))
        alike = [one.name for one in exchange.fluxes if one.unit == flux.unit]
        same = [name for name in alike if not signed(exchange.flux(name))] if not both_ways else [flux.name]
        high = float(np.nanquantile(table.loc[table["flux"].isin(same), "product"].abs(), 0.99)) or 1.0
        norm = Normalize(-high, high) if both_ways else Normalize(0.0, high)
        colours = DIVERGING if both_ways else SEQUENTIAL
        maps.prepare(axes[0, column], f"{name} of the product")
        artists.append(maps.fill_cells(axes[0, column], lat, lon, values, degrees, colours, norm))
        _bar(figure, axes[0, column], artists[-1], "both" if both_ways else "max", annual_unit(flux))
        if known:
            width = float(np.nanquantile(error[table["flux"].isin(alike)], 0.97)) or 1.0
            difference = values - part["truth"].to_numpy()
            maps.prepare(axes[1, column], f"{name}: product minus truth")
            artists.append(
                maps.fill_cells(axes[1, column], lat, lon, difference, degrees, DIVERGING, Normalize(-width, width))
            )
            _bar(figure, axes[1, column], artists[-1], "both", annual_unit(flux))
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
