"""Slow conditions and fast drivers of places: what is a year's mean or slower, and what is left; no flux enters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.training.places import YEAR, Places

HALF, SEASONS = YEAR // 2, 4
SLOW = 3
"""Of each driver: mean of the record, spread of the fast part, spread of the yearly means."""


@dataclass(frozen=True)
class Described:
    """Places by role; physical units.

    Parameters
    ----------
    static
        (place, attribute).
    slow
        (place, `SLOW`, driver).
    yearly
        (place, year, driver) mean of the twelve months up to each January, without the mean of the record.
    seasons
        (place, 2, season, driver) mean and spread of the fast part; winter of the hemisphere first.
    fast
        (place, time, driver) without the mean of the twelve months up to each.
    """

    static: Tensor
    slow: Tensor
    yearly: Tensor
    seasons: Tensor
    fast: Tensor


def described(places: Places) -> Described:
    """Split the drivers of places into slow and fast; each month belongs to both by construction, nothing twice."""
    drivers = places.drivers.astype(np.float64)
    there = places.record[..., None].astype(float)
    months = np.maximum(there.sum(1), 1)
    running = running_year(drivers)
    fast = drivers - running
    mean = (drivers * there).sum(1) / months
    slow = np.stack(
        [
            mean,
            np.sqrt((fast**2 * there).sum(1) / months),
            np.sqrt(((running - mean[:, None]) ** 2 * there).sum(1) / months),
        ],
        axis=1,
    )
    season = calendar_of(places) // (YEAR // SEASONS)
    within = (season[..., None] == np.arange(SEASONS)) * there
    counted = np.maximum(within.sum(1), 1)[..., None]
    level = np.einsum("pts,ptd->psd", within, fast) / counted
    square = np.einsum("pts,ptd->psd", within, fast**2) / counted
    seasons = np.stack([level, np.sqrt(np.maximum(square - level**2, 0))], axis=1)
    yearly = running[:, ::YEAR] - mean[:, None]
    return Described(*(torch.from_numpy(x.astype(np.float32)) for x in (places.static, slow, yearly, seasons, fast)))


def calendar_of(places: Places) -> NDArray[np.int64]:
    """Calendar month (place, time), from December in the north and June in the south."""
    south: NDArray[np.int64] = (places.lat < 0).astype(np.int64)
    return (np.arange(len(places.time)) + 1 + HALF * south[:, None]) % YEAR


def running_year(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the twelve months up to each, (place, time, …); before the twelfth that of the first twelve."""
    total = np.cumsum(series, axis=1)
    width = min(YEAR, series.shape[1])
    found = np.empty_like(total)
    found[:, width - 1] = total[:, width - 1] / width
    found[:, width:] = (total[:, width:] - total[:, :-width]) / width
    found[:, : width - 1] = found[:, width - 1 : width]
    return found
