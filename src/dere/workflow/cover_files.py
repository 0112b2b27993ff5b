"""Which maps a run finds, and on which grid they are wanted; read by the rules before any job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dere.ingest.cover.esacci_names import aggregated_name, fine_maps, is_aggregated, year_of
from dere.ingest.cover.stand_ages import AGES
from dere.ingest.source import of_modules
from dere.io import read_json
from dere.workflow.source_folder import folder_files

HALF_DEGREE = 0.5
"""Cell size of the published simulation and of most maps."""
AGES_BY_CELL = "table"
"""Source of stand ages that states the place of each cell."""


def maps_at_300_m(config: Mapping[str, Any]) -> dict[int, Path]:
    """Return the 300 m plant-type maps of a run by year.

    Raises
    ------
    ValueError
        When two files are of one year.
    """
    source = config["sources"]["cover"]
    if source["provider"] != "files" or not source["path"]:
        return {}
    return fine_maps(Path(source["path"]).glob("*.nc"))


def missing_years(config: Mapping[str, Any]) -> dict[str, Path]:
    """Return the 300 m maps that have no aggregated map beside them, by the name of the one to be made."""
    fine = maps_at_300_m(config)
    there = {path.name for path in Path(config["sources"]["cover"]["path"] or ".").glob("*.nc")} if fine else set()
    years = {year_of(name) for name in there - {path.name for path in fine.values()}}
    return {aggregated_name(path.name): path for year, path in fine.items() if year not in years}


def place_files(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the interim files that say where towers and cells are, for maps that may be finer than the run's grid.

    There are none where all maps are aggregated to the run's grid anyway, where the built-in world writes them, and
    where maps of another grid are to be refused.
    """
    source = config["sources"]["cover"]
    if source["provider"] != "files" or not source["path"] or config["harmonise"]["regrid"] != "conservative":
        return {}
    given = any(is_aggregated(path.name) for path in Path(source["path"]).glob("*.nc"))
    if not given and not source["aggregate_degrees"]:
        return {}
    files = {"sites": "<interim>/towers.nc"}
    if config["sources"]["simulation"]["provider"] == "files":
        files["forcing"] = "<interim>/forcing.nc"
    return files


def map_degrees(config: Mapping[str, Any]) -> float:
    """Return the cell size of maps: the configured one, else the simulation's, else half a degree.

    Raises
    ------
    ValueError
        When the simulation's meta.json cannot be read.
    """
    if config["sources"]["cover"]["aggregate_degrees"]:
        return float(config["sources"]["cover"]["aggregate_degrees"])
    simulation = config["sources"]["simulation"]
    meta = Path(simulation["path"]) / "meta.json"
    if simulation["provider"] == "files" and simulation["path"] and meta.is_file():
        try:
            return float(read_json(meta).get("grid_degrees", HALF_DEGREE))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"{meta} gives no grid_degrees ({error}), but a number is expected; correct it, or state "
                "sources.cover.aggregate_degrees"
            ) from None
    if simulation["provider"] == "files" and not simulation["path"] and config["world"]:
        return float(config["world"]["grid_degrees"])
    return HALF_DEGREE


def cell_degrees(config: Mapping[str, Any], ages: Sequence[str]) -> float:
    """Return the cell size that plant types and stand ages are read for; half a degree where nothing depends on it.

    It counts for maps that are placed in cells, and for stand ages by pixel, which the sources of some modules read.
    """
    by_pixel = any(member.role == AGES and member.name != AGES_BY_CELL for member in of_modules(ages))
    return map_degrees(config) if by_pixel or place_files(config) else HALF_DEGREE


def age_files(config: Mapping[str, Any]) -> list[str]:
    """Return the files of stand ages that lie outside the folder of the maps.

    Raises
    ------
    FileNotFoundError
        When the configured path does not exist.
    """
    given = config["sources"]["cover"]["age"]["path"]
    if not given:
        return []
    path = Path(given)
    if not path.exists():
        raise FileNotFoundError(f"{path}: sources.cover.age.path does not exist; correct it")
    return [given] if path.is_file() else folder_files(given)
