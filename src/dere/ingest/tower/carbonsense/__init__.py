"""CarbonSense (arXiv 2406.04940): v1, a folder per site, and v2, one SQLite file."""

from __future__ import annotations

import re
from dataclasses import replace

from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tower.fluxnet_columns import (
    CITATION,
    CO2,
    FLUX_NAMES,
    FLUX_UNIT_OF_STEPS,
    LARGEST_FLUX,
    STEMS,
    filled_columns,
    flux_names,
    of_steps,
)
from dere.ingest.tower.site_ids import SITE
from dere.variables import VARIABLES

V1 = Product(
    "carbonsense-v1",
    "CarbonSense v1",
    "CC-BY-4.0 (its sources)",
    f"CarbonSense, arXiv 2406.04940, Zenodo 11403428; {CITATION}",
    version="1",
    url="https://zenodo.org/records/11403428",
    rank=-40,
)
V2 = Product(
    "carbonsense-v2",
    "CarbonSense v2",
    "CC-BY-4.0 (its sources)",
    f"CarbonSense, arXiv 2406.04940, Zenodo 15586300; {CITATION}",
    version="2",
    url="https://zenodo.org/records/15586300",
    rank=-30,
)

_NAMES = flux_names("VUT_REF")
FLUXES = tuple(Column(_NAMES[name], name, FLUX_UNIT_OF_STEPS, largest=LARGEST_FLUX) for name in FLUX_NAMES)
WEATHER = (*of_steps(filled_columns()), Column(CO2, "co2", VARIABLES["co2"].unit))
"""Weather once its scaling is undone."""
SHORT = {
    **{column.name: column.variable.upper() for column in FLUXES},
    **{column.name: STEMS.get(column.variable, "CO2") for column in WEATHER},
}
"""Names of v1, which are those of FLUXNET, to the names of v2, which drop what follows the quantity."""
COLUMNS = (*SHORT, *SHORT.values())
"""Every column of either version that is read."""
_FOLDER = re.compile(rf"(.*/)?carbonsense[^/]*/(data/)?{SITE}", re.IGNORECASE)
_OPTIONS = ("resolution", "minimum_coverage", "diurnal_cycles")


def is_site_folder(path: str) -> bool:
    """Whether a folder is that of one site below a folder called carbonsense."""
    return _FOLDER.fullmatch(path) is not None


SOURCES = (
    Source(
        name="CarbonSense v1",
        kind="tower",
        files="carbonsense*/{SITE}/ with {start}_{end}/targets.csv, predictors.csv, meta.json",
        matches=is_site_folder,
        read="dere.ingest.tower.carbonsense.site_folder:read_carbonsense_site",
        products=(V1,),
        columns=(*FLUXES, *WEATHER),
        options=_OPTIONS,
        folder=True,
    ),
    Source(
        name="CarbonSense v2",
        kind="tower",
        files="carbonsense*.sql, .sqlite, .db",
        matches=named(r"carbonsense[^/]*\.(sql|sqlite3?|db)", flags=re.IGNORECASE),
        read="dere.ingest.tower.carbonsense.database:read_carbonsense_sql",
        products=(V2,),
        columns=tuple(replace(column, name=SHORT[column.name]) for column in (*FLUXES, *WEATHER)),
        options=_OPTIONS,
    ),
)
