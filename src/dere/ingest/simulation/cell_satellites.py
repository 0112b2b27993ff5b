"""LAI and EVI of cells: ``satellites.nc`` beside a simulation in the CarbonGlobe layout."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dere.ingest.checks import check_unit
from dere.ingest.possible import require_possible
from dere.variables import SATELLITE, VARIABLES, RangeTally, convert

SATELLITE_FILE = "satellites.nc"


def parse_satellites(
    opened: xr.Dataset, block: slice, cells: int, months: int, tally: RangeTally
) -> dict[str, xr.Variable]:
    """Satellite channels of a block of cells, converted by their ``units`` attribute.

    Parameters
    ----------
    opened
        Channels with dims cell and time in any order, cells in the order of the mask; NaN = no view.
    block
        Cells wanted.
    cells, months
        Sizes of the run.
    tally
        Takes the values outside their ranges.

    Returns
    -------
    dict
        ``lai_satellite`` and ``evi_satellite`` (cell, time) float32.

    Raises
    ------
    ValueError
        A missing channel or unit, an unknown unit, wrong sizes, text, an implausible median, an impossible value.
    """
    found = {}
    for name in SATELLITE:
        if name not in opened:
            raise ValueError(
                f"{SATELLITE_FILE} has no variable {name}, but {' and '.join(SATELLITE)} are needed; add it, or remove "
                "the file for a simulation without satellites"
            )
        whole = opened[name]
        if dict(whole.sizes) != {"cell": cells, "time": months} or whole.dtype.kind not in "fiu":
            raise ValueError(
                f"{SATELLITE_FILE}: {name} holds {whole.dtype} of {dict(whole.sizes)}, but numbers of cell: {cells}, "
                f"time: {months} are needed; write one value per land cell and month"
            )
        if "units" not in whole.attrs:
            raise ValueError(
                f"{SATELLITE_FILE}: {name} has no units attribute, but e.g. '{VARIABLES[name].unit}' is needed; add it"
            )
        part = whole.isel(cell=block).transpose("cell", "time").to_numpy()
        what = f"{SATELLITE_FILE}: {name}"
        values = np.asarray(convert(part, str(whole.attrs["units"]), VARIABLES[name].unit, what), float)
        if np.isfinite(values).any():
            check_unit(name, values, SATELLITE_FILE, name)
        require_possible(name, values, SATELLITE_FILE, "write NaN where no satellite had a view, or correct the units")
        tally.add(name, values)
        found[name] = xr.Variable(("cell", "time"), values.astype(np.float32), VARIABLES[name].attrs)
    return found
