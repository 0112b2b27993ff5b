"""Configuration of simulations by process models other than ED: what their NetCDF files are called and mean."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dere.config.base import Section

StandClass = Literal["BL", "NL", "GS", "none"]
Stamps = Literal["auto", "start", "end"]

_VARIABLES = {
    "gpp": "gpp",
    "ra": "ra",
    "rh": "rh",
    "lai": "lai",
    "vegetation_carbon": "cVeg",
    "soil_carbon": "cSoil",
    "root_carbon": "",
    "height": "",
    "cover": "landCoverFrac",
}
_NEEDLE, _BROAD, _GRASS = (
    ("BNE", "BINE", "BNS", "TeNE"),
    ("IBS", "TeBS", "TeBE", "TrBE", "TrIBE", "TrBR"),
    ("C3G", "C4G"),
)
_PLANT_TYPES: dict[str, StandClass] = {
    **{name: "NL" for name in _NEEDLE},
    **{name: "BL" for name in _BROAD},
    **{name: "GS" for name in _GRASS},
}
# Trees: root to shoot 0.26 (Cairns et al. 1997, doi 10.1007/s004420050201); grass and shrub keep most carbon below
# ground, 0.25 is an assumption within the range of reported ratios.
_ABOVE_GROUND = {"BL": 0.79, "NL": 0.79, "GS": 0.25}
_DRIVERS = {
    "air_temperature": "tmp",
    "precipitation": "pre",
    "shortwave": "dswrf",
    "longwave": "dlwrf",
    "pressure": "pres",
    "specific_humidity": "spfh",
    "vpd": "",
    "wind": "",
    "wind_east": "ugrd",
    "wind_north": "vgrd",
}


class NetcdfSimulation(Section):
    """format netcdf only: another process model (LPJ-GUESS, TRENDY), where its variables are and what they mean."""

    pattern: str = "*_{name}.nc"
    """File of a variable below sources.simulation.path; may hold {plant_type} and {age}, then one file for each."""
    variables: dict[str, str] = Field(_VARIABLES)
    """Names in the files; an empty root_carbon or height is estimated from vegetation carbon."""
    plant_types: dict[str, StandClass] = Field(_PLANT_TYPES)
    """Class of each plant type of the model (the default is LPJ-GUESS); none = no vegetation."""
    plant_type_names: tuple[str, ...] = ()
    """Names along the plant-type dimension, in order; empty = as the files label them."""
    stamps: Stamps = "auto"
    """What stamps at first instants without bounds are of their months (years); auto = as other files tell, or stop."""
    per: Literal["plant_type_area", "cell_area"] = "plant_type_area"
    """Whether values of a plant type are per area that it covers or per area of the cell."""
    minimum_fraction: float = Field(0.01, gt=0, lt=1)
    """A class below this share of the vegetation has no pure stand in the cell."""
    minimum_vegetated: float = Field(0.05, gt=0, lt=1)
    """Cells with less vegetation than this share of their land are left out."""
    above_ground: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(_ABOVE_GROUND)
    """Above-ground share of vegetation carbon by class, where root_carbon is not given."""
    drivers_pattern: str = "*[._]{name}[._]*nc"
    """File of a driver below sources.simulation.path."""
    drivers: dict[str, str] = Field(_DRIVERS)
    """Names of monthly drivers (CRU-JRA); an empty vpd or wind follows from humidity or from the two components."""
    driver_stamps: Stamps = "auto"
    """The same for the drivers; auto = as shortwave follows the sun, or stop."""
    co2: str = "*co2*.txt"
    """Text file of year and CO2 (ppm) in each row, or of year, month and CO2, below sources.simulation.path."""
