"""What the process model needs to absorb the light that satellites see at towers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.variables import SATELLITE
from dere.world.absorbed_light import SeenLight, observed_share
from dere.world.forcing import Forcing
from dere.world.process_model import simulate

BLOCK = 64
"""Sites per call of the model."""


def seen_light(
    series: xr.Dataset, forcing: Forcing, spans: NDArray, age_weight: NDArray, ages: Sequence[int], seed: int
) -> SeenLight:
    """Observed absorption at sites, and the climatology of the correction by a first run of their mixtures.

    Parameters
    ----------
    series
        Drivers and satellite channels (site, time), NaN where no satellite saw the site.
    forcing
        Of all sites over ``spans``.
    spans
        (site, month) positions on the time axis of ``series``.
    age_weight
        (site, age).
    ages, seed
        Of the simulation.

    Raises
    ------
    ValueError
        When there are no satellite channels.
    """
    if not all(name in series for name in SATELLITE):
        raise ValueError(
            "sources.simulation.leaf_area is satellite, but the run has no satellite channels; set "
            "harmonise.satellites and sources.towers.use_satellites, or choose leaf_area: prognostic"
        )
    rows = np.arange(len(spans))[:, None]
    lai, evi = (series[name].transpose("site", "time").values[rows, spans].astype(float) for name in SATELLITE)
    simulated = np.empty(spans.shape)
    for first in range(0, len(spans), BLOCK):
        chosen = np.arange(first, min(first + BLOCK, len(spans)))
        run = simulate(forcing.take(chosen), ages, stands=("mixture",), seed=seed, diagnostics=True)
        simulated[chosen] = np.einsum("mat,ma->mt", run["absorbed"].values[:, 0], age_weight[chosen])
    return SeenLight.learned(observed_share(lai, evi), simulated, age_weight.astype(float))
