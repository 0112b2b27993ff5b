"""The year that a plant-type map states inside, against that of its name: a renamed map is not read as another year."""

from __future__ import annotations

import re
from pathlib import Path

import xarray as xr

from dere.ingest.cover.esacci_names import year_of
from dere.ingest.simulation.process_model_time import bounds_of, steps_of
from dere.io import read_netcdf


def stated_years(dataset: xr.Dataset, source: str) -> set[int]:
    """Years that the time axis (its bounds, where it has some) and the attribute ``time_coverage_start`` state.

    Parameters
    ----------
    dataset
        Opened without decoding times.
    source
        File name for messages.
    """
    found = set()
    if (
        "time" in dataset.variables
        and dataset["time"].shape == (1,)
        and " since " in dataset["time"].attrs.get("units", "")
    ):
        time = dataset["time"]
        month = int(steps_of(time.values, time.attrs, bounds_of(dataset, "time", source), source).numbers[0])
        found.add(month // 12)
    start = re.match(r"(\d{4})-?\d{2}", str(dataset.attrs.get("time_coverage_start", "")))
    return found | ({int(start[1])} if start else set())


def check_year(path: Path) -> None:
    """Check that a map states no other year than its name.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it does, or is truncated or no NetCDF.
    """
    path = Path(path)
    named = year_of(path.name)
    with read_netcdf(path, load=False, decode_times=False) as dataset:
        others = sorted(stated_years(dataset, path.name) - {named})
    if named is not None and others:
        raise ValueError(
            f"{path.name} is named as the map of {named}, but states the year {others[0]} inside; give it the name "
            "that it was published under, or download it again"
        )
