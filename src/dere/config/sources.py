"""Configuration of the three sources and of their harmonisation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dere.config.base import Section
from dere.config.cover import CoverSource
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
    perturbation_seed: int = 0
    """builtin only: seed of the perturbations and of the spin-up's resampled years."""
    ages: tuple[int, ...] = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)
    """builtin and dere: stand ages in years, one per age of the arrays; those of the dere arrays are not published."""
    member_months: int = Field(120, ge=12, multiple_of=12)
    """builtin only: months kept of each forcing for pre-training, at least harmonise.window (bounds the memory)."""
    satellites: Literal["site", "simulated"] = "simulated"
    """builtin only, LAI and EVI of the forcings: the site's own record, or what satellites see of the simulated LAI."""
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


class TowerSource(Section):
    """Flux towers."""

    provider: Literal["files", "dere"] = "files"
    """files = folders of tower files; dere = the towers of the simulation's arrays (sources.simulation.network)."""
    paths: tuple[str, ...] = ()
    """Folders of tower files, also inside zips; the format of each file is recognised; empty = the built-in world's."""
    use_satellites: bool = False
    """Read LAI and EVI columns where a format has them."""
    resolution: tuple[Literal["MM", "DD", "HH", "HR"], ...] = Field(("MM", "DD", "HH", "HR"), min_length=1)
    """Steps that may be read where a site brings several of one processing, the preferred one first."""
    minimum_coverage: float = Field(0.8, gt=0, le=1)
    """Months made from days or half hours need this share of their steps, else they are missing."""
    diurnal_cycles: bool = False
    """Read half-hourly files also beside monthly ones, for mean diurnal cycles and the share that was measured."""
    threshold: Literal["ref", "ustar50"] = "ref"
    """Friction-velocity threshold of the fluxes: the reference member or the median threshold."""
    cut_or_vut: Literal["vut", "cut"] = "vut"
    """Threshold that varies by year (vut) or is constant (cut)."""
    partitioning: Literal["nt", "dt"] = "nt"
    """Partitioning of the labels: night-time (nt) or day-time (dt)."""
    fallback: Literal["none", "threshold", "all"] = "threshold"
    """What a site without a month of the wanted variant may take for its whole record: nothing, another threshold, or
    (all) also the other partitioning; each such site is counted."""
    members: bool = False
    """Keep the percentile members of NEE and GPP, whose annual sums must use the same member all year."""
    maximum_member_gb: float = Field(4.0, gt=0)
    """Files inside archives (and compressed ones) that unpack to more are refused."""
    maximum_compression: float = Field(200.0, gt=1)
    """Files inside archives that unpack to more than so many times their stored size are refused."""


class SourcesConfig(Section):
    """The three sources."""

    simulation: SimulationSource = SimulationSource()
    cover: CoverSource = CoverSource()
    towers: TowerSource = TowerSource()


class HarmoniseConfig(Section):
    """How the sources become the canonical set."""

    driver_set: Literal["monthly8", "carbonglobe136"] = "monthly8"
    """Drivers of a run, the same for cells and towers."""
    satellites: bool = False
    """Add LAI and EVI channels with a mask."""
    window: int = Field(120, ge=12)
    """Months of a network window."""
    window_stride: int = Field(60, ge=1)
    """Months between the starts of a long record's windows; the last window ends with the record."""
    co2: Literal["auto", "global", "tower"] = "auto"
    """CO2 of towers: the global record (own columns carry local respiration); auto = own column in the world only."""
    tower_weather: Literal["own", "cell"] = "own"
    """Weather of towers under carbonglobe136: their own where they have it, or that of the covering cell throughout."""
    minimum_training_quality: float = Field(0.5, ge=0, le=1)
    """Months below this share of measured or well-filled data have no training label."""
    maximum_closure_residual: float = Field(0.5, gt=0)
    """Months whose published RECO differs more from NEE + GPP are rejected (gC m-2 d-1)."""
    repeated_run: int = Field(3, ge=2)
    """Runs of so many equal flux values are rejected as stuck."""
    minimum_labelled_months: int = Field(6, ge=1)
    """Towers with fewer good months count as sites without labels."""
    maximum_driver_gap: float = Field(0.3, ge=0, le=1)
    """A site with a larger share of months filled by its own climatology in a core driver is dropped."""
    dominance: float = Field(0.9, gt=0.5, le=1)
    """Simulations without pure stands: cells with a plant type above this share serve as pure samples of it."""
    regrid: Literal["conservative", "refuse"] = "conservative"
    """Plant-type maps on another regular grid than the simulation's: area-weighted means for its cells, or an error."""


class SplitsConfig(Section):
    """Who trains, validates and tests."""

    folds: int = Field(5, ge=3)
    """Number of folds; test = fold k, validation = fold k+1, the rest trains."""
    cluster_km: float = Field(50.0, gt=0)
    """Towers closer than this share a fold."""
    block_degrees: float = Field(12.0, gt=0)
    """Cells in one block of this size share a fold."""
    seed: int = 0
    """Seed of the assignment of clusters to folds."""
    cell_rule: Literal["blocks", "published_every_fourth"] = "blocks"
    """blocks = cells of one block share a fold; published_every_fourth = the published lattice (fold 0 only)."""
    site_rule: Literal["clusters", "published"] = "clusters"
    """clusters = neighbouring towers share a fold; published = training and test towers of the dere arrays (fold 0)."""
