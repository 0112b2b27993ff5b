"""CarbonSense v1: ``{SITE}/{start}_{end}/predictors.csv, targets.csv, meta.json`` below a folder called carbonsense.

The satellite images beside them are **pickle files, which are never opened**: reading one runs whatever code is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.tables import read_table, require_columns
from dere.ingest.tower.carbonsense import COLUMNS, V1
from dere.ingest.tower.carbonsense.site import parse_site
from dere.ingest.tower.first_stated import first_of_sites
from dere.ingest.tower.partial_record import Origin
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_table_checks import checked
from dere.ingest.tower.stamps import steps_of, text_times
from dere.regular_file import require_regular

_LARGEST_META = 1 << 20
PERIOD = re.compile(r"\d{4}-\d{2}-\d{2}_\d{4}-\d{2}-\d{2}")


def read_carbonsense_site(path: Path, config: TowerSource) -> list[SiteRecord]:
    """Read the folder of one site of v1; its periods become one record.

    Raises
    ------
    FileNotFoundError
        When a period lacks a file.
    ValueError
        When there is no period, times of predictors and targets differ, metadata are of another site, or a check of
        :func:`parse_site` fails.
    """
    path = Path(path)
    if "HR" not in config.resolution:
        return []
    periods = sorted(folder for folder in path.iterdir() if folder.is_dir() and PERIOD.fullmatch(folder.name))
    if not periods:
        raise ValueError(
            f"{path} has no folder named {{start}}_{{end}} like 2004-01-01_2020-12-31, but CarbonSense v1 keeps its "
            "tables in such; unpack the archive again"
        )
    tables = [_read_period(folder) for folder in periods]
    source = f"{path.parent.name}/{path.name}"
    place = _place([folder / "meta.json" for folder in periods], path.name)
    table = pd.concat([one for one, _ in tables], ignore_index=True)
    times = np.concatenate([instants for _, instants in tables])
    # half hours only where a stamp stands at half past
    per_day = 48 if (times.astype(np.int64) % 60 == 30).any() else 24
    steps = steps_of(times, per_day, source, "timestamp")
    origin = Origin(V1, "CarbonSense v1", "carbonsense", source)
    record = parse_site(table, steps, path.name, place, origin, config)
    return [] if record is None else [record]


def _read_period(folder: Path) -> tuple[pd.DataFrame, NDArray[np.datetime64]]:
    """Targets and predictors of one period side by side, and their times."""
    wanted = {"timestamp", *COLUMNS}
    both = []
    for name in ("targets.csv", "predictors.csv"):
        table = read_table(folder / name, wanted)
        require_columns(table, ["timestamp"], f"{folder.name}/{name}")
        times = text_times(table["timestamp"], "%Y-%m-%d %H:%M:%S", f"{folder.name}/{name}", "timestamp")
        both.append((table.drop(columns="timestamp"), times))
    (targets, times), (predictors, others) = both
    if not np.array_equal(times, others):
        raise ValueError(
            f"{folder} has {len(times)} rows of targets and {len(others)} of predictors at other times, but both must "
            "be of the same hours; unpack the archive again"
        )
    return pd.concat([targets, predictors], axis=1), times


def _place(files: Sequence[Path], site: str) -> tuple[float, float, str]:
    """Latitude, longitude and IGBP class of a site from the metadata of its periods, the latest first.

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`_read_place`, and when coordinates cannot be used.
    """
    stated = [
        dict(zip(("lat", "lon", "igbp"), _read_place(file, site), strict=True))
        | {"site": site, "source": f"{site}/{file.parent.name}/{file.name}"}
        for file in reversed(files)
    ]
    about = first_of_sites(checked(pd.DataFrame(stated), f"{site}/{files[-1].name}")).iloc[0]
    if about["fault"]:
        raise ValueError(about["fault"])
    return float(about["lat"]), float(about["lon"]), str(about["igbp"])


def _read_place(file: Path, site: str) -> tuple[float, float, str]:
    """Latitude, longitude and IGBP class of ``meta.json``; unknown ones NaN and empty.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no JSON object, or of another site.
    """
    require_regular(file, "unpack the archive again", _LARGEST_META)
    try:
        about: Any = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{file} is no JSON ({' '.join(str(error).split()):.120}); unpack the archive again") from None
    if not isinstance(about, dict) or about.get("SITE_ID") != site:
        found = about.get("SITE_ID") if isinstance(about, dict) else type(about).__name__
        raise ValueError(
            f"{file} is of site {str(found)[:40]!r}, but lies in the folder of {site}; unpack the archive again"
        )
    igbp = about.get("IGBP")
    return (
        _degrees(about.get("LOCATION_LAT"), file, "LOCATION_LAT"),
        _degrees(about.get("LOCATION_LON"), file, "LOCATION_LON"),
        igbp.strip() if isinstance(igbp, str) else "",
    )


def _degrees(value: object, file: Path, key: str) -> float:
    if value is None:
        return float("nan")
    try:
        return float(str(value))
    except ValueError:
        raise ValueError(
            f"{file}: {key} is {str(value)[:40]!r}, but a number of degrees is expected; correct it"
        ) from None
