"""Axes aligned or compared by their coordinates, so that nothing that carries some is read by its position alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def order_of(
    found: NDArray, wanted: NDArray, source: str, axis: str, remedy: str, text: Callable[[int], str] = str
) -> NDArray[np.int64]:
    """Position on a file's axis of each wanted coordinate, all of which it must hold once, and no other.

    Parameters
    ----------
    found, wanted
        (n,) coordinates of the file and those of the run, in any order.
    source, axis, remedy
        File, name of the axis, and what to correct there, for messages.
    text
        A coordinate as messages write it.

    Raises
    ------
    ValueError
        When a coordinate is repeated, missing, or not wanted.
    """
    unique, counts = np.unique(found, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"{source}: {axis} holds {text(unique[counts > 1][0])} {int(counts.max())} times, but each may stand there "
            f"once; {remedy}"
        )
    lacking, foreign = np.setdiff1d(wanted, found), np.setdiff1d(found, wanted)
    if lacking.size or foreign.size:
        odd = f"{text(lacking[0])} is missing" if lacking.size else f"{text(foreign[0])} is not wanted"
        raise ValueError(
            f"{source}: {axis} holds {len(found)} values from {text(unique[0])} to {text(unique[-1])}, but the "
            f"{len(wanted)} from {text(np.min(wanted))} to {text(np.max(wanted))} are needed ({odd}); {remedy}"
        )
    order = np.argsort(found)
    return order[np.searchsorted(found, wanted, sorter=order)]


def require_same_axes(datasets: Mapping[str, xr.Dataset], axes: Sequence[str] = ("cell", "time")) -> None:
    """Check that datasets that are read side by side have the same coordinates in the same order.

    Parameters
    ----------
    datasets
        By a name for messages; an axis counts where a dataset has coordinates of it.
    axes
        Dimensions to compare; with ``cell`` and ``site`` also the places on them.

    Raises
    ------
    ValueError
        When two differ; says how.
    """
    names = [*axes, *(("lat", "lon") if {"cell", "site"} & set(axes) else ())]
    for name in names:
        having = [(of, data[name]) for of, data in datasets.items() if name in data.coords]
        having = [(of, values) for of, values in having if set(values.dims) <= set(axes)]
        for of, values in having[1:]:
            first, other = having[0][1].values, values.values
            if first.shape != other.shape:
                fault = f"{len(other)} values against {len(first)}"
            elif (off := np.flatnonzero(~_same(first, other))).size:
                at = int(off[0])
                fault = f"{other[at]} against {first[at]} at position {at}"
            else:
                continue
            raise ValueError(
                f"{of} and {having[0][0]} differ in {name} ({fault}), but they are read side by side and must have the "
                "same in the same order; make both again in one run"
            )


def _same(first: NDArray, other: NDArray) -> NDArray[np.bool_]:
    """Elementwise equality in which NaN equals NaN, and single precision its double."""
    if first.dtype.kind == "f" and other.dtype.kind == "f":
        return np.isclose(first, other, rtol=0, atol=1e-4, equal_nan=True)
    return np.asarray(first == other)
