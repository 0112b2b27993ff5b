"""Fluxes that repeat one annual value in all months: found in every cell, and what is done then.

The public CarbonGlobe holds annual targets in twelve copies (docs/data.md#simulations). A network trained on them would
learn fluxes without seasons, and every score would still look fine.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.variables import FLUX_TARGETS, TARGETS

log = logging.getLogger(__name__)

# months of a real simulation differ by far more than rounding
_SAME = 1e-5
LEAST_GPP = 0.05
"""GPP (gC m-2 d-1) that a place must reach in some month to count as vegetated."""
_TOLERATED = 0.01
_REMEDY = (
    "monthly GPP, RECO and NEE cannot be learned from them: use monthly output of a process model (an own export in "
    "the layout with meta.json, sources.simulation.format: dere or netcdf), or provider: builtin"
)


@dataclass
class AnnualCount:
    """Series (cells of each age) with carbon uptake, and those of them whose months are all alike."""

    vegetated: int = 0
    annual: int = 0

    def add(self, gpp: NDArray, least: float = LEAST_GPP) -> None:
        """Count a block.

        Parameters
        ----------
        gpp
            (series, year, 12), without the year of the initial state.
        least
            GPP below which a place counts as bare, in the unit of ``gpp``.
        """
        values = np.asarray(gpp)
        highest = np.abs(values).max(axis=(1, 2))
        vegetated = highest > least
        alike = (np.ptp(values, axis=2) <= _SAME * np.abs(values).max(axis=2)).all(axis=1)
        self.vegetated += int(vegetated.sum())
        self.annual += int((vegetated & alike).sum())

    @property
    def found(self) -> bool:
        """Whether the months repeat; single series are oddities of a simulation and only logged."""
        return self.annual > _TOLERATED * max(1, self.vegetated)


def count_annual(blocks: Iterable[NDArray], least: float = LEAST_GPP) -> AnnualCount:
    """Count over all blocks (series, year, 12) of GPP; none is left out."""
    count = AnnualCount()
    for block in blocks:
        count.add(block, least)
    return count


def decide(count: AnnualCount, policy: str, source: str) -> bool:
    """Whether the fluxes must be dropped.

    Parameters
    ----------
    count
        Of all cells and ages.
    policy
        ``refuse`` or ``states_only`` (sources.simulation.annual_targets).
    source
        Files for messages.

    Raises
    ------
    ValueError
        When months repeat and the policy is to refuse.
    """
    if count.annual and not count.found:
        log.warning(
            "%s: %d of %d series of cell and age repeat one value in all months", source, count.annual, count.vegetated
        )
    if not count.found:
        return False
    if policy == "refuse":
        raise ValueError(
            f"{source}: GPP repeats one annual value in all 12 months in {count.annual} of {count.vegetated} vegetated "
            f"series of cell and age; {_REMEDY}; sources.simulation.annual_targets: states_only reads the states alone"
        )
    log.warning(
        "%s: GPP repeats one annual value in all 12 months in %d of %d series; the fluxes are dropped, states are kept",
        source,
        count.annual,
        count.vegetated,
    )
    return True


def without_fluxes(simulation: xr.Dataset) -> xr.Dataset:
    """The simulation with NaN in place of all fluxes and the attribute ``fluxes: absent``."""
    state = xr.DataArray(
        [name not in FLUX_TARGETS for name in TARGETS], dims="target", coords={"target": list(TARGETS)}
    )
    kept = {name: simulation[name].where(state) for name in ("state", "initial_state")}
    return simulation.assign(kept).assign_attrs(fluxes="absent")


def require_fluxes(simulation: xr.Dataset) -> None:
    """Check that a simulation has fluxes.

    Raises
    ------
    ValueError
        When they were dropped because they are annual.
    """
    if simulation.attrs.get("fluxes") == "absent":
        raise ValueError(
            "the simulation holds states and no fluxes (sources.simulation.annual_targets is states_only, because its "
            f"fluxes repeat one annual value), fluxes are needed to train; {_REMEDY}"
        )
