"""Why maps of the built-in world are higher than its truth: what nature makes of one ground covered in different ways.

Run: python benchmarks/world_mixing.py --seeds 0 1 2

In nature all plants of a cell share one canopy and compete for its light, while a tower's footprint is nearly pure. For
each seed of the world this runs nature in every cell with the cell's own landscape, with the footprint of one tower
drawn in it, with each of the two and the other's layers of cover, and with pure stands of the three plant types side by
side. Shows GPP and RECO per vegetated area over all cells (gC m-2 d-1).
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.world import WorldConfig
from dere.variables import FLUXES
from dere.world import landscape, nature
from dere.world.climate import climate_at
from dere.world.fields import generator
from dere.world.geography import Grid, find_land
from dere.world.landscape import Landscape
from dere.world.soil import soil_at

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
SHOWN = ("gpp", "reco")


def world(seed: int, years: int) -> pd.DataFrame:
    """Mean fluxes of the cells of one world, one row per way of covering them."""
    config = WorldConfig(seed=seed, years=years)
    land = find_land(Grid(config.grid_degrees))
    climate = climate_at(land.lat, land.lon, seed=seed, years=years, start_year=config.start_year)
    soil = soil_at(land.lat, land.lon, seed)
    region = landscape.regional(climate, soil, config.ages, seed, config.nature_distance)
    footprint = landscape.footprints(region, config.ages, generator(seed, "mixing"), config.nature_distance)
    area = land.area * land.land_fraction * region.vegetated

    def fluxes(ground: Landscape) -> Array:
        found = nature.true_fluxes(
            climate,
            soil["depth"],
            ground,
            config.ages,
            seed=seed,
            distance=config.nature_distance,
            purpose="mixing",
        )
        own: Array = found.fluxes.mean(axis=1)
        return own

    pure = np.eye(region.fraction.shape[1])
    stands = [fluxes(landscape.with_fraction(region, np.tile(one, (len(area), 1)))) for one in pure]
    ways = {
        "the cell's own landscape, one canopy": fluxes(region),
        "a tower's footprint": fluxes(footprint),
        "a footprint with the cell's cover": fluxes(replace(footprint, layers=region.layers)),
        "the cell with a footprint's cover": fluxes(replace(region, layers=footprint.layers)),
        "pure stands side by side": sum(region.fraction[:, [k]] * own for k, own in enumerate(stands)),
    }
    rows = [
        {"seed": seed, "ground": way, **dict(zip(FLUXES, np.average(own, axis=0, weights=area), strict=True))}
        for way, own in ways.items()
    ]
    return pd.DataFrame(rows)[["seed", "ground", *SHOWN]]


def main(words: Sequence[str] | None = None) -> None:
    """Show the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", nargs="+", type=int, default=[0])
    options.add_argument("--years", type=int, default=3, help="length of the record; the spin-up is before it")
    given = options.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    table = pd.concat([world(seed, given.years) for seed in given.seeds], ignore_index=True)
    log.info("%s", table.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
