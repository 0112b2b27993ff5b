"""CarbonSense v1: hourly fluxes and weather in folders, and what v1 and v2 share (arXiv 2406.04940).

v1 is ``{SITE}/{start}_{end}/predictors.csv, targets.csv, meta.json`` below a folder called carbonsense. The satellite
images beside them are **pickle files, which are never opened**: reading one runs whatever code is in it.

What the public pipeline does to the numbers (its code is the only description; no archive was at hand):

- Weather is scaled to -0.5 ... 0.5 by fixed bounds; values beyond them are missing. ``BOUNDS`` undoes it; a file whose
  weather is not scaled is read as it is, and the medians are checked either way. Fluxes are not scaled
  (umolCO2 m-2 s-1).
- v1 keeps measured NEE only, but GPP and RECO of all hours. A monthly mean of measured NEE would be one of summer days,
  so the whole record takes NEE := RECO_NT - GPP_NT where that gives more months; counted.
- Quality codes cannot be trusted: the pipeline asks for column names that do not exist and then guesses by suffix. So
  quality is unknown (NaN), and such months train only with ``harmonise.minimum_training_quality`` 0.
- Hourly precipitation of v1 is the sum of two half hours; in v2 it may be their mean, which cannot be told, so hourly
  precipitation of v2 is left out.
- Fluxes beyond 100 umol m-2 s-1 are masked and counted, as EcoPerceiver does.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.fluxnet_finer import diurnal_cycles
from dere.ingest.tower.partial_record import (
    FLUX_NAMES,
    Origin,
    bounded_flux,
    in_record,
    monthly_columns,
    partial_record,
    warn_counts,
)
from dere.ingest.tower.record import CO2_COLUMN, DRIVER_STEMS, FLUX_COLUMNS, SiteRecord
from dere.ingest.tower.stamps import steps_of, text_times
from dere.ingest.tower.steps import Steps
from dere.variables import FLUX_UNIT, convert

FOLDER = re.compile(r"(.*/)?carbonsense[^/]*/(data/)?[A-Z]{2}-[A-Za-z0-9]{3}", re.IGNORECASE)
PERIOD = re.compile(r"\d{4}-\d{2}-\d{2}_\d{4}-\d{2}-\d{2}")
SITE = re.compile(r"[A-Z]{2}-[A-Za-z0-9]{3}")
# name of a record -> columns of v1 and of v2
_FLUXES: dict[str, tuple[str, ...]] = {name: (name.upper(), FLUX_COLUMNS[name]) for name in FLUX_NAMES}
# the FLUXNET names of v1; v2 drops what follows the quantity
_DRIVERS: dict[str, tuple[str, ...]] = {
    **{name: (f"{stem}_F", stem) for name, stem in DRIVER_STEMS.items()},
    "co2": (CO2_COLUMN, "CO2"),
}
# bounds by which the public pipeline scales: (value - middle) / (upper - lower)
BOUNDS: dict[str, tuple[float, float]] = {
    **{"TA_F": (-80.0, 80.0), "P_F": (0.0, 300.0), "SW_IN_F": (0.0, 2000.0), "LW_IN_F": (0.0, 2000.0)},
    **{"VPD_F": (0.0, 110.0), "PA_F": (20.0, 150.0), "WS_F": (0.0, 100.0), "CO2_F_MDS": (0.0, 2000.0)},
    **{"TA": (-80.0, 80.0), "P": (0.0, 50.0), "SW_IN": (-1500.0, 1500.0), "LW_IN": (-1000.0, 1000.0)},
    **{"VPD": (0.0, 110.0), "PA": (0.0, 110.0), "WS": (-100.0, 100.0), "CO2": (0.0, 750.0)},
}
_LARGEST_SCALED = 0.5 + 1e-6
COLUMNS = tuple(column for columns in (*_FLUXES.values(), *_DRIVERS.values()) for column in columns)


def is_site_folder(path: str) -> bool:
    """Whether a folder is that of one site below a folder called carbonsense."""
    return FOLDER.fullmatch(path) is not None


def parse_site(
    table: pd.DataFrame,
    steps: Steps,
    site: str,
    place: tuple[float, float, str],
    origin: Origin,
    config: TowerSource,
) -> SiteRecord | None:
    """Record of monthly means of one site.

    Parameters
    ----------
    table
        Columns of v1 or v2, one row per step.
    steps
        Their times, local standard time.
    site, place
        FLUXNET id; latitude, longitude, IGBP class.
    origin
        Product (carbonsense-v1 or -v2) and file.
    config
        Minimum coverage, diurnal cycles, whose partitioning becomes the label.

    Returns
    -------
    SiteRecord or None
        None where no month has enough steps of a flux.

    Raises
    ------
    ValueError
        Text in a number column, or a unit that cannot be right.
    """
    counts: dict[str, int] = {}
    where = f"{origin.source} site {site}"
    fluxes = {}
    for name, columns in _FLUXES.items():
        values = bounded_flux(table, _column(table, columns), where, counts)
        fluxes[name] = convert(values, "umolCO2 m-2 s-1", FLUX_UNIT, where)
    named = unscaled_weather(table, where)
    weather = {name: named[columns[0]].to_numpy() for name, columns in _DRIVERS.items()}
    if steps.per_day == 24 and origin.product == "carbonsense-v2":
        counts["precipitation_of_unknown_unit"] = int(np.isfinite(weather["precipitation"]).sum())
        del weather["precipitation"]
    else:
        weather["precipitation"] = weather["precipitation"] * steps.per_day
    months, means = monthly_columns(steps, {**fluxes, **weather}, config.minimum_coverage)
    derived = {"nee": fluxes["reco_nt"] - fluxes["gpp_nt"]}
    _, other = monthly_columns(steps, derived, config.minimum_coverage)
    present = {"nee": np.isfinite(fluxes["nee"]).astype(float)}
    means["nee_coverage"] = monthly_columns(steps, present, 0.0, ("nee",))[1]["nee"]
    if np.isfinite(other["nee"]).sum() > np.isfinite(means["nee"]).sum():
        means["nee"] = other["nee"]
        counts["months_of_nee_as_reco_minus_gpp"] = int(np.isfinite(other["nee"]).sum())
    kept, means = in_record(months, means)
    warn_counts(counts, where)
    if not len(kept):
        return None
    diurnal = {}
    if config.diurnal_cycles:
        cycles = diurnal_cycles(named, steps, config.minimum_coverage, where)
        diurnal = {name: values[np.isin(months, kept)] for name, values in cycles.items()}
    return partial_record(site, kept, means, origin, place, counts, config, diurnal)


def _column(table: pd.DataFrame, columns: tuple[str, ...]) -> str:
    """First of ``columns`` that the table has, else the first."""
    return next((column for column in columns if column in table.columns), columns[0])


def unscaled_weather(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Weather in units under the FLUXNET names; scaling is undone where all of it lies within -0.5 to 0.5.

    Raises
    ------
    ValueError
        When a field is text or infinite.
    """
    found = {columns[0]: _column(table, columns) for columns in _DRIVERS.values()}
    values = {name: numeric(table, column, source) for name, column in found.items()}
    largest = max((float(np.nanmax(np.abs(v))) for v in values.values() if np.isfinite(v).any()), default=np.inf)
    if largest <= _LARGEST_SCALED:
        for name, column in found.items():
            low, high = BOUNDS[column]
            values[name] = values[name] * (high - low) + (low + high) / 2
    return pd.DataFrame(values)


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
    places = [_read_place(folder / "meta.json", path.name) for folder in periods]
    table = pd.concat([one for one, _ in tables], ignore_index=True)
    times = np.concatenate([instants for _, instants in tables])
    # half hours only where a stamp stands at half past
    per_day = 48 if (times.astype(np.int64) % 60 == 30).any() else 24
    steps = steps_of(times, per_day, source, "timestamp")
    origin = Origin("carbonsense-v1", "CarbonSense v1", "carbonsense", source)
    record = parse_site(table, steps, path.name, places[0], origin, config)
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


def _read_place(file: Path, site: str) -> tuple[float, float, str]:
    """Latitude, longitude and IGBP class of ``meta.json``; unknown ones NaN and empty.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no JSON object, or of another site.
    """
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist; unpack the archive again")
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
        igbp.strip().upper() if isinstance(igbp, str) else "",
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
