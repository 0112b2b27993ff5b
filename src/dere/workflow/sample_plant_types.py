"""Read plant types at towers from the 300 m maps."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dere.ingest.cover.esacci_names import fine_maps
from dere.ingest.cover.esacci_towers import sample_files
from dere.io import read_netcdf, write_table

log = logging.getLogger(__name__)


def sample_plant_types(maps: Sequence[Path], towers: Path, output: Path, config: Mapping[str, Any]) -> None:
    """Write the table of plant types by site and year.

    Parameters
    ----------
    maps
        300 m maps.
    towers
        Interim towers with ``site``, ``lat``, ``lon``.
    output
        Table in the form of a site's own table of plant types.
    config
        ``tower_window_km``.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``dere.ingest.cover.esacci_towers.sample_files``.
    """
    sites = read_netcdf(towers, load=False)[["site", "lat", "lon"]].load()
    places = pd.DataFrame({"SITE_ID": sites["site"].values, "lat": sites["lat"].values, "lon": sites["lon"].values})
    window = config["tower_window_km"]
    table = sample_files(fine_maps(maps), places, window if window == "3x3" else float(window))
    write_table(table.assign(window=window), output)
    log.info("%d of %d towers have plant types of their own pixels", table["SITE_ID"].nunique(), len(places))
