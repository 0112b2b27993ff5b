"""Windows of fixed length over tower records, and stitching of overlapping predictions.

A network sees windows of W months. A record longer than W is cut into windows whose starts lie ``stride`` months
apart, the last one ending with the record. A shorter record is placed so that its window stays on the time axis, which
is at least W long; months of the window outside the record have filled drivers (``beyond_record``) and never count in
a loss. Starts fall on a January when W and stride are whole years.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray


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
        (window,) index of the site, and of the window's first month on the time axis; on an axis shorter than
        ``window`` it reaches past the end, and ``final`` lengthens the axis.
    """
    pairs = [
        (site, start)
        for site, months in enumerate(record)
        for start in window_starts(*record_span(months), window, stride)
    ]
    table = np.array(pairs, np.int32).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def simulated_spans(towers: xr.Dataset, months: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First month on the axis and number of months of what the process model simulates of each site.

    Parameters
    ----------
    towers
        With ``window_site`` and ``window_start`` (window) and attribute ``window``.
    months
        Least number.

    Returns
    -------
    begin, length
        (site,), whole years.
    """
    starts, of_window = towers["window_start"].values.astype(int), towers["window_site"].values.astype(int)
    sites = range(towers.sizes["site"])
    begin = np.array([starts[of_window == site].min() // 12 * 12 for site in sites])
    last = np.array([starts[of_window == site].max() for site in sites]) + int(towers.attrs["window"])
    return begin, -(-np.maximum(last - begin, months) // 12) * 12


def stitch(values: NDArray, window_site: NDArray, index: NDArray, sites: int, months: int) -> NDArray:
    """Join windows to series: mean where windows overlap, NaN where none reaches.

    Parameters
    ----------
    values
        (window, W, ...) predictions.
    window_site
        (window,) index of the site.
    index
        (window, W) index into the time axis.
    sites, months
        Size of the result.

    Returns
    -------
    array
        (site, time, ...) of the dtype of ``values``.
    """
    total = np.zeros((sites, months, *values.shape[2:]), np.float64)
    count = np.zeros((sites, months))
    where = (np.broadcast_to(np.asarray(window_site)[:, None], index.shape), index)
    np.add.at(total, where, values)
    np.add.at(count, where, 1.0)
    weight = count.reshape(*count.shape, *[1] * (values.ndim - 2))
    result = np.full_like(total, np.nan)
    np.divide(total, weight, out=result, where=np.broadcast_to(weight > 0, total.shape))
    return result.astype(values.dtype)
