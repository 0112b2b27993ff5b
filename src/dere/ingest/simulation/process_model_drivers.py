"""The eight monthly drivers of a process-model run from NetCDF with names like those of CRU-JRA."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dere.humidity import saturation_vapour_pressure, vapour_pressure
from dere.ingest.checks import check_unit
from dere.ingest.possible import Sieve, without_marks
from dere.ingest.simulation.process_model_axes import to_unit
from dere.ingest.simulation.process_model_files import Quantity, find_file, open_quantity
from dere.ingest.tables import read_text
from dere.variables import MONTHLY8, VARIABLES, RangeTally

log = logging.getLogger(__name__)

_UNITS = {
    **{name: VARIABLES[name].unit for name in MONTHLY8},
    "specific_humidity": "kg kg-1",
    "wind_east": "m s-1",
    "wind_north": "m s-1",
}


def open_drivers(folder: Path, pattern: str, names: Mapping[str, str]) -> dict[str, Quantity]:
    """Open what is named; VPD may follow from humidity, wind from two components.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When a needed driver has no name in the configuration, or a file cannot be read.
    """
    given = {name: text for name, text in names.items() if text}
    unknown = sorted(set(given) - set(_UNITS))
    needed: dict[str, tuple[str, ...]] = {name: (name,) for name in MONTHLY8 if name != "co2"}
    needed["vpd"] = ("vpd",) if "vpd" in given else ("specific_humidity",)
    needed["wind"] = ("wind",) if "wind" in given else ("wind_east", "wind_north")
    missing = [part for parts in needed.values() for part in parts if part not in given]
    if unknown or missing:
        raise ValueError(
            f"sources.simulation.netcdf.drivers names {', '.join(unknown) or 'nothing'} that is unknown and lacks "
            f"{', '.join(missing) or 'nothing'}; give a name in the files for each of {', '.join(_UNITS)}, vpd or "
            "specific_humidity, wind or its two components"
        )
    used = sorted({part for parts in needed.values() for part in parts})
    if "vpd" not in used:
        log.warning("VPD follows from monthly mean humidity and temperature, which understates it in hot dry months")
    if "wind" not in used:
        log.warning("wind speed follows from monthly mean components, which understates it")
    found = {}
    for name in used:
        quantity = open_quantity(find_file(folder, pattern, name, name=given[name]), given[name])
        if quantity.plant_types or quantity.steps.annual:
            raise ValueError(f"{quantity.name} must be monthly by time, lat and lon as a driver; export it so")
        found[name] = quantity
    return found


def drivers_of(
    values: Mapping[str, NDArray],
    units: Mapping[str, str],
    days: NDArray,
    source: Mapping[str, str],
    tally: RangeTally,
    sieve: Sieve,
) -> dict[str, NDArray[np.float32]]:
    """Canonical drivers (cell, time) of a block but CO2.

    Parameters
    ----------
    values
        (cell, time) as read, by the names of ``open_drivers``; NaN allowed.
    units, source
        Unit in the file, and file and variable for messages, by the same names.
    days
        (time,) lengths of the months.
    tally
        Takes values outside their ranges.
    sieve
        Takes out what is impossible.

    Raises
    ------
    ValueError
        An unknown unit, or a median that no such driver has.
    """
    ready = {name: to_unit(array, units[name], _UNITS[name], days, source[name]) for name, array in values.items()}
    for name in ready.keys() & set(MONTHLY8):
        check_unit(name, without_marks(name, ready[name], written=values[name]), source[name], name)
        ready[name] = sieve.keep(name, ready[name], source[name], written=values[name])
    if "vpd" not in ready:
        saturated = saturation_vapour_pressure(ready["air_temperature"])
        vpd = saturated - vapour_pressure(ready["specific_humidity"], ready["pressure"])
        # rounding of saturated months gives small negative values, which the tally counts
        ready["vpd"] = vpd
        source = {**source, "vpd": source["specific_humidity"]}
    if "wind" not in ready:
        ready["wind"] = np.hypot(ready["wind_east"], ready["wind_north"])
        source = {**source, "wind": source["wind_east"]}
    result = {}
    for name in MONTHLY8:
        if name == "co2":
            continue
        if name not in values:
            check_unit(name, without_marks(name, ready[name]), source[name], name)
            ready[name] = sieve.keep(name, ready[name], f"{source[name]}: {name}")
        tally.add(name, ready[name])
        result[name] = ready[name].astype(np.float32)
    return result


def parse_co2(content: bytes, source: str) -> dict[int, float]:
    """CO2 (ppm) by month number from rows of year and value, or of year, month and value.

    Lines that begin with another sign than a digit are comments. A year's value serves for its twelve months.

    Raises
    ------
    ValueError
        When a row is no two or three numbers, or a value is no CO2 mole fraction in ppm.
    """
    found: dict[int, float] = {}
    for number, line in enumerate(content.decode("utf-8-sig", errors="replace").splitlines(), start=1):
        fields = line.replace(",", " ").replace(";", " ").split()
        if not fields or not fields[0][0].isdigit():
            continue
        try:
            row = [float(field) for field in fields]
        except ValueError:
            row = []
        if len(row) not in (2, 3) or not 200 <= row[-1] <= 1500 or (len(row) == 3 and row[1] not in range(1, 13)):
            raise ValueError(
                f"{source}: line {number} holds '{line.strip()[:40]}', but year and CO2 in ppm (or year, month and "
                "CO2) are needed; correct the line"
            )
        year = int(row[0])
        months = range(12) if len(row) == 2 else (int(row[1]) - 1,)
        for month in months:
            key = year * 12 + month
            if key in found:
                raise ValueError(f"{source}: line {number} repeats year {year}; remove one of the rows")
            found[key] = row[-1]
    return found


def read_co2(path: Path, months: NDArray[np.int64]) -> NDArray[np.float32]:
    """CO2 (time,) of months.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``parse_co2``; also when a month is missing.
    """
    table = parse_co2(read_text(path), Path(path).name)
    missing = [int(month) for month in months if int(month) not in table]
    if missing:
        raise ValueError(
            f"{Path(path).name} has no CO2 of {missing[0] // 12}-{missing[0] % 12 + 1:02d} ({len(missing)} months are "
            "missing), but every month of the drivers needs one; lengthen the file"
        )
    return np.array([table[int(month)] for month in months], np.float32)
