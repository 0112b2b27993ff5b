"""The variable table: names, units, signs, valid ranges, and what is physically possible.

Fluxes inside the project are gC m-2 d-1, NEE positive to the atmosphere; public product files use kg m-2 s-1.
Ingest converts and checks through this table, figures take their labels from it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import numpy as np

log = logging.getLogger(__name__)

PLANT_TYPES = ("BL", "NL", "GS")
STANDS = (*PLANT_TYPES, "mixture")
MIXTURE = STANDS.index("mixture")
TARGETS = ("height", "agb", "soil_carbon", "lai", "gpp", "npp", "rh", "nee", "ra", "reco")
FLUX_TARGETS = ("gpp", "npp", "rh", "nee", "ra", "reco")
FREE_TARGETS = ("height", "agb", "soil_carbon", "lai", "gpp", "ra", "rh")
FLUXES = ("gpp", "reco", "nee")
MONTHLY8 = (
    "air_temperature",
    "precipitation",
    "shortwave",
    "longwave",
    "vpd",
    "pressure",
    "wind",
    "co2",
)
SATELLITE = ("lai_satellite", "evi_satellite")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of the quantiles in predictions and labels."""

WETLAND_CLASSES = ("drained", "wet tundra", "bog", "fen", "swamp")
"""Classes of FLUXNET-CH4 wetlands that a source of the package states; ``wetland_class`` holds their numbers from 1."""
_NUMBERED = ", ".join(f"{number} {name}" for number, name in enumerate(WETLAND_CLASSES, 1))

FLUX_UNIT = "gC m-2 d-1"
UMOL_TO_GC_PER_DAY = 12.011e-6 * 86400.0
CH4_PER_CARBON = 16.043 / 12.011
"""Mass of methane per mass of the carbon in it."""
GC_PER_DAY_TO_KG_PER_SECOND = 1e-3 / 86400.0


Range = tuple[float, float]
"""Inclusive lower and upper bound."""
Step = Literal["hour", "day", "month"]
"""Over what a value is a mean: at most an hour, a day, or a month."""


@dataclass(frozen=True)
class Variable:
    """One quantity.

    Parameters
    ----------
    name
        Canonical name, used as NetCDF variable or coordinate label.
    long_name
        Text for axis labels and attributes.
    unit
        Canonical unit.
    valid_range
        Bounds in the canonical unit of what is usual; values outside are counted, never clipped.
    possible
        Bounds of what a monthly mean can be (see below the table); a value outside is no value: it counts as missing,
        or its file is refused.
    standard_name
        CF standard name where one exists.
    possible_day, possible_hour
        The same of a day, and of an hour or less; by default those of the next longer step.
    """

    name: str
    long_name: str
    unit: str
    valid_range: Range
    possible: Range
    standard_name: str | None = None
    possible_day: Range | None = None
    possible_hour: Range | None = None

    @property
    def label(self) -> str:
        """Axis label with unit."""
        return f"{self.long_name} ({self.unit})"

    def possible_of(self, step: Step) -> Range:
        """Bounds of what a mean over a step can be."""
        of_day = self.possible if self.possible_day is None else self.possible_day
        of_hour = of_day if self.possible_hour is None else self.possible_hour
        return {"month": self.possible, "day": of_day, "hour": of_hour}[step]

    @property
    def attrs(self) -> dict[str, str]:
        """NetCDF attributes of the canonical variable."""
        attrs = {"long_name": self.long_name, "units": self.unit}
        if self.standard_name:
            attrs["standard_name"] = self.standard_name
        return attrs


_GPP = "gross_primary_productivity_of_biomass_expressed_as_carbon"
_NPP = "net_primary_productivity_of_biomass_expressed_as_carbon"
_RA = "surface_upward_mass_flux_of_carbon_dioxide_expressed_as_carbon_due_to_plant_respiration"
_RH = "surface_upward_mass_flux_of_carbon_dioxide_expressed_as_carbon_due_to_heterotrophic_respiration"

_SHORTWAVE = "surface_downwelling_shortwave_flux_in_air"
_LONGWAVE = "surface_downwelling_longwave_flux_in_air"
_CO2 = "mole_fraction_of_carbon_dioxide_in_air"

VARIABLES: dict[str, Variable] = {
    v.name: v
    for v in (
        Variable(
            "air_temperature", "air temperature", "degC", (-70.0, 50.0), (-85.0, 55.0), "air_temperature",
            possible_day=(-95.0, 65.0),
        ),
        Variable(
            "precipitation", "precipitation", "mm d-1", (0.0, 60.0), (-1.0, 320.0),
            possible_day=(-10.0, 2000.0), possible_hour=(-10.0, 20000.0),
        ),
        Variable(
            "shortwave", "downward shortwave radiation", "W m-2", (0.0, 450.0), (-20.0, 600.0), _SHORTWAVE,
            possible_day=(-30.0, 700.0), possible_hour=(-50.0, 1800.0),
        ),
        Variable(
            "longwave", "downward longwave radiation", "W m-2", (80.0, 550.0), (50.0, 650.0), _LONGWAVE,
            possible_day=(20.0, 800.0),
        ),
        Variable(
            "vpd", "vapour pressure deficit", "hPa", (0.0, 80.0), (-5.0, 100.0),
            "water_vapor_saturation_deficit_in_air", possible_day=(-5.0, 150.0),
        ),
        Variable("pressure", "surface air pressure", "kPa", (45.0, 110.0), (30.0, 115.0), "surface_air_pressure"),
        Variable(
            "wind", "wind speed", "m s-1", (0.0, 25.0), (0.0, 40.0), "wind_speed",
            possible_day=(0.0, 100.0), possible_hour=(0.0, 120.0),
        ),
        Variable(
            "co2", "CO2 mole fraction of air", "ppm", (250.0, 1200.0), (200.0, 1500.0), _CO2,
            possible_day=(100.0, 3000.0),
        ),
        Variable(
            "lai_satellite", "satellite leaf area index", "m2 m-2", (0.0, 10.0), (-0.1, 20.0), "leaf_area_index"
        ),
        Variable("evi_satellite", "enhanced vegetation index", "1", (-0.2, 1.0), (-0.25, 1.2)),
        Variable("height", "mean canopy height", "m", (0.0, 60.0), (-1.0, 130.0), "canopy_height"),
        Variable("agb", "above-ground biomass carbon", "kgC m-2", (0.0, 40.0), (-1.0, 400.0)),
        Variable("soil_carbon", "soil carbon", "kgC m-2", (0.0, 80.0), (-1.0, 1000.0), "soil_mass_content_of_carbon"),
        Variable("lai", "leaf area index", "m2 m-2", (0.0, 12.0), (-0.1, 30.0), "leaf_area_index"),
        Variable(
            "gpp", "gross primary production", FLUX_UNIT, (-5.0, 30.0), (-20.0, 45.0), _GPP,
            possible_day=(-50.0, 80.0), possible_hour=(-250.0, 250.0),
        ),
        Variable("npp", "net primary production", FLUX_UNIT, (-10.0, 25.0), (-45.0, 45.0), _NPP),
        Variable("rh", "heterotrophic respiration", FLUX_UNIT, (0.0, 20.0), (-1.0, 45.0), _RH),
        Variable(
            "nee", "net ecosystem exchange (positive to the atmosphere)", FLUX_UNIT, (-25.0, 20.0), (-40.0, 25.0),
            possible_day=(-80.0, 60.0), possible_hour=(-250.0, 250.0),
        ),
        Variable("ra", "autotrophic respiration", FLUX_UNIT, (0.0, 20.0), (-20.0, 45.0), _RA),
        Variable(
            "reco", "ecosystem respiration", FLUX_UNIT, (-5.0, 30.0), (-20.0, 45.0),
            possible_day=(-50.0, 80.0), possible_hour=(-250.0, 250.0),
        ),
        Variable(
            "ch4", "methane flux as carbon (positive to the atmosphere)", FLUX_UNIT, (-0.02, 2.0), (-0.5, 6.0),
            possible_day=(-3.0, 30.0), possible_hour=(-30.0, 100.0),
        ),
        Variable("wetland_class", f"wetland class, {_NUMBERED}", "1", (1.0, 5.0), (0.5, 5.5)),
        Variable("plant_fraction", "plant-type fraction of the vegetated area", "1", (0.0, 1.0), (-0.01, 1.05)),
        Variable("vegetated_fraction", "vegetated fraction of the land area", "1", (0.0, 1.0), (-0.01, 1.05)),
        Variable("age_weight", "share of stand age", "1", (0.0, 1.0), (-0.01, 1.05)),
    )
}  # fmt: skip
"""The table. What is possible goes beyond every record, and stays clear of the marks of missing values (-9999, 9999):

- air temperature: -89 degC (Vostok) and 57 (Death Valley) at an instant, months of -75 and 43;
- precipitation: 0.4 m within an hour, 1.8 m within a day (Reunion), 9.3 m within a month (Cherrapunji); weighing gauges
  and monthly differences may be a little below zero;
- shortwave: months and days stay below the top of the atmosphere (560 W m-2 at a pole), clouds at the sun's edge raise
  half hours above it; nights read a little below zero;
- longwave: the sky of the Antarctic plateau in winter is near 60 W m-2, a black body of 55 degC at 660;
- VPD: saturation at 55 degC is 157 hPa; values a little below zero are rounding of saturated air;
- pressure: 33 kPa on the highest peak, 108 in the strongest high; wind: 86 m s-1 in the strongest ten minutes, 29 in
  the windiest month (both measured); CO2: nights below dense canopies pass 1000 ppm;
- LAI of MODIS and its EVI reach 10 and -0.2 to 1, its own marks (24.9 to 25.5; -0.3) lie beyond;
- states: the tallest tree has 116 m, the heaviest stands about 260 kgC m-2, peat several hundred;
- fluxes of months: about twice the largest that 260 real records hold (GPP 24, RECO 31, NEE -16 to 9 gC m-2 d-1); of
  days: three times; half hours of 240 umol m-2 s-1 are twice the best of maize and far beyond the noise;
- methane: the largest month of 15 real wetlands is 0.56 gC m-2 d-1, their days reach from -1.8 to 3.4; months
  may be ten times that.
"""

# (from, to) -> (factor, offset): value_to = value_from * factor + offset
_CONVERSIONS: dict[tuple[str, str], tuple[float, float]] = {
    ("K", "degC"): (1.0, -273.15),
    ("degC", "K"): (1.0, 273.15),
    ("hPa", "kPa"): (0.1, 0.0),
    ("kPa", "hPa"): (10.0, 0.0),
    ("Pa", "hPa"): (0.01, 0.0),
    ("Pa", "kPa"): (0.001, 0.0),
    ("hPa", "Pa"): (100.0, 0.0),
    ("kPa", "Pa"): (1000.0, 0.0),
    ("umol mol-1", "ppm"): (1.0, 0.0),
    ("mol mol-1", "ppm"): (1e6, 0.0),
    ("kg m-2 s-1", "mm d-1"): (86400.0, 0.0),
    ("umolCO2 m-2 s-1", FLUX_UNIT): (UMOL_TO_GC_PER_DAY, 0.0),
    ("kgC m-2 yr-1", FLUX_UNIT): (1000.0 / 365.25, 0.0),
    (FLUX_UNIT, "kgC m-2 yr-1"): (365.25 / 1000.0, 0.0),
    ("kgC m-2 s-1", FLUX_UNIT): (8.64e7, 0.0),
    (FLUX_UNIT, "kg m-2 s-1"): (GC_PER_DAY_TO_KG_PER_SECOND, 0.0),
    ("kg m-2 s-1", FLUX_UNIT): (1.0 / GC_PER_DAY_TO_KG_PER_SECOND, 0.0),
    ("%", "1"): (0.01, 0.0),
    # of methane: its mass is carbon inside the project and in public files, and methane where a unit says CH4
    ("nmolCH4 m-2 s-1", FLUX_UNIT): (1e-3 * UMOL_TO_GC_PER_DAY, 0.0),
    (FLUX_UNIT, "nmolCH4 m-2 s-1"): (1e3 / UMOL_TO_GC_PER_DAY, 0.0),
    ("mgCH4 m-2 d-1", FLUX_UNIT): (1e-3 / CH4_PER_CARBON, 0.0),
    (FLUX_UNIT, "mgCH4 m-2 d-1"): (1e3 * CH4_PER_CARBON, 0.0),
}


def convert(values: np.ndarray, source_unit: str, target_unit: str, what: str = "values") -> np.ndarray:
    """Convert ``values`` between units of the table.

    Raises
    ------
    ValueError
        When no conversion between the two units is known; names ``what`` and both units.
    """
    if source_unit == target_unit:
        return values
    try:
        factor, offset = _CONVERSIONS[source_unit, target_unit]
    except KeyError:
        known = sorted({a for a, b in _CONVERSIONS if b == target_unit} | {target_unit})
        raise ValueError(
            f"{what} has unit '{source_unit}', but '{target_unit}' is needed and the units that convert to it "
            f"are {known}; correct the unit attribute or convert the file first"
        ) from None
    return values * factor + offset


class RangeTally:
    """Values outside the valid ranges, added up over blocks of an array and reported once.

    Attributes
    ----------
    outside, known
        Number of values outside the range, and of finite values, by variable name.
    """

    def __init__(self) -> None:
        self.outside: dict[str, int] = {}
        self.known: dict[str, int] = {}

    def add(self, name: str, values: np.ndarray) -> None:
        """Count a block of variable ``name``."""
        low, high = VARIABLES[name].valid_range
        finite = np.asarray(values)[np.isfinite(values)]
        self.outside[name] = self.outside.get(name, 0) + int(((finite < low) | (finite > high)).sum())
        self.known[name] = self.known.get(name, 0) + finite.size

    def report(self, where: str) -> None:
        """Log a warning for every variable with values outside its range."""
        for name, outside in self.outside.items():
            if outside:
                (low, high), unit = VARIABLES[name].valid_range, VARIABLES[name].unit
                log.warning(
                    "%s: %d of %d values of %s outside [%g, %g] %s",
                    where,
                    outside,
                    self.known[name],
                    name,
                    low,
                    high,
                    unit,
                )


def count_out_of_range(name: str, values: np.ndarray, where: str) -> int:
    """Count, and log with a warning, finite values outside the valid range of variable ``name``."""
    tally = RangeTally()
    tally.add(name, values)
    tally.report(where)
    return tally.outside[name]
