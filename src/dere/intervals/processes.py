"""Independent processes of which the errors of an exchange's fluxes are made, so that every draw closes.

Where RECO = GPP + NEE, an error that GPP and RECO share drops out of NEE, and what each has of its own does not:

    error of GPP = common + own of GPP,   RECO = common + own of RECO,   NEE = own of RECO - own of GPP.

The scales of the three fluxes, each fitted to its own residuals, say how large the three processes are in each month:
their dependence so follows season and flux, and NEE has the spread that its own residuals ask for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange

Array = NDArray[np.float64]

TRIPLE = ("gpp", "reco", "nee")
"""Fluxes that close as RECO = GPP + NEE."""
LEAST_OWN = 0.02
"""Least share of a flux's variance that is its own: GPP and RECO are never one and the same."""


def hangs_together(exchange: Exchange) -> bool:
    """Tell whether the exchange is the triple; the fluxes of any other have errors that do not depend on each other."""
    return set(exchange.names) == set(TRIPLE)


def signs(exchange: Exchange) -> Array:
    """(flux, process): with which sign a process enters the error of a flux."""
    if not hangs_together(exchange):
        return np.eye(len(exchange.names))
    by_name = {"gpp": (1.0, 1.0, 0.0), "reco": (1.0, 0.0, 1.0), "nee": (0.0, -1.0, 1.0)}
    return np.array([by_name[name] for name in exchange.names])


def loadings(scale: Array, exchange: Exchange) -> Array:
    """Scale of each process, (…, process), from that of each flux, (…, flux).

    What GPP and RECO share is half of what their variances have more than that of NEE, at least nothing, and at most
    what the smaller of the two has but for `LEAST_OWN`; where a limit holds, GPP and RECO keep their scales and NEE's
    follows from them.
    """
    if not hangs_together(exchange):
        return scale
    gpp, reco, nee = (scale[..., exchange.names.index(name)] ** 2 for name in TRIPLE)
    common = np.clip((gpp + reco - nee) / 2, 0.0, (1 - LEAST_OWN) * np.minimum(gpp, reco))
    found: Array = np.sqrt(np.stack([common, gpp - common, reco - common], -1))
    return found


def consistent(scale: Array, exchange: Exchange) -> Array:
    """Scales of the fluxes that the processes give, (…, flux): those asked for, but where a limit holds."""
    found: Array = np.sqrt(loadings(scale, exchange) ** 2 @ (signs(exchange).T ** 2))
    return found
