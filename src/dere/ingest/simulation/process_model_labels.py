"""Axes of process-model NetCDF besides time and place: names of plant types, and the versions of ERA5."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import xarray as xr

log = logging.getLogger(__name__)

_VERSIONS = "expver"
"""Axis or mark of ERA5 files that hold final (1) and preliminary (5) data."""


def one_version(dataset: xr.Dataset, array: xr.DataArray, what: str) -> xr.DataArray:
    """A variable without an axis of ERA5 versions; months that a coordinate marks as preliminary are logged.

    Raises
    ------
    ValueError
        When there are several versions, each of which has other months.
    """
    if _VERSIONS not in array.dims:
        marks: list[object] = dataset[_VERSIONS].values.ravel().tolist() if _VERSIONS in dataset.variables else []
        if any(_text(mark).endswith("5") for mark in marks):
            log.warning("%s holds preliminary months of ERA5T (expver 5), which may still change", what)
        return array
    if array.sizes[_VERSIONS] > 1:
        raise ValueError(
            f"{what} has {array.sizes[_VERSIONS]} versions along {_VERSIONS} (final ERA5 is 1, preliminary ERA5T 5), "
            "each with its own months, but one series is expected; join them, in xarray d.sel(expver=1)"
            ".combine_first(d.sel(expver=5)), or download the file again once the months are final"
        )
    return array.isel({_VERSIONS: 0}, drop=True)


def labels_of(dataset: xr.Dataset, dim: str, names: Sequence[str], what: str) -> tuple[str, ...]:
    """Names along a plant-type axis: given ones, text labels, or the attribute ``flag_meanings``.

    Raises
    ------
    ValueError
        When there are none, not as many as the axis is long, or names that contradict the labels or numbers.
    """
    size = dataset.sizes[dim]
    found: list[str] = []
    if dim in dataset.variables:
        coordinate = dataset[dim]
        if coordinate.dtype.kind in "OUS":
            found = [_text(value) for value in coordinate.values]
        else:
            found = _flags(coordinate, bool(names), what)
    if names and sorted(found) == sorted(names) and found != list(names):
        raise ValueError(
            f"{what} labels its plant types {', '.join(found)}, but sources.simulation.netcdf.plant_type_names lists "
            f"{', '.join(names)}; write them in the order of the file, or leave plant_type_names empty"
        )
    found = list(names) or found
    if len(found) != size or len(set(found)) != size:
        raise ValueError(
            f"{what} has {size} plant types along {dim} and {len(set(found))} names, but one name each is needed; list "
            "them in order under sources.simulation.netcdf.plant_type_names"
        )
    return tuple(found)


def _flags(numbers: xr.DataArray, named: bool, what: str) -> list[str]:
    """Names of numbered plant types, by number where the file says which number is which.

    Raises
    ------
    ValueError
        When names could only go by position and the numbers do not ascend.
    """
    meanings = str(numbers.attrs.get("flag_meanings", "")).split()
    flags = np.atleast_1d(numbers.attrs.get("flag_values", []))
    if meanings and len(flags) == len(meanings):
        by_number = dict(zip(flags.tolist(), meanings, strict=True))
        return [by_number.get(number, "") for number in numbers.values.tolist()]
    if (named or meanings) and not (np.diff(numbers.values) > 0).all():
        raise ValueError(
            f"{what} numbers its plant types {numbers.values.tolist()[:6]}, so that names in order are those of other "
            f"types; sort the file by {numbers.name}, or label its types by name"
        )
    return meanings


def _text(value: object) -> str:
    """A label of a file as text."""
    return (value.decode() if isinstance(value, bytes) else str(value)).strip()
