"""The opened files of a process-model simulation: which there are, their ages, the years and cells that they share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dere.config.simulation import SimulationSource
from dere.ingest.checks import check_unit
from dere.ingest.months import days_in_month
from dere.ingest.possible import Sieve, without_marks
from dere.ingest.simulation.mask_orientation import check_upright
from dere.ingest.simulation.process_model_axes import to_unit
from dere.ingest.simulation.process_model_drivers import open_drivers
from dere.ingest.simulation.process_model_files import Quantity, find_file, join_plant_types, open_quantity
from dere.ingest.simulation.process_model_stamps import settled_drivers, settled_model
from dere.variables import FLUX_UNIT, MONTHLY8, STANDS, VARIABLES

UNITS = {
    "gpp": FLUX_UNIT,
    "ra": FLUX_UNIT,
    "rh": FLUX_UNIT,
    "lai": "m2 m-2",
    "vegetation_carbon": "kgC m-2",
    "soil_carbon": "kgC m-2",
    "root_carbon": "kgC m-2",
    "height": "m",
    "cover": "1",
}
"""Variables and their canonical units."""
KINDS = {name: name for name in UNITS} | {
    "vegetation_carbon": "agb",
    "root_carbon": "agb",
    "cover": "plant_fraction",
}
"""Which entry of the variable table says what is possible."""
_OPTIONAL = ("root_carbon", "height")
_BY_TYPE = ("gpp", "ra", "lai", "vegetation_carbon")


@dataclass(frozen=True)
class Model:
    """Opened files of a simulation.

    Parameters
    ----------
    ages
        Stand ages; one for a model of mixed age.
    quantities
        Variables of each age, by canonical name.
    drivers
        By canonical name.
    months
        (time,) month numbers of the run, whole years; the month before them is the initial state.
    config
        Names and rules.
    """

    ages: tuple[int, ...]
    quantities: tuple[dict[str, Quantity], ...]
    drivers: dict[str, Quantity]
    months: NDArray[np.int64]
    config: SimulationSource

    @property
    def files(self) -> list[Path]:
        """All files, each once."""
        every = [*self.drivers.values(), *(q for age in self.quantities for q in age.values())]
        return sorted({path for quantity in every for path in quantity.paths})

    @property
    def stands(self) -> tuple[str, ...]:
        """All stands where fluxes are given by plant type, else the mixture alone."""
        given = all(age[name].plant_types for age in self.quantities for name in _BY_TYPE)
        return STANDS if given else STANDS[-1:]

    @property
    def row_size(self) -> int:
        """Bytes that one cell takes while it is read."""
        plant_types = max(len(q.plant_types) for q in self.quantities[0].values())
        return len(self.months) * 8 * (len(self.ages) * (plant_types + 40) * len(UNITS) // 2 + 2 * len(MONTHLY8))


def open_model(folder: Path, config: SimulationSource) -> Model:
    """Open all files and find the years that they share.

    Raises
    ------
    FileNotFoundError, ValueError
        As ``read_simulation``.
    """
    names = {name: text for name, text in config.netcdf.variables.items() if text}
    wrong = sorted(set(names) - set(UNITS)) + [f"no {n}" for n in UNITS if n not in names and n not in _OPTIONAL]
    if wrong:
        raise ValueError(
            f"sources.simulation.netcdf.variables has {', '.join(wrong)}, but {', '.join(UNITS)} are expected and only "
            f"{' and '.join(_OPTIONAL)} may be empty; correct the names"
        )
    by_age = "{age}" in config.netcdf.pattern
    if not by_age and len(config.ages) != 1:
        raise ValueError(
            f"sources.simulation.ages lists {len(config.ages)} stand ages, but sources.simulation.netcdf.pattern has "
            "no {age}; give one age for a model of mixed age, for example [100], or name files by age"
        )
    quantities = tuple(
        {name: _open(folder, config, name, text, str(age)) for name, text in names.items()} for age in config.ages
    )
    drivers = open_drivers(folder, config.netcdf.drivers_pattern, config.netcdf.drivers)
    every = [*drivers.values(), *(q for age in quantities for q in age.values())]
    degrees = {q.lattice.degrees for q in every}
    if len(degrees) > 1:
        raise ValueError(
            f"{folder}: files have cells of {', '.join(f'{d:g}' for d in sorted(degrees))} degrees, but one grid is "
            "needed; interpolate the drivers to the model's grid"
        )
    options = config.netcdf
    drivers = settled_drivers(drivers, options.driver_stamps, "sources.simulation.netcdf.driver_stamps")
    key = "sources.simulation.netcdf.stamps"
    quantities = tuple(settled_model(age, drivers, options.stamps, key) for age in quantities)
    return Model(tuple(config.ages), quantities, drivers, shared_months(drivers, quantities, str(folder)), config)


def shared_months(
    drivers: dict[str, Quantity], quantities: tuple[dict[str, Quantity], ...], source: str
) -> NDArray[np.int64]:
    """Months of whole years that all drivers and variables have, the simulation also the month before.

    Raises
    ------
    ValueError
        When there is no such year.
    """

    def ends(quantity: Quantity) -> tuple[int, int]:
        numbers = quantity.steps.numbers
        factor = 12 if quantity.steps.annual else 1
        return int(numbers[0]) * factor, int(numbers[-1] + 1) * factor

    of_drivers = [ends(q) for q in drivers.values()]
    of_model = [ends(q) for age in quantities for q in age.values()]
    first = max(max(begin for begin, _ in of_drivers), max(begin for begin, _ in of_model) + 1)
    last = min(end for _, end in [*of_drivers, *of_model])
    first, last = -(-first // 12) * 12, last // 12 * 12
    if last <= first:
        raise ValueError(
            f"{source}: drivers and simulation share no whole year after the simulation's first month; give files of "
            "the same years"
        )
    return np.arange(first, last)


def candidates(model: Model, sieve: Sieve) -> NDArray[np.int64]:
    """Row-major numbers of the cells with GPP and temperature in the first month, ascending.

    ``sieve`` counts the cells that hold a mark of missing values, which the file does not state, or an impossible
    number.
    """
    month = model.months[:1]
    days = days_in_month(int(month[0]), 1)
    found = None
    wanted = {"gpp": model.quantities[0]["gpp"], "air_temperature": model.drivers["air_temperature"]}
    for name, quantity in wanted.items():
        lattice = quantity.lattice
        row, column = (axis.ravel() for axis in np.meshgrid(lattice.row, lattice.column, indexing="ij"))
        written = quantity.rows(month, row, column)[:, 0]
        values = to_unit(written, quantity.unit, VARIABLES[name].unit, days, quantity.name)
        stored = values
        values = sieve.keep(name, values, f"{quantity.name} of the first month", written=written)
        if sieve.strange:
            check_unit(name, without_marks(name, stored, written=written), quantity.name, name)
        known = np.isfinite(values).any(-1) if values.ndim == 2 else np.isfinite(values)
        number = row[known] * lattice.shape[1] + column[known]
        land = np.zeros(lattice.shape, bool)
        land.ravel()[number] = True
        check_upright(land, lattice.degrees, quantity.name)
        found = number if found is None else np.intersect1d(found, number)
    assert found is not None
    return np.sort(found)


def _open(folder: Path, config: SimulationSource, name: str, variable: str, age: str) -> Quantity:
    """A variable of one age, from one file or from one per plant type."""
    options, labels = config.netcdf, config.netcdf.plant_type_names
    if "{plant_type}" not in options.pattern:
        path = find_file(folder, options.pattern, name, name=variable, age=age)
        return open_quantity(path, variable, labels)
    parts = {}
    for plant_type in labels or [key for key, value in options.plant_types.items() if value != "none"]:
        path = find_file(folder, options.pattern, name, name=variable, age=age, plant_type=plant_type)
        parts[plant_type] = open_quantity(path, variable)
    return join_plant_types(parts)


def vegetation_types(cover: Quantity, classes: dict[str, str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Positions of the vegetation types along the cover's axis, and their classes.

    Raises
    ------
    ValueError
        When the cover has no plant types, or one has no class.
    """
    unknown = [name for name in cover.plant_types if name not in classes]
    if unknown or not cover.plant_types:
        raise ValueError(
            f"{cover.name} has plant types {', '.join(unknown) or 'without names'} that have no class; add them to "
            "sources.simulation.netcdf.plant_types as BL, NL, GS or none"
        )
    chosen = [index for index, name in enumerate(cover.plant_types) if classes[name] != "none"]
    return np.array(chosen, np.int64), tuple(classes[cover.plant_types[index]] for index in chosen)
