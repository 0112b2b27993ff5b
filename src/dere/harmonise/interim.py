"""What harmonise takes from ingest, and how the cover tables share one interim file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd
import xarray as xr


@dataclass(frozen=True)
class Cover:
    """Plant types and stand ages as ingested; any part may be absent.

    Parameters
    ----------
    grid
        Maps: ``plant_fraction`` (year, lat, lon, plant_type), ``vegetated_fraction`` (year, lat, lon), and where the
        source knows them ``land_fraction`` (year, lat, lon) and ``layer_fraction`` (lat, lon, layer); where ingest made
        means of a finer map, its cells that hold towers, ``tower_plant_fraction`` (tower, year, plant_type) and
        ``tower_vegetated_fraction`` (tower, year).
    grid_ages
        ``age_weight`` (point, age) with ``lat``, ``lon``.
    sites
        ``plant_fraction`` (site, year, plant_type), ``vegetated_fraction`` (site, year).
    site_ages
        ``age_weight`` (site, age).
    cells
        All three by number of the simulation's cells, where the source lists these instead of a map.
    """

    grid: xr.Dataset | None = None
    grid_ages: xr.Dataset | None = None
    sites: xr.Dataset | None = None
    site_ages: xr.Dataset | None = None
    cells: xr.Dataset | None = None


@dataclass(frozen=True)
class Interim:
    """All that ``build.harmonise`` reads.

    Parameters
    ----------
    towers
        Interim towers, virtual ones included (see ``dere.ingest.tower.towers``).
    cover
        Cover tables.
    forcing, simulation
        As from ``dere.ingest.simulation.carbonglobe.read_simulation``; None = the process model is run on the towers'
        forcing.
    truth
        The world's truth files by name.
    provenance
        Ingest's tables by source.
    """

    towers: xr.Dataset
    cover: Cover = Cover()
    forcing: xr.Dataset | None = None
    simulation: xr.Dataset | None = None
    truth: Mapping[str, xr.Dataset] | None = None
    provenance: Mapping[str, pd.DataFrame] = field(default_factory=dict)


_PARTS = ("grid", "grid_ages", "sites", "site_ages", "cells")


def pack_cover(cover: Cover) -> xr.Dataset:
    """One Dataset of all cover tables; names carry the part, for example ``grid_ages__age_weight``."""
    packed = xr.Dataset()
    for part in _PARTS:
        dataset = getattr(cover, part)
        if dataset is not None:
            names = {str(name): f"{part}__{name}" for name in [*dataset.variables, *dataset.dims]}
            packed = packed.merge(dataset.rename(names), compat="no_conflicts")
    return packed


def unpack_cover(packed: xr.Dataset) -> Cover:
    """Reverse of ``pack_cover``."""
    parts = {}
    for part in _PARTS:
        prefix = f"{part}__"
        names = [str(name) for name in packed.data_vars if str(name).startswith(prefix)]
        if names:
            dataset = packed[names]
            own = {
                str(n): str(n).removeprefix(prefix)
                for n in [*dataset.variables, *dataset.dims]
                if str(n).startswith(prefix)
            }
            parts[part] = dataset.rename(own)
    return Cover(**parts)
