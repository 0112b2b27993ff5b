"""The scale on which trees learn a flux that stands alone: as it is, or asinh, put back with its level corrected.

A squared error on an asinh scale aims near the median, so that means come out too low where fluxes differ by orders of
magnitude. The level is put right by a factor, as smearing does for logarithms (Duan 1983, doi
10.1080/01621459.1983.10478017): the ratio of the means of labels and of predictions at towers that were held out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.variables import FLUX_UNIT, convert

Array = NDArray[np.float64]
UNIT = float(convert(np.array(5.0), "nmolCH4 m-2 s-1", FLUX_UNIT))
"""gC m-2 d-1 above which asinh is a logarithm: 5 nmol of methane per square metre and second."""
LARGEST = 12.0
"""On the asinh scale; far beyond what a flux can be, so that a wild prediction stays a number."""
ASINH = "asinh"
FACT = "link"


def applies(link: str, exchange: Exchange) -> bool:
    """Whether an exchange is learned on another scale: only where no flux closes with others."""
    return link == ASINH and len(exchange.names) == 1


def bent(values: Array) -> Array:
    """Fluxes (gC m-2 d-1) on the asinh scale."""
    return np.asarray(np.arcsinh(values / UNIT))


def straight(values: Array) -> Array:
    """From the asinh scale to gC m-2 d-1; inverse of `bent`."""
    return np.asarray(UNIT * np.sinh(np.clip(values, -LARGEST, LARGEST)))


def level(held_out: Array, labels: Array, weight: Array) -> float:
    """Mean of the labels over that of the predictions at held-out towers; 1 where these are not positive.

    Parameters
    ----------
    held_out, labels, weight
        (row,) gC m-2 d-1; rows of weight zero do not count.
    """
    predicted, observed = float((weight * held_out).sum()), float((weight * labels).sum())
    return observed / predicted if predicted > 0 and observed > 0 else 1.0
