"""Knowledge channels of towers and cells: their inputs from final drivers of either driver set, and the variables.

They are made of drivers and satellites alone. A month that no satellite saw has the place's climatology, as in the
satellite channels. A place that no satellite ever saw has the climatology of its class at all other towers: of inputs,
not of labels, and so the same for every fold. The mask of the satellite channel tells where that is so.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import block_slices, lazy_variables, slices
from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.drivers import stored_variables
from dere.harmonise.satellites import FALLBACK, with_masks
from dere.harmonise.statics import ATTRIBUTES, standard_pressure
from dere.humidity import saturation_vapour_pressure, vapour_pressure
from dere.knowledge.earlier_months import YEAR
from dere.knowledge.inputs import Inputs, too_short
from dere.knowledge.terms import Term, computed, terms
from dere.variables import SATELLITE

log = logging.getLogger(__name__)

Array = NDArray[np.float64]
ClassCycles = Mapping[str, Mapping[str, Array]]
"""Satellite channel to class to its cycle (12,) from local midwinter on; the class "" is of all towers."""
_PLACES = 256
"""Places that are computed at a time, so that what is held in double precision stays small."""
_DRIVERS = ("air_temperature", "precipitation", "shortwave", "vpd", "pressure", "co2")
_CYCLES = ("specific_humidity_hourly", "air_temperature_hourly", "shortwave_hourly", "co2_hourly")


def recorded_a_year(towers: xr.Dataset) -> tuple[xr.Dataset, dict[str, str]]:
    """Towers with twelve months of record or more, and a sentence for each of the others.

    Raises
    ------
    ValueError
        When no tower is left.
    """
    months = towers["record"].transpose("site", "time").values.sum(1)
    keep = months >= YEAR
    sites = towers["site"].values.astype(str)
    dropped = {str(sites[i]): too_short(f"site {sites[i]}", int(months[i])) for i in np.flatnonzero(~keep)}
    for sentence in dropped.values():
        log.warning("%s; it is dropped", sentence)
    if not keep.any():
        raise ValueError(f"{next(iter(dropped.values()), 'there is no site')}; this holds for all sites")
    return towers.isel(site=keep), dropped


def class_cycles(towers: xr.Dataset) -> ClassCycles:
    """Mean annual cycles of LAI and EVI of each IGBP class, each tower that a satellite saw counted once.

    Parameters
    ----------
    towers
        Final towers: satellite channels with masks (site, time), coordinates ``igbp`` and ``lat``.
    """
    month = month_number(towers["time"].values) % 12
    classes = towers["igbp"].values.astype(str)
    south = towers["lat"].values < 0
    result: dict[str, dict[str, Array]] = {}
    for name in SATELLITE:
        seen = towers[f"{name}_mask"].transpose("site", "time").values > 0
        values = np.where(seen, towers[name].transpose("site", "time").values, np.nan)
        cycles = _of_season(monthly_climatology(values, month), south)
        known = np.isfinite(cycles).all(1)
        of_class = {str(group): cycles[known & (classes == group)].mean(0) for group in np.unique(classes[known])}
        result[name] = of_class | {"": cycles[known].mean(0) if known.any() else np.full(12, FALLBACK[name])}
        if not known.any():
            log.warning(
                "no tower has %s, so that its channels are constants; set harmonise.satellites: false, which leaves "
                "them out, or give towers that bring it",
                name,
            )
    return result


def with_knowledge(dataset: xr.Dataset, channels: str, cycles: ClassCycles | None) -> xr.Dataset:
    """Add the knowledge channels.

    Parameters
    ----------
    dataset
        Final towers, or cells with ``static``, in memory or as dask arrays. Satellite channels of cells may still have
        their gaps: so no block of the masks need be made for a block of these channels.
    channels
        As in the configuration.
    cycles
        From `class_cycles`; None = the run has no satellites.

    Returns
    -------
    Dataset
        With a variable for each channel, (member, time) or (member,), float32 and complete.

    Raises
    ------
    ValueError
        When a record has less than twelve months.
    """
    wanted = terms(channels, cycles is not None)
    if not wanted:
        return dataset
    member = "cell" if "cell" in dataset.dims else "site"
    known = dataset[_needed(dataset, cycles is not None)]
    if not dataset.chunks:
        values = _values(known, member, wanted, cycles)
        return dataset.assign({term.name: ((member, *term.dims), values[term.name], term.attrs) for term in wanted})
    months = {"time": dataset.sizes["time"]}
    templates = {
        term.name: xr.Variable(
            (member, *term.dims), np.empty((0, *(months[dim] for dim in term.dims)), np.float32), term.attrs
        )
        for term in wanted
    }
    size = max(block.stop - block.start for block in block_slices(dataset, member))

    def read(block: slice) -> dict[str, NDArray]:
        return _values(known.isel({member: block}).compute(), member, wanted, cycles)

    return dataset.assign(lazy_variables(read, templates, dataset.sizes[member], size))


def _needed(dataset: xr.Dataset, satellites: bool) -> list[str]:
    """Variables that the channels are made of."""
    names = [name for name in (*_DRIVERS, *_CYCLES) if name in stored_variables(str(dataset.attrs["driver_set"]))]
    names += ["static", *(["record"] if "record" in dataset else [])]
    seen = [part for name in SATELLITE for part in (name, f"{name}_mask") if satellites]
    return names + [name for name in seen if name in dataset]


def _values(
    dataset: xr.Dataset, member: str, wanted: Sequence[Term], cycles: ClassCycles | None
) -> dict[str, NDArray[np.float32]]:
    """Wanted channels of a dataset in memory."""
    if cycles is not None and f"{SATELLITE[0]}_mask" not in dataset:
        dataset = with_masks(dataset, member)
    made = [
        computed(inputs_of(dataset.isel({member: rows}), member, cycles))
        for rows in slices(dataset.sizes[member], _PLACES)
    ]
    return {term.name: np.concatenate([part[term.name] for part in made]) for term in wanted}


def inputs_of(dataset: xr.Dataset, member: str, cycles: ClassCycles | None) -> Inputs:
    """Inputs of the channels of places whose drivers are final and in memory."""
    month = month_number(dataset["time"].values) % 12
    weather = weather_of(dataset, member)
    shape = weather["temperature"].shape
    record = np.ones(shape, bool)
    if "record" in dataset:
        record = dataset["record"].transpose(member, "time").values.astype(bool)
    leaves = {}
    if cycles is not None:
        leaves = {name.removesuffix("_satellite"): _leaves(dataset, member, name, cycles[name]) for name in SATELLITE}
    series = {"temperature": weather["temperature"], "shortwave": weather["shortwave"], **leaves}
    climatology = {
        name: monthly_climatology(np.where(record, values, np.nan), month) for name, values in series.items()
    }
    ids = np.char.add(f"{member} ", dataset[member].values.astype(str))
    return Inputs(ids=ids, month=month, record=record, climatology=climatology, **weather, **leaves)


def weather_of(dataset: xr.Dataset, member: str) -> dict[str, Array]:
    """Monthly weather (member, time) of either driver set; of diurnal cycles their mean over the hours."""

    def of(name: str, *hours: str) -> Array:
        values: Array = dataset[name].transpose(member, "time", *hours).values.astype(np.float64)
        return values

    weather = {"temperature": of("air_temperature"), "precipitation": of("precipitation")}
    if "vpd" in dataset:
        return weather | {name: of(name) for name in ("shortwave", "vpd", "pressure", "co2")}
    elevation = dataset["static"].transpose(member, "attribute").values[:, ATTRIBUTES.index("elevation")]
    pressure = np.broadcast_to(
        standard_pressure(elevation.astype(np.float64))[:, None], weather["temperature"].shape
    ).copy()
    vapour = vapour_pressure(of("specific_humidity_hourly", "hour"), pressure[..., None])
    saturated = saturation_vapour_pressure(of("air_temperature_hourly", "hour"))
    return weather | {
        "shortwave": of("shortwave_hourly", "hour").mean(-1),
        "vpd": np.maximum(saturated - vapour, 0.0).mean(-1),
        "pressure": pressure,
        "co2": of("co2_hourly", "hour").mean(-1),
    }


def _leaves(dataset: xr.Dataset, member: str, name: str, cycles: Mapping[str, Array]) -> Array:
    """Satellite channel (member, time); a place that no satellite ever saw has the cycle of its class."""
    values: Array = dataset[name].transpose(member, "time").values.astype(np.float64)
    never = ~(dataset[f"{name}_mask"].transpose(member, "time").values > 0).any(1)
    if not never.any():
        return values
    month = month_number(dataset["time"].values) % 12
    of_class = np.stack([cycles.get(group, cycles[""]) for group in dataset["igbp"].values[never].astype(str)])
    values[never] = _of_season(of_class, dataset["lat"].values[never] < 0)[:, month]
    return values


def _of_season(cycles: Array, south: NDArray[np.bool_]) -> Array:
    """Annual cycles (member, 12) with those of the south turned by half a year, there and back."""
    return np.where(south[:, None], np.roll(cycles, 6, axis=1), cycles)
