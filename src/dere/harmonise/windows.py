"""Windows of fixed length over tower records, their drivers, and stitching of overlapping predictions.

A network sees windows of W months. A record longer than W is cut into windows whose starts lie ``stride`` months
apart, the last one ending with the record. A shorter record is placed so that its window stays on the time axis
where that is long enough; months of the window outside the record use the site's own driver climatology and never
count in a loss. Starts fall on a January when W and stride are whole years.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.co2 import global_co2
from dere.harmonise.drivers import stack, stored_variables
from dere.ingest.months import mid_months
from dere.variables import SATELLITE


def record_span(record: NDArray) -> tuple[int, int]:
    """First month of the record and the one after its last, widened to whole calendar years of a January axis.

    Raises
    ------
    ValueError
        When the record is empty.
    """
    months = np.flatnonzero(record)
    if not len(months):
        raise ValueError("a site has an empty record, at least one month is needed; drop the site")
    return int(months[0]) // 12 * 12, -(-(int(months[-1]) + 1) // 12) * 12


def window_starts(begin: int, end: int, window: int, stride: int) -> list[int]:
    """Starts of the windows that cover months ``begin`` to ``end`` (exclusive) of a time axis."""
    if end - begin <= window:
        return [min(max(end - window, 0), begin)]
    starts = list(range(begin, end - window, stride))
    return [*starts, end - window]


def site_windows(record: NDArray, window: int, stride: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Windows of all sites.

    Parameters
    ----------
    record
        (site, time) bool on an axis that starts in January.
    window, stride
        Months.

    Returns
    -------
    window_site, window_start
        (window,) index of the site, and of the window's first month on the time axis; a window may reach past it.
    """
    pairs = [
        (site, start)
        for site, months in enumerate(record)
        for start in window_starts(*record_span(months), window, stride)
    ]
    table = np.array(pairs, np.int32).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def extend_records(towers: xr.Dataset, driver_set: str, months: int | None = None) -> xr.Dataset:
    """Fill drivers outside each site's record by its own climatology, and lengthen the axis to ``months``.

    CO2 follows the global trend instead of a climatology, shifted to the record's level. Satellite channels stay
    missing outside the record (``stack`` fills and masks them).

    Parameters
    ----------
    towers
        Canonical towers with ``record`` and the stored drivers of ``driver_set``.
    driver_set
        As in the configuration.
    months
        Length of the wanted axis; default is the present one.

    Returns
    -------
    Dataset
        Driver variables only, (site, time[, ...]), complete.
    """
    number = month_number(towers["time"].values)
    count = max(months or 0, len(number))
    time = mid_months(int(number[0]), count)
    month = (int(number[0]) + np.arange(count)) % 12
    inside = np.zeros((towers.sizes["site"], count), bool)
    inside[:, : len(number)] = towers["record"].transpose("site", "time").values
    extended = xr.Dataset(coords={"site": towers["site"], "time": time})
    names = [*stored_variables(driver_set), *(name for name in SATELLITE if name in towers)]
    for name in names:
        variable = towers[name]
        if "time" not in variable.dims:
            extended[name] = variable
            continue
        rest = [dim for dim in variable.dims if dim not in ("site", "time")]
        values = np.moveaxis(variable.transpose("site", "time", *rest).values.astype(np.float64), 1, -1)
        padded = np.full((*values.shape[:-1], count), np.nan)
        padded[..., : values.shape[-1]] = values
        mask = inside.reshape(inside.shape[0], *[1] * len(rest), count)
        padded = np.where(mask, padded, np.nan)
        if name == "co2":
            background = global_co2(time, towers["lat"].values)
            level = np.nanmean(padded - background, axis=-1, keepdims=True)
            fill = background + level
        elif name in SATELLITE:
            fill = np.full_like(padded, np.nan)
        else:
            fill = monthly_climatology(padded, month)[..., month]
        result = np.moveaxis(np.where(mask, padded, fill), -1, 1).astype(np.float32)
        extended[name] = (("site", "time", *rest), result, variable.attrs)
    return extended


def site_drivers(
    towers: xr.Dataset, satellites: bool, months: int | None = None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Stacked drivers of all sites on the (lengthened) common axis, (site, time, channel), and channel names."""
    driver_set = str(towers.attrs["driver_set"])
    return stack(extend_records(towers, driver_set, months), driver_set, satellites)


def site_window_drivers(towers: xr.Dataset, satellites: bool) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Drivers of every window.

    Parameters
    ----------
    towers
        Canonical towers; attributes ``driver_set`` and ``window``.
    satellites
        Add satellite channels and masks.

    Returns
    -------
    array, names
        (window, W, channel) float32 in stored units without NaN, and the channel names.
    """
    index = window_index(towers)
    series, names = site_drivers(towers, satellites, int(index.max()) + 1)
    return series[towers["window_site"].values[:, None], index], names


def window_index(towers: xr.Dataset) -> NDArray[np.int64]:
    """Index into the time axis of every month of every window, (window, W); may reach past the axis."""
    starts = towers["window_start"].values.astype(np.int64)
    return starts[:, None] + np.arange(int(towers.attrs["window"]))


def gather(values: NDArray, window_site: NDArray, index: NDArray, fill: float | bool = np.nan) -> NDArray:
    """Take window months out of an array over (site, time, ...); months past the axis become ``fill``."""
    inside = index < values.shape[1]
    taken = values[np.asarray(window_site)[:, None], np.minimum(index, values.shape[1] - 1)]
    shape = inside.shape + (1,) * (taken.ndim - 2)
    return np.where(inside.reshape(shape), taken, fill).astype(values.dtype)


def stitch(values: NDArray, window_site: NDArray, index: NDArray, sites: int, months: int) -> NDArray:
    """Join windows to series: mean where windows overlap, NaN where none reaches.

    Parameters
    ----------
    values
        (window, W, ...) predictions.
    window_site
        (window,) index of the site.
    index
        (window, W) index into the time axis; months past ``months`` are dropped.
    sites, months
        Size of the result.

    Returns
    -------
    array
        (site, time, ...) of the dtype of ``values``.
    """
    total = np.zeros((sites, months, *values.shape[2:]), np.float64)
    count = np.zeros((sites, months))
    inside = index < months
    where = (np.broadcast_to(np.asarray(window_site)[:, None], index.shape)[inside], index[inside])
    np.add.at(total, where, values[inside])
    np.add.at(count, where, 1.0)
    weight = count.reshape(*count.shape, *[1] * (values.ndim - 2))
    result = np.full_like(total, np.nan)
    np.divide(total, weight, out=result, where=np.broadcast_to(weight > 0, total.shape))
    return result.astype(values.dtype)
