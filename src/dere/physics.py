"""Carbon closure: which targets are free, and how the rest follows from them.

The free channels are height, above-ground biomass, soil carbon, LAI, GPP, Ra and Rh, all non-negative. The rest is
derived, so that NPP = GPP - Ra, NEE = Rh - NPP and RECO = Ra + Rh hold exactly (the published code has a soft penalty,
docs/deviations.md#closure; constraints in the architecture are those of Beucler and others 2021, doi
10.1103/PhysRevLett.126.098302). The functions work alike on NumPy arrays and torch tensors because they use operators
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dere.variables import TARGETS


def derive(free: Mapping[str, Any]) -> dict[str, Any]:
    """All ten targets from the seven free ones.

    Parameters
    ----------
    free
        Maps each name of ``FREE_TARGETS`` to an array or tensor; all of one shape.

    Returns
    -------
    dict
        Maps each name of ``TARGETS``, in that order.

    Raises
    ------
    KeyError
        When a free target is missing.
    """
    gpp, ra, rh = free["gpp"], free["ra"], free["rh"]
    npp = gpp - ra
    full = {**free, "npp": npp, "nee": rh - npp, "reco": ra + rh}
    return {name: full[name] for name in TARGETS}
