"""NetCDF files as they are stored, without anything that xarray would decode or add."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import xarray as xr

HUGE, CLASSIC = "_huge", "_classic"
"""Marks for `save`: the variable to claim but not to store, and the format of before HDF5."""


def load(path: Path) -> xr.Dataset:
    """The file as stored: fill values as numbers, times as numbers."""
    dataset = xr.load_dataset(path, mask_and_scale=False, decode_times=False)
    for variable in dataset.variables.values():
        variable.encoding = {}
    return dataset


def save(dataset: xr.Dataset, path: Path) -> None:
    """Write a file as it is, without attributes that nobody asked for."""
    huge, classic = dataset.attrs.get(HUGE, ""), CLASSIC in dataset.attrs
    dataset = dataset.drop_attrs(deep=False).assign_attrs(title="synthetic")
    plain = {name: {"_FillValue": None} for name, found in dataset.variables.items() if "_FillValue" not in found.attrs}
    if huge:
        plain.pop(huge, None)
        dims, attrs = dataset[huge].dims, dataset[huge].attrs
        dataset.drop_vars(huge).to_netcdf(path, encoding=plain)
        with netCDF4.Dataset(path, "a") as opened:
            names = [
                opened.createDimension(f"{dim}_huge", 10_000_000 if number < 2 else 4).name
                for number, dim in enumerate(dims)
            ]
            claimed = opened.createVariable(huge, "f4", names, zlib=True, chunksizes=[min(1000, 4)] * len(names))
            claimed.setncatts({key: value for key, value in attrs.items() if key != "_FillValue"})
        return
    dataset.to_netcdf(path, encoding=plain, format="NETCDF3_64BIT" if classic else None)
