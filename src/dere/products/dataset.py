"""One CF dataset per flux, from per-cell fluxes on the land."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.products import ProductsConfig
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.products.attributes import Provenance, flux_attributes, global_attributes
from dere.products.grid import Grid

Frequency = Literal["mon", "yr"]
ABOUT_INDEX = (
    "share of the towers learned from that lie nearer to those of other clusters, by climate, soil and vegetation, "
    "than this cell lies to the towers; 0.5 is usual, 1 is farther than all"
)
TIME_UNITS = "days since 1850-01-01"
_DIMS = ("time", "lat", "lon")
_QUANTILES = (0.05, 0.5, 0.95)


def month_axis(times: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Mid-month stamps and bounds of a complete monthly axis.

    Returns
    -------
    tuple
        (time,) and (time, 2), float64 in days since 1850-01-01 of the standard calendar.

    Raises
    ------
    ValueError
        When a month is missing or repeated.
    """
    months = pd.DatetimeIndex(times.values).to_period("M")
    expected = pd.period_range(months[0], periods=len(months), freq="M")
    if not (months == expected).all():
        i = int((months != expected).argmax())
        raise ValueError(
            f"time holds {months[i]} where {expected[i]} is due; a product needs every month once and in order"
        )
    origin = pd.Timestamp("1850-01-01")
    start = np.asarray((expected.start_time - origin) / pd.Timedelta(days=1), dtype="float64")
    end = np.asarray(((expected + 1).start_time - origin) / pd.Timedelta(days=1), dtype="float64")
    return (start + end) / 2, np.stack([start, end], axis=1)


def year_axis(times: xr.DataArray) -> tuple[np.ndarray, np.ndarray]:
    """Mid-year stamps and bounds of calendar years, as `month_axis`."""
    years = pd.DatetimeIndex(times.values).to_period("Y")
    origin = pd.Timestamp("1850-01-01")
    start = np.asarray((years.start_time - origin) / pd.Timedelta(days=1), dtype="float64")
    end = np.asarray(((years + 1).start_time - origin) / pd.Timedelta(days=1), dtype="float64")
    return (start + end) / 2, np.stack([start, end], axis=1)


def product_dataset(
    flux: str,
    land: xr.Dataset,
    drivers: xr.Dataset,
    config: ProductsConfig,
    provenance: Provenance,
    exchange: Exchange = CO2,
    frequency: Frequency = "mon",
) -> xr.Dataset:
    """CF dataset of one flux with areas, land fraction and what the prediction has of uncertainty and closure.

    Parameters
    ----------
    flux
        One of the fluxes of the exchange.
    land
        Result of ``land_fluxes``: per land area, in the public unit.
    drivers
        Coordinates ``lat``, ``lon``, ``land_fraction`` (cell), optional ``cell_area`` (m2), attribute
        ``grid_degrees``.
    config, provenance
        Sources of the global attributes.
    exchange
        What is predicted.
    frequency
        ``mon`` or ``yr``: what ``land["time"]`` counts.

    Raises
    ------
    ValueError
        When the cells do not lie on the grid, the areas disagree, or months are missing.
    """
    grid = Grid(float(drivers.attrs["grid_degrees"]))
    where = drivers[["lat", "lon", "land_fraction", *(["cell_area"] if "cell_area" in drivers else [])]]
    where = where.sel(cell=land["cell"]).compute()
    lat, lon = where["lat"].values, where["lon"].values
    _check_area(grid, where)
    time, time_bounds = (month_axis if frequency == "mon" else year_axis)(land["time"])

    def field(values: xr.DataArray, attrs: dict[str, str]) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
        return _DIMS, grid.place(values.transpose("cell", "time").values, lat, lon), attrs

    variables: dict[str, tuple] = {}
    one = exchange.flux(flux)
    name, long_name, unit = one.stem, one.long_name, one.public_unit
    if "std" in land:
        attrs = {"long_name": f"standard deviation of {long_name}", "units": unit}
        variables[f"{name}_std"] = field(land["std"].sel(flux=flux), attrs)
    if "quantile_value" in land:
        for quantile in _QUANTILES:
            attrs = {"long_name": f"{100 * quantile:g} % quantile of {long_name}", "units": unit}
            values = land["quantile_value"].sel(flux=flux).sel(quantile=quantile, method="nearest", tolerance=1e-3)
            variables[f"{name}_q{round(100 * quantile):02d}"] = field(values, attrs)
    if "extrapolation_index" in land:
        attrs = {"long_name": "extrapolation index", "units": "1", "comment": ABOUT_INDEX}
        index = grid.place(land["extrapolation_index"].values.astype("float32"), lat, lon)
        variables["extrapolation_index"] = (_DIMS[1:], index, attrs)
    main = field(land["land_flux"].sel(flux=flux), flux_attributes(one, exchange, list(variables)))
    variables = {name: main, **variables}
    for place, identity in enumerate(exchange.identities):
        attrs = {
            "long_name": f"{identity.lower()} of the rounded values",
            "units": unit,
            "comment": "Zero up to rounding to float32.",
        }
        variables[_residual_name(exchange, place)] = field(land["closure"].isel(identity=place), attrs)
    share = np.nan_to_num(grid.place(100.0 * where["land_fraction"].values.astype("float64"), lat, lon))
    area_attrs = {"standard_name": "cell_area", "long_name": "area of the whole grid cell", "units": "m2"}
    share_attrs = {"standard_name": "land_area_fraction", "long_name": "land share of the cell area", "units": "%"}
    dataset = xr.Dataset(
        {
            **variables,
            "sftlf": (_DIMS[1:], share.astype("float32"), {**share_attrs, "cell_measures": "area: areacella"}),
            "areacella": (_DIMS[1:], grid.area.astype("float64"), area_attrs),
            "time_bnds": (("time", "bnds"), time_bounds),
            "lat_bnds": (("lat", "bnds"), grid.lat_bounds),
            "lon_bnds": (("lon", "bnds"), grid.lon_bounds),
        },
        coords={
            "time": ("time", time, _axis("time", "T", TIME_UNITS) | {"calendar": "standard"}),
            "lat": ("lat", grid.lat, _axis("latitude", "Y", "degrees_north", "lat")),
            "lon": ("lon", grid.lon, _axis("longitude", "X", "degrees_east", "lon")),
        },
        attrs=global_attributes(flux, config, provenance, land.attrs, grid.nominal_resolution, exchange, frequency),
    )
    return dataset


def _residual_name(exchange: Exchange, place: int) -> str:
    number = f"_{place + 1}" if len(exchange.identities) > 1 else ""
    return "_".join(filter(None, (exchange.substance, "closure_residual"))) + number


def _axis(standard_name: str, axis: str, units: str, name: str = "time") -> dict[str, str]:
    return {
        "standard_name": standard_name,
        "long_name": standard_name,
        "units": units,
        "axis": axis,
        "bounds": f"{name}_bnds",
    }


def _check_area(grid: Grid, where: xr.Dataset) -> None:
    if "cell_area" not in where:
        return
    rows, columns = grid.position(where["lat"].values, where["lon"].values)
    ratio = where["cell_area"].values / grid.area[rows, columns]
    worst = float(np.abs(ratio - 1).max())
    # 1 % covers spheroid against sphere; more means another unit, or a land area in the place of the cell area.
    if worst > 0.01:
        raise ValueError(
            f"cell_area of the drivers differs by up to {100 * worst:.1f} % from the area of a {grid.degrees:g} degree "
            "cell in m2; give the full cell area in m2 (the land fraction is applied separately)"
        )
