"""Columns of the FLUXNET product, which other collections keep (Pastorello and others 2020); imports nothing heavy.

Monthly and daily files are in canonical units; fluxes of half hours are umolCO2 m-2 s-1 and their precipitation is a
sum per step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dere.ingest.source import Column
from dere.variables import FLUX_UNIT, VARIABLES

CITATION = "Pastorello et al. 2020, Sci Data 7:225, doi 10.1038/s41597-020-0534-3, and each site's DOI"
CO2 = "CO2_F_MDS"
STEMS: dict[str, str] = {
    "air_temperature": "TA",
    "precipitation": "P",
    "shortwave": "SW_IN",
    "longwave": "LW_IN",
    "vpd": "VPD",
    "pressure": "PA",
    "wind": "WS",
}
"""Driver to the beginning of its columns' names."""
DRIVERS: dict[str, tuple[str, str, str]] = {
    **{name: (f"{stem}_F", f"{stem}_F_QC", f"{stem}_ERA") for name, stem in STEMS.items()},
    "co2": (CO2, f"{CO2}_QC", "CO2_ERA"),
}
"""Driver to its filled, its quality and its reanalysis column."""
FLUX_NAMES = ("nee", "gpp_nt", "gpp_dt", "reco_nt", "reco_dt")
"""Fluxes of a record, in both partitionings."""
FLUX_UNIT_OF_STEPS = "umolCO2 m-2 s-1"
"""Unit of the fluxes of half hours and hours."""
LARGEST_FLUX = 100.0
"""Half hours beyond this are failures of a partitioning fit, not fluxes: FLUXNET-CH4 has days of 1e142 and of infinity
at RU-Che and RU-Ch2, and EcoPerceiver masks CarbonSense at the same limit (arXiv 2406.04940)."""
CO2_ZEROS = "co2_zeros"
"""Count of mole fractions of zero: gaps that a compiler wrote as a number."""


def flux_names(variant: str) -> dict[str, str]:
    """Canonical name to column of a variant such as "VUT_REF"."""
    return {
        "nee": f"NEE_{variant}",
        "nee_quality": f"NEE_{variant}_QC",
        "gpp_nt": f"GPP_NT_{variant}",
        "gpp_dt": f"GPP_DT_{variant}",
        "reco_nt": f"RECO_NT_{variant}",
        "reco_dt": f"RECO_DT_{variant}",
        "nee_joint_uncertainty": f"NEE_{variant}_JOINTUNC",
        "nee_random_uncertainty": f"NEE_{variant}_RANDUNC",
    }


def flux_columns(variant: str) -> tuple[Column, ...]:
    """Flux columns of a variant in files of days and months."""
    return tuple(
        Column(column, name, "1" if name.endswith("_quality") else FLUX_UNIT)
        for name, column in flux_names(variant).items()
    )


def driver_columns() -> tuple[Column, ...]:
    """Driver columns of files of days and months."""
    found = []
    for name, (filled, quality, reanalysis) in DRIVERS.items():
        unit = VARIABLES[name].unit
        zeros = name == "co2"
        found += [
            Column(filled, name, unit, missing=(0.0,) * zeros, counted=CO2_ZEROS * zeros),
            Column(quality, f"{name}_quality", "1"),
            Column(reanalysis, f"{name}_reanalysis", unit),
        ]
    return tuple(found)


def satellite_columns() -> tuple[Column, ...]:
    """LAI and EVI beside the product's own columns, as the monthly extract and the built-in world have them."""
    return (Column("LAI", "lai_satellite", "m2 m-2"), Column("EVI", "evi_satellite", "1"))


def methane_columns() -> tuple[Column, ...]:
    """Measured methane of a month and its share of measured days, as the package's months and the world have them."""
    return Column("FCH4", "ch4", "nmolCH4 m-2 s-1"), Column("FCH4_QC", "ch4_quality", "1")


def filled_columns() -> tuple[Column, ...]:
    """Filled columns of the drivers without CO2, in files of days and months."""
    return tuple(Column(f"{stem}_F", name, VARIABLES[name].unit) for name, stem in STEMS.items())


def of_steps(columns: Iterable[Column]) -> tuple[Column, ...]:
    """Return the same columns in the units of half hours and hours."""
    units = {FLUX_UNIT: FLUX_UNIT_OF_STEPS, VARIABLES["precipitation"].unit: "mm step-1"}
    return tuple(replace(column, unit=units.get(column.unit, column.unit)) for column in columns)
