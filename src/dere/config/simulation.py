"""Configuration of the process-model simulation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section
from dere.config.process_models import NetcdfSimulation


class SimulationSource(Section):
    """Where the process-model simulation comes from."""

    provider: Literal["files", "builtin"] = "files"
    """files = read a simulation; builtin = run the built-in process model on the towers' forcing."""
    format: Literal["carbonglobe", "dere", "netcdf"] = "carbonglobe"
    """files only: CarbonGlobe arrays, the processed arrays of DERE (npz), or NetCDF of another process model."""
    path: str = ""
    """Folder with mask2d.npy, glob_X_fea.npy, glob_Y*.npy; empty = the built-in world's."""
    perturbations: int = Field(3, ge=0)
    """builtin only: perturbed copies of each forcing (temperature, precipitation, VPD, CO2, soil depth)."""
    perturbation_seed: int = Field(0, ge=0)
    """builtin only: seed of the perturbations and of the spin-up's resampled years."""
    ages: tuple[int, ...] = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)
    """builtin and dere: stand ages in years, one per age of the arrays; those of the dere arrays are not published."""
    member_months: int = Field(120, ge=12, multiple_of=12)
    """builtin only: months kept of each forcing for pre-training, at least harmonise.window (bounds the memory)."""
    satellites: Literal["site", "simulated"] = "simulated"
    """builtin only, LAI and EVI of the forcings: the site's own record, or what satellites see of the simulated LAI."""
    leaf_area: Literal["prognostic", "satellite"] = "prognostic"
    """builtin only, the light that leaves absorb: of the model's own leaves, or brought to what LAI and EVI show."""
    network: Literal[
        "above", "ameriflux", "fluxnet", "icos-ww", "icos-2023", "mix", "multiple", "networks", "6networks"
    ] = "multiple"
    """dere only: the towers whose arrays are read; mix, multiple, networks and 6networks are unions of the others."""
    coordinates: str = ""
    """dere only: csv (kind, index, id, lat, lon, igbp); empty = unknown: no maps, only the published split."""
    grid_degrees: float = Field(0.5, gt=0)
    """dere only: grid of the cells that the coordinates place."""
    start_year: int = Field(1981, ge=1700, le=2100)
    """Public CarbonGlobe only: first year of the drivers; index 0 of its targets is the state before it."""
    row_order: Literal["auto", "north", "south"] = "auto"
    """Public CarbonGlobe only: where row 0 of mask2d.npy lies; auto compares the mask with the coastlines."""
    hours: Literal["local", "keep"] = "local"
    """Public CarbonGlobe only: local = cycles found to be in UTC are shifted to solar time; keep = as they are."""
    annual_targets: Literal["refuse", "states_only"] = "refuse"
    """Fluxes that repeat one annual value in 12 months: stop, or keep the states and drop the fluxes."""
    netcdf: NetcdfSimulation = NetcdfSimulation()
