"""The axes of ``monthly8.nc``: its cells are put into the order of the mask, its months are compared with meta.json."""

from __future__ import annotations

import logging

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.ingest.alignment import order_of
from dere.ingest.simulation.process_model_time import bounds_of, month_text, steps_of

log = logging.getLogger(__name__)

_OFF_CENTRE = 0.05


def on_axes(
    monthly: xr.Dataset, cells: dict[str, xr.Variable], degrees: float, months: NDArray[np.int64], source: str
) -> xr.Dataset:
    """The file with its cells in the order of the run; what it says of cells and months is compared.

    Parameters
    ----------
    monthly
        Opened without decoding times, dims cell and time; axes without coordinates are taken as they are.
    cells
        ``cell``, ``lat``, ``lon`` of the mask.
    degrees
        Cell size.
    months
        (time,) month numbers of the run.
    source
        File for messages.

    Raises
    ------
    ValueError
        When cells or months are others than those of the run, repeated, out of order in time, or contradict each other.
    """
    _check_months(monthly, months, source)
    order = _order_of_cells(monthly, cells, degrees, source)
    if order is None or (order == np.arange(len(order))).all():
        return monthly
    log.info("%s: its cells stand in another order than those of mask2d.npy and are put into theirs", source)
    return monthly.isel(cell=order)


def _check_months(monthly: xr.Dataset, months: NDArray[np.int64], source: str) -> None:
    """Compare the time axis with the months of the run."""
    if "time" not in monthly.variables or monthly["time"].dims != ("time",):
        return
    steps = steps_of(monthly["time"].values, monthly["time"].attrs, bounds_of(monthly, "time", source), source)
    if not steps.annual and any(
        np.array_equal(read.numbers, months)
        for read in ([steps.starting(), steps.ending()] if steps.undecided else [steps])
    ):
        return
    raise ValueError(
        f"{source}: time has {len(steps.numbers)} steps, {steps.text()}, but start_year in meta.json and the years of "
        f"glob_X_fea.npy give {len(months)} months, {month_text(int(months[0]))} to {month_text(int(months[-1]))}; "
        "correct start_year, or export both again"
    )


def _order_of_cells(
    monthly: xr.Dataset, cells: dict[str, xr.Variable], degrees: float, source: str
) -> NDArray[np.int64] | None:
    """Position in the file of each cell of the mask; None where the file says nothing of its cells."""
    wanted = cells["cell"].to_numpy()
    number, lat, lon = (
        _along_cells(monthly, words) for words in (("cell",), ("lat", "latitude"), ("lon", "longitude"))
    )
    number = None if number is None else _named(number, wanted)
    remedy = "export it for the cells of mask2d.npy, rows from the north and columns from 180 W"
    order = None
    if lat is not None and lon is not None:
        order = order_of(_numbers(lat, lon, degrees, source), wanted, source, "lat and lon (as cells)", remedy)
    elif number is not None:
        order = order_of(number, wanted, source, "cell", remedy)
    for name, values in (("cell", number), ("lat", lat), ("lon", lon)):
        if values is None or _close(values if order is None else values[order], cells[name].to_numpy(), name):
            continue
        raise ValueError(
            f"{source}: {name} says other cells than {'mask2d.npy' if order is None else 'the other coordinates'}, but "
            f"they must agree; {remedy}"
        )
    return order


def _along_cells(monthly: xr.Dataset, names: tuple[str, ...]) -> NDArray | None:
    """Values of the first of some variables that lies along the cells alone."""
    for name in names:
        if name in monthly.variables and monthly[name].dims == ("cell",) and monthly[name].dtype.kind in "fiu":
            return monthly[name].to_numpy()
    return None


def _numbers(lat: NDArray, lon: NDArray, degrees: float, source: str) -> NDArray[np.int64]:
    """Row-major number of the cells whose centres these are."""
    row, column = (90.0 - lat) / degrees - 0.5, ((lon + 180.0) % 360.0) / degrees - 0.5
    off = ~((np.abs(row - np.rint(row)) < _OFF_CENTRE) & (np.abs(column - np.rint(column)) < _OFF_CENTRE))
    off |= ~(np.abs(lat) <= 90)
    if off.any():
        at = int(off.argmax())
        raise ValueError(
            f"{source}: {int(off.sum())} cells (first at latitude {lat[at]:g}, longitude {lon[at]:g}) are no centres "
            f"of a grid of {degrees:g} degrees; correct them (they may be exchanged) or grid_degrees in meta.json"
        )
    return (np.rint(row) * round(360 / degrees) + np.rint(column)).astype(np.int64)


def _close(found: NDArray, wanted: NDArray, name: str) -> bool:
    """Whether coordinates are the same, longitudes from any meridian."""
    if found.shape != wanted.shape:
        return False
    off = found - wanted
    return bool((np.abs((off + 180) % 360 - 180 if name == "lon" else off) < 1e-3).all())


def _named(number: NDArray, wanted: NDArray) -> NDArray | None:
    """Numbers of the cells where the file has these or counts them; a plain counter in order says nothing."""
    counter = np.arange(len(wanted))
    if np.array_equal(number, counter):
        return None
    return wanted[number.astype(int)] if np.array_equal(np.sort(number), counter) else number
