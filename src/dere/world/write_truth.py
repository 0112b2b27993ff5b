"""The world's truth as NetCDF: fluxes and stocks of cells, fluxes of sites; only evaluation and figures read it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.config.world import WorldConfig
from dere.invented import WORLD
from dere.io import write_netcdf
from dere.variables import FLUX_UNIT, FLUXES, PLANT_TYPES, VARIABLES
from dere.world.forcing import DAYS_IN_MONTH
from dere.world.geography import Land
from dere.world.landscape import Landscape
from dere.world.nature import Truth
from dere.world.tower_network import Sites
from dere.world.write_simulation import month_axis

Array = NDArray[np.float64]


def _flux_attrs() -> dict[str, str]:
    return {"long_name": "true flux", "units": FLUX_UNIT}


def _stock_attrs(where: str) -> dict[str, str]:
    return {"long_name": f"carbon of {where}, per vegetated area", "units": "kgC m-2"}


def write_site_truth(
    path: Path,
    config: WorldConfig,
    sites: Sites,
    footprint: Landscape,
    igbp: list[str],
    koppen: list[str],
    fluxes: Array,
) -> None:
    """Write true fluxes of sites and what grows there."""
    dataset = xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), fluxes.astype(np.float32), _flux_attrs()),
            "plant_fraction": (("site", "plant_type"), footprint.fraction),
            "age_weight": (("site", "age"), footprint.age_weight),
            "nutrient": ("site", footprint.nutrient),
            "water_table": ("site", footprint.water_table),
            "harvest": ("site", footprint.harvest),
            "disturbance": ("site", footprint.disturbance),
        },
        coords={
            "site": ("site", np.array(sites.site, dtype=object)),
            "lat": ("site", sites.lat),
            "lon": ("site", sites.lon),
            "igbp": ("site", np.array(igbp, dtype=object)),
            "koppen": ("site", np.array(koppen, dtype=object)),
            "flux": ("flux", list(FLUXES)),
            "plant_type": list(PLANT_TYPES),
            "age": list(config.ages),
            **month_axis(config.start_year, config.years),
        },
    )
    write_netcdf(dataset.assign_attrs(source=WORLD), path)


def write_cell_truth(path: Path, config: WorldConfig, land: Land, region: Landscape, truth: Truth) -> None:
    """Write true land-mean fluxes and stocks per vegetated area."""
    dataset = xr.Dataset(
        {
            "flux_value": (("cell", "time", "flux"), truth.fluxes.astype(np.float32), _flux_attrs()),
            "export": (
                ("cell", "time"),
                truth.export.astype(np.float32),
                {"long_name": "carbon taken away by harvest, less seeds that arrive", "units": FLUX_UNIT},
            ),
            "plant_carbon": ("cell", truth.plant_carbon / 1000.0, _stock_attrs("living plants before the first month")),
            "soil_carbon": ("cell", truth.soil_carbon / 1000.0, _stock_attrs("soil and litter before the first month")),
            "total_carbon": (
                ("cell", "time"),
                truth.carbon(np.tile(DAYS_IN_MONTH, config.years)) / 1000.0,
                _stock_attrs("plants and soil after the month, as the fluxes and the export have changed it"),
            ),
            "vegetated_fraction": ("cell", region.vegetated, VARIABLES["vegetated_fraction"].attrs),
            "land_fraction": ("cell", land.land_fraction, {"long_name": "land share of the cell", "units": "1"}),
            "cell_area": ("cell", land.area, {"standard_name": "cell_area", "units": "m2"}),
            "plant_fraction": (("cell", "plant_type"), truth.cover),
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
    write_netcdf(dataset.assign_attrs(source=WORLD), path)
