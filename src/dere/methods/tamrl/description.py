"""What a site is described by: the climatology of its drivers, and the errors at months of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.training.places import YEAR, Places

HALF = YEAR // 2
DECADE = 120
"""Months."""
KINDS = 3
"""Of each driver: mean of the calendar month, its standard deviation between years, trend."""
PRIOR = (1.0, 3.0)
"""Months of error zero that are added to the mean error of a calendar month, and of all months."""


@dataclass(frozen=True)
class Described:
    """Descriptions of places that no month of a flux enters; nothing depends on windows.

    Parameters
    ----------
    climatology
        (place, 12, kind, driver) physical: `KINDS`, from January in the north and July in the south.
    static
        (place, attribute) physical.
    calendar
        (place, time) calendar month counted likewise.
    """

    climatology: Tensor
    static: Tensor
    calendar: Tensor

    def months_of(self, place: Tensor, months: Tensor) -> Tensor:
        """(B, W, 12) one where a month is that calendar month, of places (B,) and positions in time (B, W)."""
        return torch.nn.functional.one_hot(self.calendar[place[:, None], months], YEAR).float()


class Own(NamedTuple):
    """Errors of the network without them at months of a place's own, in units of each flux's standard deviation.

    Parameters
    ----------
    monthly
        (B, 12, 2 * flux) shrunk mean error of a calendar month, and logarithm of how much it rests on.
    overall
        (B, 2 * flux) the same of all months.
    """

    monthly: Tensor
    overall: Tensor


def described(places: Places) -> Described:
    """Describe places by their whole records."""
    count, time, _ = places.drivers.shape
    spare = -time % YEAR
    drivers = np.pad(places.drivers.astype(np.float64), ((0, 0), (0, spare), (0, 0)))
    there = np.pad(places.record, ((0, 0), (0, spare)))[..., None].astype(float)
    south = places.lat < 0
    calendar = (np.arange(time) + HALF * south[:, None]) % YEAR
    by_year, held = (values.reshape(count, -1, YEAR, values.shape[-1]) for values in (drivers, there))
    # a calendar month that a short record lacks has the mean of the record
    whole = (drivers * there).sum(1) / np.maximum(there.sum(1), 1)
    years = held.sum(1)
    mean = np.where(years > 0, (by_year * held).sum(1) / np.maximum(years, 1), whole[:, None])
    anomaly = (by_year - mean[:, None]) * held
    spread = np.sqrt((anomaly**2).sum(1) / np.maximum(years, 1))
    found = np.stack([mean, spread, np.broadcast_to(_trend(anomaly, held)[:, None], mean.shape)], axis=2)
    turned = np.where(south[:, None, None, None], np.roll(found, -HALF, axis=1), found)
    return Described(
        torch.from_numpy(turned.astype(np.float32)), torch.from_numpy(places.static), torch.from_numpy(calendar)
    )


def _trend(anomaly: NDArray[np.float64], held: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slope of the anomalies (place, year, 12, driver) per decade, (place, driver)."""
    month = np.arange(anomaly.shape[1] * YEAR).reshape(1, -1, YEAR, 1) / DECADE
    centred = (
        month - (month * held).sum((1, 2), keepdims=True) / np.maximum(held.sum((1, 2), keepdims=True), 1)
    ) * held
    square = (centred**2).sum((1, 2))
    slope: NDArray[np.float64] = (centred * anomaly).sum((1, 2)) / np.where(square > 0, square, 1.0)
    return slope


def own_months(error: Tensor, weight: Tensor, months: Tensor) -> Own:
    """Errors at own months by calendar month and together.

    Parameters
    ----------
    error
        (B, W, flux) in units of each flux's standard deviation; any finite value where the weight is zero.
    weight
        (B, W, flux) quality of a month that is shown; zero = not shown.
    months
        (B, W, 12) as from `Described.months_of`.
    """
    sums, amounts = (torch.einsum("bwf,bwm->bmf", values, months) for values in (error * weight, weight))
    total, amount = sums.sum(1), amounts.sum(1)
    return Own(
        torch.cat([sums / (amounts + PRIOR[0]), torch.log1p(amounts)], dim=-1),
        torch.cat([total / (amount + PRIOR[1]), torch.log1p(amount)], dim=-1),
    )


def no_months(count: int, fluxes: int) -> Own:
    """What `own_months` gives where no month is shown."""
    return Own(torch.zeros(count, YEAR, 2 * fluxes), torch.zeros(count, 2 * fluxes))
