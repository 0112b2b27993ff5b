"""Build the world: geography, climate, simulation, nature, towers, and all of it as raw files in the real formats."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.config.world import WorldConfig
from dere.io import write_netcdf
from dere.variables import FLUX_UNIT, FLUXES, PLANT_TYPES, STANDS, VARIABLES
from dere.world import diurnal, gaps, landscape, nature, observation, satellite, tower_network
from dere.world.climate import Climate, climate_at
from dere.world.fields import generator
from dere.world.geography import Grid, Land, find_land
from dere.world.landscape import Landscape
from dere.world.process_model import simulate
from dere.world.soil import soil_at
from dere.world.tower_network import Sites
from dere.world.write_cover import site_tables, write_cover
from dere.world.write_simulation import month_axis, write_simulation
from dere.world.write_towers import bif_table, write_towers

log = logging.getLogger(__name__)

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
    igbp, koppen
        Classes.
    """

    sites: Sites
    climate: Climate
    footprint: Landscape
    region: Landscape
    fluxes: Array
    igbp: list[str]
    koppen: list[str]


def build_world(config: WorldConfig, folder: Path) -> None:
    """Write the whole ``raw/`` tree under ``folder``.

    Parameters
    ----------
    config
        Size, seed and distance of nature from the simulation.
    folder
        Gets ``simulation``, ``cover``, ``towers``, ``virtual_towers`` and ``truth``; each file is written atomically.

    Raises
    ------
    ValueError
        When grid or tower counts are impossible.
    """
    folder = Path(folder)
    began = time.perf_counter()
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
    cell_fluxes, cell_cover = nature.true_fluxes(
        climate,
        soil["depth"],
        region,
        config.ages,
        seed=config.seed,
        distance=config.nature_distance,
        purpose="cells",
    )
    if config.nature_distance < 1:  # part of the ground follows the model's succession: maps must see that too
        region = landscape.with_fraction(region, cell_cover)
    seen = satellite.observed_layers(
        region.layers, config.years, generator(config.seed, "map error"), config.nature_distance, 0.10
    )
    seen_ages = satellite.observed_ages(
        region.age_weight, config.ages, generator(config.seed, "age error"), config.nature_distance
    )
    write_cover(folder / "cover", land, seen, seen_ages, config.start_year)
    _write_cell_truth(folder / "truth" / "cells.nc", config, land, region, cell_fluxes, cell_cover)
    log.info("nature at %d cells: mean GPP %.2f %s", land.cell.size, cell_fluxes[..., 0].mean(), FLUX_UNIT)

    rng = generator(config.seed, "places")
    sites = tower_network.place_towers(land, region.vegetated, config.towers, rng)
    towers = _plots(config, sites, "towers")
    good, empty = _write_flux_towers(folder / "towers", config, towers)
    _write_site_truth(folder / "truth" / "towers.nc", config, towers)
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
    _write_virtual_towers(folder / "virtual_towers", config, virtual, towers)
    _write_site_truth(folder / "truth" / "virtual_towers.nc", config, virtual)
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
    fluxes, cover = nature.true_fluxes(
        climate, depth, footprint, config.ages, seed=config.seed, distance=d, purpose=purpose
    )
    if d < 1:
        own = cover - d * footprint.fraction  # share 1 - d follows the model's succession, at the tower and around
        region = landscape.with_fraction(region, own + d * region.fraction)
        footprint = landscape.with_fraction(footprint, cover)
    igbp = tower_network.igbp_class(footprint, climate)
    return Plots(sites, climate, footprint, region, fluxes, igbp, tower_network.koppen_class(climate))


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


def _sunlight(plots: Plots) -> Array:
    months = plots.fluxes.shape[1]
    return diurnal.top_of_atmosphere(plots.climate.lat)[:, np.arange(months) % 12]


def _write_flux_towers(folder: Path, config: WorldConfig, plots: Plots) -> tuple[NDArray[np.bool_], int]:
    """Write the towers with fluxes; returns whether each month of the records is good, and the empty months."""
    rng = generator(config.seed, "towers", "observation")
    record = gaps.records(len(plots.sites.site), config.years, rng)
    quality, nothing = gaps.quality(record, plots.climate.monthly["air_temperature"], plots.climate.lat, rng)
    columns = observation.weather(plots.climate, _sunlight(plots), rng)
    columns |= observation.observe(plots.fluxes, quality, nothing, rng)
    plants, ages = _site_cover(config, plots, "towers")
    bif = bif_table(plots.sites, plots.igbp, plots.koppen, plots.climate)
    write_towers(folder, plots.sites, record, columns, bif, plants, ages, config.start_year, rng)
    return quality[np.isfinite(quality)] >= 0.5, int(nothing.sum())


def _write_virtual_towers(folder: Path, config: WorldConfig, plots: Plots, towers: Plots) -> None:
    """Write the virtual towers: the same columns, every flux -9999."""
    rng = generator(config.seed, "virtual", "observation")
    count = len(plots.sites.site)
    record = np.tile(np.array([[0, config.years]]), (count, 1))
    columns = observation.weather(plots.climate, _sunlight(plots), rng)
    names: Sequence[str] = observation.flux_columns()
    empty = np.full((count, 12 * config.years), np.nan)
    columns |= {name: empty for name in names}
    plants, ages = _site_cover(config, plots, "virtual")
    bif = bif_table(plots.sites, plots.igbp, plots.koppen, plots.climate)
    write_towers(folder, plots.sites, record, columns, bif, plants, ages, config.start_year, rng, keep_all=True)


def _flux_attrs() -> dict[str, str]:
    return {"long_name": "true flux", "units": FLUX_UNIT}


def _write_site_truth(path: Path, config: WorldConfig, plots: Plots) -> None:
    dataset = xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), plots.fluxes.astype(np.float32), _flux_attrs()),
            "plant_fraction": (("site", "plant_type"), plots.footprint.fraction),
            "age_weight": (("site", "age"), plots.footprint.age_weight),
            "nutrient": ("site", plots.footprint.nutrient),
            "water_table": ("site", plots.footprint.water_table),
            "harvest": ("site", plots.footprint.harvest),
            "disturbance": ("site", plots.footprint.disturbance),
        },
        coords={
            "site": ("site", np.array(plots.sites.site, dtype=object)),
            "lat": ("site", plots.sites.lat),
            "lon": ("site", plots.sites.lon),
            "igbp": ("site", np.array(plots.igbp, dtype=object)),
            "koppen": ("site", np.array(plots.koppen, dtype=object)),
            "flux": ("flux", list(FLUXES)),
            "plant_type": list(PLANT_TYPES),
            "age": list(config.ages),
            **month_axis(config.start_year, config.years),
        },
    )
    write_netcdf(dataset, path)


def _write_cell_truth(
    path: Path, config: WorldConfig, land: Land, region: Landscape, fluxes: Array, cover: Array
) -> None:
    """Write true land-mean fluxes per vegetated area."""
    dataset = xr.Dataset(
        {
            "flux_value": (("cell", "time", "flux"), fluxes.astype(np.float32), _flux_attrs()),
            "vegetated_fraction": ("cell", region.vegetated, VARIABLES["vegetated_fraction"].attrs),
            "land_fraction": ("cell", land.land_fraction, {"long_name": "land share of the cell", "units": "1"}),
            "plant_fraction": (("cell", "plant_type"), cover),
            "age_weight": (("cell", "age"), region.age_weight),
        },
        coords={
            "cell": ("cell", land.cell),
            "lat": ("cell", land.lat),
            "lon": ("cell", land.lon),
            "flux": ("flux", list(FLUXES)),
            "plant_type": list(PLANT_TYPES),
            "age": list(config.ages),
            **month_axis(config.start_year, config.years),
        },
    )
    write_netcdf(dataset, path)
