"""Build the world: geography, climate, simulation, nature, towers, and all of it as raw files in the real formats."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dere.config.world import WorldConfig
from dere.invented import WORLD
from dere.io import write_atomically
from dere.variables import FLUX_UNIT, STANDS
from dere.world import diurnal, gaps, greenness, landscape, nature, observation, satellite, tower_network, wetland_sites
from dere.world.climate import Climate, climate_at
from dere.world.fields import generator
from dere.world.geography import Grid, Land, find_land
from dere.world.greenness import Canopy, Sky
from dere.world.landscape import Landscape
from dere.world.process_model import simulate
from dere.world.soil import soil_at
from dere.world.tower_network import Sites
from dere.world.write_cover import site_tables, write_cover
from dere.world.write_satellites import write_satellites
from dere.world.write_simulation import write_simulation
from dere.world.write_towers import bif_table, write_towers
from dere.world.write_truth import write_cell_truth, write_site_truth

log = logging.getLogger(__name__)

_README = f"""Source: {WORLD}.

Coastlines apart, nothing in these folders is of the Earth: the climate is drawn by hand, the simulation, the plant-type
maps and the towers are computed (docs/world.md). Files have the names and layouts of the products that they imitate, so
that the code that reads real data reads them too. Towers are called {tower_network.TOWERS}-... and
{tower_network.VIRTUAL}-...: no country has these codes.
"""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plots:
    """Tower sites with everything nature knows about them.

    Parameters
    ----------
    sites
        Ids and positions.
    climate
        Their own climate (site on the point axis).
    footprint, region
        Landscape that the tower sees, and that around it.
    fluxes
        (site, time, flux) truth, gC m-2 d-1.
    leaf_area
        (site, time) truth, m2 m-2 of vegetated area.
    soil
        (site, time) true heterotrophic respiration, gC m-2 d-1.
    igbp, koppen
        Classes.
    """

    sites: Sites
    climate: Climate
    footprint: Landscape
    region: Landscape
    fluxes: Array
    leaf_area: Array
    soil: Array
    igbp: list[str]
    koppen: list[str]


def build_world(config: WorldConfig, folder: Path) -> None:
    """Write the whole ``raw/`` tree under ``folder``.

    Parameters
    ----------
    config
        Size, seed and distance of nature from the simulation.
    folder
        Gets ``simulation``, ``cover``, ``towers``, ``virtual_towers``, ``truth`` and a README; each file is written
        atomically.

    Raises
    ------
    ValueError
        When grid or tower counts are impossible.
    """
    folder = Path(folder)
    began = time.perf_counter()
    write_atomically(folder / "README.md", lambda tmp: tmp.write_text(_README))
    land = find_land(Grid(config.grid_degrees))
    climate = climate_at(land.lat, land.lon, seed=config.seed, years=config.years, start_year=config.start_year)
    soil = soil_at(land.lat, land.lon, config.seed)
    classes = tower_network.koppen_class(climate)
    groups = {letter: sum(name[0] == letter for name in classes) for letter in "ABCDE"}
    log.info(
        "%d land cells of %g degrees, %.0f million km2, climates %s",
        land.cell.size,
        config.grid_degrees,
        (land.area * land.land_fraction).sum() / 1e12,
        ", ".join(f"{count} {letter}" for letter, count in groups.items()),
    )
    region = landscape.regional(climate, soil, config.ages, config.seed, config.nature_distance)
    simulation = simulate(climate.forcing(soil["depth"]), config.ages, stands=STANDS, seed=config.seed)
    files = write_simulation(folder / "simulation", land, climate, soil, simulation, config.ages, config.start_year)
    log.info(
        "simulated %d cells x %d stands x %d ages x %d months: %d files (%.0f s)",
        land.cell.size,
        len(STANDS),
        len(config.ages),
        12 * config.years,
        files,
        time.perf_counter() - began,
    )
    truth = nature.true_fluxes(
        climate,
        soil["depth"],
        region,
        config.ages,
        seed=config.seed,
        distance=config.nature_distance,
        purpose="cells",
    )
    if config.nature_distance < 1:  # part of the ground follows the model's succession: maps must see that too
        region = landscape.with_fraction(region, truth.cover)
    seen = satellite.observed_layers(
        region.layers, config.years, generator(config.seed, "map error"), config.nature_distance, 0.10
    )
    seen_ages = satellite.observed_ages(
        region.age_weight, config.ages, generator(config.seed, "age error"), config.nature_distance
    )
    write_cover(folder / "cover", land, seen, seen_ages, config.start_year)
    write_cell_truth(folder / "truth" / "cells.nc", config, land, region, truth)
    leaves = Canopy.of(truth.leaf_area, region)
    green = greenness.observed(
        leaves, None, _sky(climate), generator(config.seed, "cells", "greenness"), config.nature_distance, 0.5
    )
    write_satellites(folder / "simulation", land, green, config.start_year)
    log.info("nature at %d cells: mean GPP %.2f %s", land.cell.size, truth.fluxes[..., 0].mean(), FLUX_UNIT)

    rng = generator(config.seed, "places")
    sites = tower_network.place_towers(land, region.vegetated, config.towers, rng)
    towers = _plots(config, sites, "towers")
    good, empty = _write_flux_towers(
        folder / "towers", config, towers, _greenness(config, towers, land, leaves, "towers")
    )
    write_site_truth(
        folder / "truth" / "towers.nc",
        config,
        towers.sites,
        towers.footprint,
        towers.igbp,
        towers.koppen,
        towers.fluxes,
    )
    log.info(
        "%d towers, %d site-months, %.0f %% of good quality, %d empty; mean GPP %.2f, NEE %.2f %s",
        len(sites.site),
        good.size,
        100 * good.mean(),
        empty,
        towers.fluxes[..., 0].mean(),
        towers.fluxes[..., 2].mean(),
        FLUX_UNIT,
    )
    spread = tower_network.place_virtual(
        land, region.vegetated, sites, config.virtual_towers, generator(config.seed, "virtual places")
    )
    virtual = _plots(config, spread, "virtual")
    _write_virtual_towers(
        folder / "virtual_towers", config, virtual, _greenness(config, virtual, land, leaves, "virtual")
    )
    write_site_truth(
        folder / "truth" / "virtual_towers.nc",
        config,
        virtual.sites,
        virtual.footprint,
        virtual.igbp,
        virtual.koppen,
        virtual.fluxes,
    )
    log.info(
        "%d virtual towers, mean GPP %.2f %s; the world took %.0f s",
        len(spread.site),
        virtual.fluxes[..., 0].mean() if len(spread.site) else float("nan"),
        FLUX_UNIT,
        time.perf_counter() - began,
    )


def _plots(config: WorldConfig, sites: Sites, purpose: str) -> Plots:
    """Draw microclimate and footprint of each site and run nature there."""
    rng = generator(config.seed, purpose, "plots")
    d, count = config.nature_distance, len(sites.site)
    climate = climate_at(
        sites.lat,
        sites.lon,
        seed=config.seed,
        years=config.years,
        start_year=config.start_year,
        extra_elevation=d * rng.normal(0, 130, count),
        warmer=d * rng.normal(0, 0.5, count),
        wetter=np.exp(d * rng.normal(0, 0.12, count)),
    )
    soil = soil_at(sites.lat, sites.lon, config.seed)
    depth = soil["depth"] * np.exp(d * rng.normal(0, 0.35, count))
    region = landscape.regional(climate, soil, config.ages, config.seed, d)
    footprint = landscape.footprints(region, config.ages, rng, d)
    truth = nature.true_fluxes(climate, depth, footprint, config.ages, seed=config.seed, distance=d, purpose=purpose)
    if d < 1:
        own = (
            truth.cover - d * footprint.fraction
        )  # share 1 - d follows the model's succession, at the tower and around
        region = landscape.with_fraction(region, own + d * region.fraction)
        footprint = landscape.with_fraction(footprint, truth.cover)
    igbp = tower_network.igbp_class(footprint, climate)
    return Plots(
        sites,
        climate,
        footprint,
        region,
        truth.fluxes,
        truth.leaf_area,
        truth.soil,
        igbp,
        tower_network.koppen_class(climate),
    )


def _site_cover(config: WorldConfig, plots: Plots, purpose: str) -> tuple:
    pixels = satellite.observed_layers(
        satellite.tower_pixels(plots.footprint, plots.region),
        config.years,
        generator(config.seed, purpose, "map error"),
        config.nature_distance,
        0.20,
    )
    ages = satellite.observed_ages(
        plots.footprint.age_weight, config.ages, generator(config.seed, purpose, "age error"), config.nature_distance
    )
    return site_tables(plots.sites.site, pixels, ages, config.start_year)


def _sunlight(climate: Climate) -> Array:
    months = climate.monthly["air_temperature"].shape[1]
    return diurnal.top_of_atmosphere(climate.lat)[:, np.arange(months) % 12]


def _sky(climate: Climate) -> Sky:
    return Sky(climate.monthly["air_temperature"], _sunlight(climate))


def _greenness(config: WorldConfig, plots: Plots, land: Land, leaves: Canopy, purpose: str) -> dict[str, Array]:
    """LAI and EVI of the pixels at sites, partly of the land around, whose leaves are those of the cells."""
    return greenness.observed(
        Canopy.of(plots.leaf_area, plots.footprint),
        greenness.around(plots.sites.lat, plots.sites.lon, land.lat, land.lon, leaves),
        _sky(plots.climate),
        generator(config.seed, purpose, "greenness"),
        config.nature_distance,
        1.0,
    )


def _write_flux_towers(
    folder: Path, config: WorldConfig, plots: Plots, green: dict[str, Array]
) -> tuple[NDArray[np.bool_], int]:
    """Write the towers with fluxes; returns whether each month of the records is good, and the empty months."""
    rng = generator(config.seed, "towers", "observation")
    record = gaps.records(len(plots.sites.site), config.years, rng)
    quality, nothing = gaps.quality(record, plots.climate.monthly["air_temperature"], plots.climate.lat, rng)
    columns = observation.weather(plots.climate, _sunlight(plots.climate), rng)
    columns |= observation.observe(plots.fluxes, quality, nothing, rng)
    plants, ages = _site_cover(config, plots, "towers")
    bif = bif_table(plots.sites, plots.igbp, plots.koppen, plots.climate)
    write_towers(folder, plots.sites, record, columns, green, bif, plants, ages, config.start_year, rng)
    return quality[np.isfinite(quality)] >= 0.5, int(nothing.sum())


def _write_virtual_towers(folder: Path, config: WorldConfig, plots: Plots, green: dict[str, Array]) -> None:
    """Write the virtual towers: the same columns, every flux of carbon dioxide -9999; some measure methane."""
    rng = generator(config.seed, "virtual", "observation")
    count = len(plots.sites.site)
    record = np.tile(np.array([[0, config.years]]), (count, 1))
    columns = observation.weather(plots.climate, _sunlight(plots.climate), rng)
    empty = np.full((count, 12 * config.years), np.nan)
    columns |= dict.fromkeys(observation.flux_columns(), empty)
    plants, ages = _site_cover(config, plots, "virtual")
    bif = bif_table(plots.sites, plots.igbp, plots.koppen, plots.climate)
    methane = wetland_sites.columns(plots.climate, plots.fluxes, plots.soil, config)
    write_towers(
        folder, plots.sites, record, columns, green, bif, plants, ages, config.start_year, rng, True, methane=methane
    )
