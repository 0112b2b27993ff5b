"""How much a simulated series resembles the towers: level, season and attributes, and the weight that follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
LEAST = 6
"""Calendar months with a label that a tower needs to say something of its season."""
SMALL = 0.1
"""Share of a flux's standard deviation below which levels and amplitudes count as they are, not by their logarithm."""


@dataclass(frozen=True)
class Moments:
    """What describes series of fluxes, and the places where they are.

    Parameters
    ----------
    level, amplitude
        (place, flux): inverse hyperbolic sine of mean and amplitude in units of `SMALL` standard deviations, so the
        logarithm of what is not small.
    phase
        (place, flux) of the first harmonic in the calendar year, radian.
    static
        (place, attribute) in standard deviations.
    """

    level: Array
    amplitude: Array
    phase: Array
    static: Array

    def __len__(self) -> int:
        return len(self.level)


def moments(series: Array, has: NDArray[np.bool_], month: NDArray[np.int64], std: Array, static: Array) -> Moments:
    """Fit mean and first harmonic to each series; NaN where a flux has too few calendar months.

    Parameters
    ----------
    series
        (place, time, flux); any finite value where there is none.
    has
        (place, time, flux) where there is one.
    month
        (place, time) calendar month, 0 to 11.
    std
        (flux,).
    static
        (place, attribute) in standard deviations.
    """
    angle = 2 * np.pi * np.arange(12) / 12
    one = (month[..., None] == np.arange(12)).astype(float)
    count = np.einsum("ptf,ptm->pmf", has.astype(float), one)
    total = np.einsum("ptf,ptm->pmf", np.where(has, series, 0.0), one)
    known = count > 0
    cycle = np.where(known, total / np.maximum(count, 1), 0.0)
    basis = np.stack([np.ones(12), np.cos(angle), np.sin(angle)], -1)
    # every calendar month counts once, however many years it has
    gram = np.einsum("pmf,mi,mj->pfij", known.astype(float), basis, basis)
    right = np.einsum("pmf,mi->pfi", cycle, basis)
    enough = known.sum(1) >= LEAST
    gram = np.where(enough[..., None, None], gram, np.eye(3))
    found = np.where(enough[..., None], np.linalg.solve(gram, right[..., None])[..., 0], np.nan)
    scale = SMALL * std
    return Moments(
        np.arcsinh(found[..., 0] / scale),
        np.arcsinh(np.hypot(found[..., 1], found[..., 2]) / scale),
        np.arctan2(found[..., 2], found[..., 1]),
        static,
    )


def distances(series: Moments, tower: Moments, number: int) -> Array:
    """Distance (place,) of all series to one tower.

    A sum, so that one moment that happens to agree does not make up for the others: one for a factor e in level, one
    for a factor e in amplitude, one for a quarter of a year in phase (means over the fluxes that the tower has), and
    one for attributes that differ by a standard deviation on average.
    """
    has = ~np.isnan(tower.level[number])
    turn = np.abs(np.angle(np.exp(1j * (series.phase - tower.phase[number])))) / (np.pi / 2)
    fluxes = np.abs(series.level - tower.level[number]) + np.abs(series.amplitude - tower.amplitude[number]) + turn
    attributes = np.abs(series.static - tower.static[number]).mean(-1)
    near: Array = fluxes[:, has].mean(-1) + attributes
    return near


def weights_by(series: Moments, towers: Moments, counts: Array, steepness: float) -> Array:
    """Weight of each series (place,), before it is normalised: mean over towers of (1 + distance) ** -steepness.

    Parameters
    ----------
    series, towers
        Of simulated series, and of towers.
    counts
        (tower,) how much each tower counts; one without any flux counts nothing.
    steepness
        0 = all series alike.

    Raises
    ------
    ValueError
        When no tower that counts has months enough.
    """
    own = counts * ~np.isnan(towers.level).all(-1)
    if not own.any():
        raise ValueError(
            f"no tower that may be learned from has labels in {LEAST} calendar months, by which simulated series are "
            "weighed; bring longer records, or leave the re-weighted method out"
        )
    total = np.zeros(len(series))
    for number in np.flatnonzero(own):
        total += own[number] * (1.0 + distances(series, towers, int(number))) ** -steepness
    return total / own.sum()


def effective_size(weight: Array) -> float:
    """Effective number of samples, (sum w)² / sum w² (Kish 1965)."""
    return float(weight.sum() ** 2 / (weight**2).sum())
