"""Driver members when the process model itself is at hand: each tower's forcing and perturbed copies of it.

The model runs once on the whole extended record of each site, which gives the simulated series, the state before each
window and the unperturbed member; then on perturbed copies (a factorial of responses that the records do not sample:
temperature, precipitation, VPD, CO2, soil depth). A member keeps ``member_months`` months, so that memory is
members x stands x ages x months x 10 x 4 bytes: 166 sites with 3 copies, 18 ages and 120 months take 0.23 GB. Copies
of long records keep different years of them. Months outside a record repeat randomly drawn whole years of it (CO2
follows the global trend), so that anomalies survive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.config.simulation import SimulationSource
from dere.harmonise.axis import calendar_years
from dere.harmonise.beyond_record import extend_records
from dere.harmonise.diagnosed import seen_light
from dere.harmonise.simulated import age_weighted
from dere.harmonise.windows import simulated_spans
from dere.ingest.months import mid_months
from dere.variables import MONTHLY8, PLANT_TYPES, SATELLITE, STANDS, TARGETS, VARIABLES
from dere.world.absorbed_light import SeenLight
from dere.world.forcing import Forcing
from dere.world.process_model import simulate

YEAR = 12
BLOCK = 64
"""Sites per call of the model; bounds the memory of the full-length runs."""
FACTORS = {
    "temperature": (-4.0, 6.0),
    "precipitation": (0.4, 1.8),
    "vpd": (0.6, 1.6),
    "co2": (0.8, 1.8),
    "soil_depth": (0.3, 2.0),
}
"""Ranges of the perturbations: warming in K, the others factors (drawn evenly in their logarithm)."""
NOMINAL_YEAR = 2001
"""First year of the members' common axis; their own first month is the coordinate ``first_month``."""
SOIL_DEPTH_MM = 1500.0


@dataclass(frozen=True)
class SiteRuns:
    """What the process model gives for towers.

    Parameters
    ----------
    drivers
        Members: the eight drivers (cell, time), coordinates ``lat``, ``lon``, ``site``, ``copy``, ``first_month``.
    simulation
        Members: ``state``, ``initial_state``, ``plant_fraction``.
    simulated
        (site, time, target) age-weighted mixture on the towers' axis; NaN outside the simulated span.
    initial_state
        (window, stand, age, target).
    site_of_cell, first_year, soil_depth
        (cell,) index of the site, calendar year of the member's first month, soil depth in mm.
    """

    drivers: xr.Dataset
    simulation: xr.Dataset
    simulated: NDArray[np.float32]
    initial_state: NDArray[np.float32]
    site_of_cell: NDArray[np.int64]
    first_year: NDArray[np.int64]
    soil_depth: NDArray[np.float64]


def run_sites(
    towers: xr.Dataset, source: SimulationSource, is_member: NDArray[np.bool_], at_least: int = 0
) -> SiteRuns:
    """Run the process model at all sites and build the members.

    Parameters
    ----------
    towers
        Canonical towers with the eight drivers, ``record``, ``age_weight`` and windows; axis starts in January.
    source
        Ages, perturbations, seed and months per member.
    is_member
        (site,) sites whose forcing serves for pre-training (those with labels).
    at_least
        Months that every site runs over; the spin-up draws its years from them, among whatever other sites.

    Raises
    ------
    ValueError
        When ``member_months`` is shorter than a window, or satellites are wanted that the run does not have.
    """
    window, months = int(towers.attrs["window"]), source.member_months
    if months < window:
        raise ValueError(
            f"sources.simulation.member_months is {months}, at least harmonise.window = {window} is needed; raise it"
        )
    starts = towers["window_start"].values.astype(int)
    of_window = towers["window_site"].values.astype(int)
    sites = towers.sizes["site"]
    begin, length = simulated_spans(towers, months)
    longest = max(int(length.max()), at_least)
    series = resampled_records(towers, int(begin.max()) + longest, source.perturbation_seed)

    # every site runs over the longest span, so that its result does not depend on which sites share its block
    spans = begin[:, None] + np.arange(longest)
    forcing = _forcing(series, np.arange(sites), spans, towers["lat"].values)
    unperturbed = np.flatnonzero(is_member)
    copies = 1 + source.perturbations
    ages = len(source.ages)
    shape = (len(unperturbed) * copies, len(STANDS), ages)
    state = np.empty((*shape, months, len(TARGETS)), np.float32)
    initial = np.empty((*shape, len(TARGETS)), np.float32)
    fraction = np.empty((shape[0], ages, months // YEAR + 1, len(PLANT_TYPES)), np.float32)
    simulated = np.full((sites, towers.sizes["time"], len(TARGETS)), np.nan, np.float32)
    before = np.empty((len(starts), *shape[1:], len(TARGETS)), np.float32)
    weight = towers["age_weight"].transpose("site", "age").values
    row_of_site = np.full(sites, -1)
    row_of_site[unperturbed] = np.arange(len(unperturbed))

    light = None
    if source.leaf_area == "satellite":
        light = seen_light(series, forcing, spans, weight, source.ages, source.perturbation_seed)

    def model(part: Forcing, seen: SeenLight | None) -> xr.Dataset:
        return simulate(part, source.ages, seed=source.perturbation_seed, light=seen)

    for first in range(0, sites, BLOCK):
        chosen = np.arange(first, min(first + BLOCK, sites))
        result = model(forcing.take(chosen), light and light.take(chosen))
        values = result["state"].values
        mixture = age_weighted(values[:, STANDS.index("mixture")], weight[chosen])
        for local, site in enumerate(chosen):
            end = min(begin[site] + length[site], simulated.shape[1])
            simulated[site, begin[site] : end] = mixture[local, : end - begin[site]]
            for window_row in np.flatnonzero(of_window == site):
                previous = starts[window_row] - begin[site] - 1
                before[window_row] = (
                    values[local, :, :, previous] if previous >= 0 else result["initial_state"].values[local]
                )
            row = int(row_of_site[site])
            if row >= 0:
                _keep(result, local, row, months, state, initial, fraction)

    member_site, member_start = [unperturbed], [begin[unperturbed]]
    drivers = [forcing.take(unperturbed)]
    generator = np.random.default_rng([source.perturbation_seed, 7])
    for copy in range(1, copies):
        factors = draw_factors(len(unperturbed), generator)
        spare = (length[unperturbed] - months) // YEAR
        start = begin[unperturbed] + YEAR * generator.integers(0, spare + 1)
        cut = _forcing(series, unperturbed, start[:, None] + np.arange(months), towers["lat"].values)
        changed = cut.perturbed(**factors)
        for first in range(0, len(unperturbed), BLOCK):
            chosen = np.arange(first, min(first + BLOCK, len(unperturbed)))
            # what was observed belongs to the weather that was
            result = model(changed.take(chosen), light and light.take(unperturbed[chosen]).blind(months))
            for local, member in enumerate(chosen):
                _keep(result, local, copy * len(unperturbed) + int(member), months, state, initial, fraction)
        member_site.append(unperturbed)
        member_start.append(start)
        drivers.append(changed)

    site_of_cell, start_of_cell = np.concatenate(member_site), np.concatenate(member_start)
    return SiteRuns(
        drivers=_member_drivers(towers, series, drivers, site_of_cell, start_of_cell, months, copies),
        simulation=_member_simulation(source, state, initial, fraction, months),
        simulated=simulated,
        initial_state=before,
        site_of_cell=site_of_cell,
        first_year=int(calendar_years(towers["time"].values)[0]) + start_of_cell // YEAR,
        soil_depth=np.concatenate([part.soil_depth for part in drivers]),
    )


def member_cover(towers: xr.Dataset, runs: SiteRuns) -> xr.Dataset:
    """Cover of the members: that of their site in their own years, the year before the first included."""
    years = runs.simulation["year"].values
    own = runs.first_year[:, None] + np.arange(len(years)) - 1
    known = towers["year"].values
    index = np.clip(own, known[0], known[-1]) - known[0]
    site = runs.site_of_cell
    fraction = towers["plant_fraction"].transpose("site", "year", "plant_type").values
    vegetated = towers["vegetated_fraction"].transpose("site", "year").values
    return xr.Dataset(
        {
            "plant_fraction": (("cell", "year", "plant_type"), fraction[site[:, None], index]),
            "vegetated_fraction": (("cell", "year"), vegetated[site[:, None], index]),
            "age_weight": (("cell", "age"), towers["age_weight"].transpose("site", "age").values[site]),
        },
        coords={name: runs.simulation[name] for name in ("cell", "year", "age", "plant_type")},
    )


def draw_factors(members: int, generator: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Perturbations of members within ``FACTORS``."""
    drawn = {}
    for name, (low, high) in FACTORS.items():
        if name == "temperature":
            drawn[name] = generator.uniform(low, high, members)
        else:
            drawn[name] = np.exp(generator.uniform(np.log(low), np.log(high), members))
    return drawn


def resampled_records(towers: xr.Dataset, months: int, seed: int) -> xr.Dataset:
    """Drivers (site, time) on an axis of ``months``; outside its record a site repeats random whole years of it.

    The draw of a site depends on the seed and its own id only.
    """
    series = extend_records(towers, "monthly8", months)
    record = towers["record"].transpose("site", "time").values
    for index, site in enumerate(towers["site"].values.astype(str)):
        known = np.flatnonzero(record[index].reshape(-1, YEAR).any(1))
        generator = np.random.default_rng([seed, *site.encode()])
        missing = np.setdiff1d(np.arange(months // YEAR), known)
        drawn = generator.choice(known, len(missing))
        source = (drawn[:, None] * YEAR + np.arange(YEAR)).ravel()
        target = (missing[:, None] * YEAR + np.arange(YEAR)).ravel()
        for name in MONTHLY8:
            if name != "co2":
                series[name].values[index, target] = series[name].values[index, source]
    return series


def _forcing(series: xr.Dataset, rows: NDArray, spans: NDArray, latitude: NDArray) -> Forcing:
    values = {name: series[name].values[rows[:, None], spans] for name in MONTHLY8}
    return Forcing(**values, latitude=latitude[rows], soil_depth=np.full(len(rows), SOIL_DEPTH_MM), start_month=1)


def _keep(
    result: xr.Dataset, local: int, row: int, months: int, state: NDArray, initial: NDArray, fraction: NDArray
) -> None:
    state[row] = result["state"].values[local, :, :, :months]
    initial[row] = result["initial_state"].values[local]
    fraction[row, :, 0] = result["initial_plant_fraction"].values[local]
    fraction[row, :, 1:] = result["plant_fraction"].values[local, :, : months // YEAR]


def _member_drivers(
    towers: xr.Dataset,
    series: xr.Dataset,
    parts: list[Forcing],
    site: NDArray,
    start: NDArray,
    months: int,
    copies: int,
) -> xr.Dataset:
    spans = start[:, None] + np.arange(months)
    data = {
        name: (
            ("cell", "time"),
            np.concatenate([getattr(part, name)[:, :months] for part in parts]).astype(np.float32),
            VARIABLES[name].attrs,
        )
        for name in MONTHLY8
    }
    for name in SATELLITE:
        if name in series:
            data[name] = (("cell", "time"), series[name].values[site[:, None], spans], VARIABLES[name].attrs)
    first = series["time"].values.astype("datetime64[M]").astype(str)[start]
    return xr.Dataset(
        data,
        coords={
            "cell": np.arange(len(site)),
            "time": mid_months(NOMINAL_YEAR * YEAR, months),
            "lat": ("cell", towers["lat"].values[site]),
            "lon": ("cell", towers["lon"].values[site]),
            "site": ("cell", towers["site"].values.astype(str)[site].astype(object)),
            "copy": ("cell", np.repeat(np.arange(copies), len(site) // copies)),
            "first_month": ("cell", first.astype(object)),
            "land_fraction": ("cell", np.ones(len(site))),
            "cell_area": ("cell", np.ones(len(site)), {"units": "m2"}),
        },
        attrs={"comment": "members, not places: time is nominal, first_month is each member's own first month"},
    )


def _member_simulation(
    source: SimulationSource, state: NDArray, initial: NDArray, fraction: NDArray, months: int
) -> xr.Dataset:
    return xr.Dataset(
        {
            "state": (("cell", "stand", "age", "time", "target"), state),
            "initial_state": (("cell", "stand", "age", "target"), initial),
            "plant_fraction": (("cell", "age", "year", "plant_type"), fraction, VARIABLES["plant_fraction"].attrs),
        },
        coords={
            "cell": np.arange(len(state)),
            "stand": list(STANDS),
            "age": list(source.ages),
            "time": mid_months(NOMINAL_YEAR * YEAR, months),
            "target": list(TARGETS),
            "year": np.arange(NOMINAL_YEAR - 1, NOMINAL_YEAR + months // YEAR),
            "plant_type": list(PLANT_TYPES),
        },
    )
