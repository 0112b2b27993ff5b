"""What satellites would see of simulated vegetation, for driver members that the process model grew."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.harmonise.simulated import age_weighted
from dere.variables import SATELLITE, STANDS, TARGETS

LAI = TARGETS.index("lai")
KNOTS = np.linspace(0.0, 1.0, 101)


def member_satellites(
    towers: xr.Dataset, simulated: NDArray, state: NDArray, site: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """Satellite channels of members from their simulated leaf area.

    A perturbed copy that keeps its site's satellite record teaches a network that satellites say nothing about fluxes.
    Each channel is therefore the simulated leaf area brought to what that satellite shows: quantile by quantile over
    all site months that have both, so that it rises with leaf area and has the distribution of the observed values.
    These quantiles are of inputs, not of fluxes, and come from all sites, those of test towers included.

    Parameters
    ----------
    towers
        Canonical towers with satellite columns (site, time) and ``age_weight``.
    simulated
        (site, time, target) unperturbed simulation on the towers' axis, NaN where there is none.
    state
        (member, stand, age, time, target) simulation of the members.
    site
        (member,) index of each member's site.

    Returns
    -------
    dict
        (member, time) per satellite channel that ``towers`` has; NaN throughout where the site has no such record.
    """
    weight = towers["age_weight"].transpose("site", "age").values[site]
    grown = age_weighted(state[:, STANDS.index("mixture")], weight)[..., LAI]
    at_sites = simulated[..., LAI]
    result = {}
    for name in SATELLITE:
        if name not in towers:
            continue
        seen = towers[name].transpose("site", "time").values
        both = np.isfinite(seen) & np.isfinite(at_sites)
        values = np.full(grown.shape, np.nan, np.float32)
        if both.any():
            known = np.isfinite(seen).any(1)[site]
            values[known] = np.interp(grown[known], np.quantile(at_sites[both], KNOTS), np.quantile(seen[both], KNOTS))
        result[name] = values
    return result
