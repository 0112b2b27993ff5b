"""Joint series of all fluxes as they might be: every one closes, and their mean is the prediction.

A member of a place is a whole record, so that the interval of any sum over months is that of the members' sums
(`dere.intervals.sums`).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import chdtri

from dere.intervals.calibrator import Calibrator
from dere.intervals.kernel import YEAR
from dere.intervals.processes import hangs_together, loadings, signs

Array = NDArray[np.float64]
Of = Literal["label", "truth"]


def trajectories(
    mean: Array,
    scale: Array,
    model: Calibrator,
    rng: np.random.Generator,
    members: int = 40,
    of: Of = "truth",
    waves: Array | None = None,
) -> Array:
    """Draw members of the truth, or of what a tower would report.

    The truth has no noise of labels, and fluxes that errors grow with (GPP, RECO) are never negative in it: their
    members are moved by the least squares that bring all of them to zero or above with the same mean, which leaves
    wide intervals skewed and those of a flux of zero without width. Where a prediction of GPP or RECO is itself
    negative, as those of trees may be, its truth is zero; everywhere else the mean of the members is the prediction.
    Members of the label may be negative, as one of ten good real months of GPP is.

    Places are drawn independently of each other; an interval of a sum over places has to know how their errors go
    together and is not to be had from these.

    Parameters
    ----------
    mean
        (place, time, flux) closed predictions, gC m-2 d-1; NaN gives NaN.
    scale
        (place, time, flux) from ``Calibrator.scale``.
    model
        The error model.
    rng
        All numbers follow from it.
    members
        How many, at least 2.
    of
        ``truth`` or ``label``.
    waves
        (place,) from ``Calibrator.waves``; by default of the months given, which should then be whole years.

    Returns
    -------
    array
        (member, place, time, flux).

    Raises
    ------
    ValueError
        When there are fewer than 2 members.
    """
    require_several(members)
    exchange = model.exchange
    places, months, _ = mean.shape
    loading = loadings(np.nan_to_num(scale), exchange) * place_scales(model.dof, members, places, rng)[..., None, None]
    shares = (model.truth if of == "truth" else model).kernel.mixed(model.waves(scale) if waves is None else waves)
    error = np.zeros((members, places, months, len(exchange.names)))
    sign = signs(exchange)
    for process in range(shares.shape[1]):
        drawn = _process(shares[:, process], model.kernel.autoregression, (members, places, months), rng)
        drawn *= loading[..., process]
        for flux in np.flatnonzero(sign[:, process]).tolist():
            error[..., flux] += sign[flux, process] * drawn
    # the mean of the members is exactly the prediction; the factor gives back the spread that this takes
    error -= error.mean(0)
    error *= np.sqrt(members / (members - 1))
    found: Array = mean + error
    if of == "truth":
        for name in exchange.magnitude:
            flux = exchange.names.index(name)
            found[..., flux] = nonnegative(found[..., flux], mean[..., flux])
    if hangs_together(exchange):
        found = exchange.close(found)
    return found


def require_several(members: int) -> None:
    """Refuse a number of members that has no spread.

    Raises
    ------
    ValueError
        When there are fewer than 2.
    """
    if members < 2:
        raise ValueError(f"members is {members}, but a spread needs at least 2; use 30 to 50")


def nonnegative(members: Array, mean: Array) -> Array:
    """Nearest members that are nowhere negative and whose mean is the prediction.

    This is the Euclidean projection onto a simplex (Held, Wolfe and Crowder 1974, doi:10.1007/BF01580223): a number is
    taken from all of them, and what would be negative is zero. A negative prediction counts as zero.

    Parameters
    ----------
    members
        (member, …).
    mean
        (…).
    """
    if not (members < 0).any():
        return members
    total = len(members) * np.maximum(mean, 0.0)
    found = members.copy()
    needed = (members < 0).any(0)
    some, wanted = members[:, needed], total[needed]
    falling = -np.sort(-some, axis=0)
    count = np.arange(1, len(members) + 1)[:, None]
    excess = (np.cumsum(falling, 0) - wanted) / count
    last = np.maximum((falling > excess).sum(0), 1) - 1
    moved = np.maximum(some - np.take_along_axis(excess, last[None], 0), 0.0)
    # rounding: the sum is that wanted, to the last digits
    made = moved.sum(0)
    found[:, needed] = moved * np.where(made > 0, wanted / np.where(made > 0, made, 1.0), 0.0)
    return found


def place_scales(dof: float, members: int, places: int, rng: np.random.Generator) -> Array:
    """Factor (member, place) on the scale, so that errors follow Student's t: even shares of its law, shuffled."""
    level = (np.arange(members) + 0.5) / members
    factor = np.sqrt(dof / chdtri(dof, level))
    return rng.permuted(np.broadcast_to(factor, (places, members)), axis=1).T


def _process(shares: Array, autoregression: float, shape: tuple[int, int, int], rng: np.random.Generator) -> Array:
    """Series (member, place, month) of unit variance where the shares (place, component) sum to 1."""
    level, yearly, half_yearly, persistent, independent = np.sqrt(shares).T
    phase = 2 * np.pi * np.arange(shape[2]) / YEAR
    waves = np.stack([np.ones(shape[2])] + [wave(k * phase) for k in (1, 2) for wave in (np.cos, np.sin)])
    size = np.stack([level, yearly, yearly, half_yearly, half_yearly], -1)
    drawn: Array = (rng.standard_normal((*shape[:2], len(waves))) * size) @ waves
    pushes = rng.standard_normal(shape) * np.sqrt(1 - autoregression**2)
    pushes[..., 0] /= np.sqrt(1 - autoregression**2)
    drawn += persistent[:, None] * lfilter([1.0], [1.0, -autoregression], pushes, axis=-1)
    drawn += independent[:, None] * rng.standard_normal(shape)
    return drawn
