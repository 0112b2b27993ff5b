"""Satellite channels without gaps, each beside a mask that says which months a satellite saw."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import block_slices, lazy_variables
from dere.harmonise.axis import month_number, monthly_climatology
from dere.variables import SATELLITE, VARIABLES

FALLBACK = {"lai_satellite": 1.5, "evi_satellite": 0.25}
"""Values for members without any satellite month (global land means); their mask is 0 throughout."""
_MASK = {"units": "1", "long_name": "1 = seen by the satellite, 0 = filled"}


def with_masks(dataset: xr.Dataset, member: str) -> xr.Dataset:
    """Fill the satellite channels, and add a mask for each.

    A missing month takes the member's own climatology; a member that no satellite saw, or a dataset without the
    channel, takes a constant.

    Parameters
    ----------
    dataset
        Satellite channels (member, time), NaN where missing; in memory or, over ``cell``, as dask arrays.
    member
        Its dimension of members, ``cell`` or ``site``.

    Returns
    -------
    Dataset
        With ``lai_satellite`` and ``evi_satellite`` (member, time) float32, complete, and for each ``<name>_mask``, 1
        where the value is the satellite's and 0 where it is filled.
    """
    blocks = block_slices(dataset, member)
    attrs = {name: dataset[name].attrs if name in dataset else VARIABLES[name].attrs for name in SATELLITE}
    attrs |= {f"{name}_mask": _MASK for name in SATELLITE}
    if not dataset.chunks:
        values = _filled(dataset, member, dataset.sizes[member])
        return dataset.assign({name: ((member, "time"), values[name], attrs[name]) for name in values})
    templates = {
        name: xr.Variable((member, "time"), np.empty((0, dataset.sizes["time"]), _dtype(name)), attrs[name])
        for name in attrs
    }
    size = max(block.stop - block.start for block in blocks)
    # time stays where no channel is there to bring it
    known = dataset[[*(name for name in SATELLITE if name in dataset), "time"]]

    def read(block: slice) -> dict[str, NDArray]:
        part = known.isel({member: block}, missing_dims="ignore").compute()
        return _filled(part, member, block.stop - block.start)

    return dataset.assign(lazy_variables(read, templates, dataset.sizes[member], size))


def _filled(dataset: xr.Dataset, member: str, members: int) -> dict[str, NDArray]:
    """Values and masks of all satellite channels, (member, time)."""
    shape = (members, dataset.sizes["time"])
    month = month_number(dataset["time"].values) % 12
    result: dict[str, NDArray] = {}
    for name in SATELLITE:
        seen = np.full(shape, np.nan)
        if name in dataset:
            seen = dataset[name].transpose(member, "time").values.astype(float)
        present = np.isfinite(seen)
        climatology = np.nan_to_num(monthly_climatology(seen, month), nan=FALLBACK[name])
        result[name] = np.where(present, seen, climatology[:, month]).astype(_dtype(name))
        result[f"{name}_mask"] = present.astype(_dtype(f"{name}_mask"))
    return result


def _dtype(name: str) -> type[np.generic]:
    return np.int8 if name.endswith("_mask") else np.float32
