"""Driver channels of a run: their names, and stacking of the stored quantities into one array.

Quantities are stored one by one with their own unit, complete; only here they become channels. ``monthly8`` has eight,
``carbonglobe136`` the 136 of the published file in its order. Satellite channels carry a mask channel each, because a
missing month is information too. Knowledge channels (`dere.knowledge.terms`) come last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.channels import DIURNAL, HOURS, SOIL_LAYERS, SOIL_PROPERTIES
from dere.knowledge.terms import terms
from dere.variables import MONTHLY8, SATELLITE

_SEEN = (*SATELLITE, *(f"{name}_mask" for name in SATELLITE))


def driver_names(driver_set: str, satellites: bool = False, channels: str = "none") -> tuple[str, ...]:
    """Channel names in stacking order: the driver set, satellites with their masks, knowledge channels.

    Raises
    ------
    ValueError
        When ``driver_set`` or ``channels`` is unknown.
    """
    if driver_set == "monthly8":
        names = list(MONTHLY8)
    elif driver_set == "carbonglobe136":
        names = ["air_temperature", "precipitation"]
        names += [f"soil_temperature_{layer + 1}" for layer in range(SOIL_LAYERS)]
        names += [f"co2_h{hour:02d}" for hour in range(HOURS)] + ["disturbance_rate"]
        names += [f"{name.removesuffix('_hourly')}_h{hour:02d}" for hour in range(HOURS) for name in DIURNAL]
        names += [f"soil_{name}" for name in SOIL_PROPERTIES]
    else:
        raise ValueError(
            f"driver_set is '{driver_set}', expected 'monthly8' or 'carbonglobe136'; correct harmonise.driver_set"
        )
    if satellites:
        names += _SEEN
    return (*names, *(term.name for term in terms(channels, satellites)))


def stored_variables(driver_set: str) -> tuple[str, ...]:
    """Names of the data variables that a driver set needs in ``drivers.nc`` and ``towers.nc``, without satellites."""
    if driver_set == "monthly8":
        return MONTHLY8
    driver_names(driver_set)
    return (
        "air_temperature",
        "precipitation",
        "soil_temperature",
        "co2_hourly",
        "disturbance_rate",
        *DIURNAL,
        "soil",
    )


def is_mask(name: str) -> bool:
    """Whether a channel is a mask (0 or 1, never normalised)."""
    return name.endswith("_mask")


def stack(
    dataset: xr.Dataset, driver_set: str, satellites: bool = False, channels: str = "none"
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Stack the driver quantities of cells or sites as they are stored; nothing is filled here.

    Parameters
    ----------
    dataset
        ``drivers.nc`` or ``towers.nc``: quantities over (member, time[, ...]), member being ``cell`` or ``site``.
    driver_set, satellites, channels
        As in the configuration.

    Returns
    -------
    array, names
        (member, time, channel) in the stored units, without NaN, and the channel names.

    Raises
    ------
    ValueError
        When a variable is missing or holds NaN.
    """
    names = driver_names(driver_set, satellites, channels)
    knowledge = [term.name for term in terms(channels, satellites)]
    member = "cell" if "cell" in dataset.dims else "site"
    wanted = [*stored_variables(driver_set), *(_SEEN if satellites else ()), *knowledge]
    missing = [name for name in wanted if name not in dataset]
    if missing:
        raise ValueError(
            f"driver dataset lacks {missing}, which driver_set '{driver_set}' {'with satellites ' * satellites}"
            f"{f'and channels {channels} ' * bool(knowledge)}needs; make it again with that driver_set or change "
            "harmonise.driver_set, harmonise.satellites or harmonise.channels"
        )
    shape = (dataset.sizes[member], dataset.sizes["time"], len(names))
    stacked = np.empty(shape, np.float32)
    position = 0
    for block in _blocks(dataset, driver_set, satellites, knowledge, member):
        stacked[..., position : position + block.shape[-1]] = block
        position += block.shape[-1]
    if np.isnan(stacked).any():
        where, _, channel = np.argwhere(np.isnan(stacked))[0]
        count = int(np.isnan(stacked).sum())
        raise ValueError(
            f"driver {names[channel]} of {member} {dataset[member].values[where]} is NaN ({count} values in all); "
            "drivers of the canonical set are complete: run harmonise again"
        )
    return stacked, names


def _blocks(
    dataset: xr.Dataset, driver_set: str, satellites: bool, knowledge: Sequence[str], member: str
) -> Iterator[NDArray]:
    """Channel blocks (member, time, channels) in the order of ``driver_names``."""
    if driver_set == "monthly8":
        for name in MONTHLY8:
            yield dataset[name].transpose(member, "time").values[..., None]
    else:
        for name in ("air_temperature", "precipitation"):
            yield dataset[name].transpose(member, "time").values[..., None]
        yield dataset["soil_temperature"].transpose(member, "time", "layer").values
        yield dataset["co2_hourly"].transpose(member, "time", "hour").values
        yield dataset["disturbance_rate"].transpose(member, "time").values[..., None]
        # hours are the slow index, the four variables the fast one (docs/data.md#the-136-channels)
        hourly = np.stack([dataset[name].transpose(member, "time", "hour").values for name in DIURNAL], -1)
        yield hourly.reshape(*hourly.shape[:2], -1)
        soil = dataset["soil"].transpose(member, "soil_property").sel(soil_property=list(SOIL_PROPERTIES)).values
        yield np.broadcast_to(soil[:, None], (soil.shape[0], dataset.sizes["time"], soil.shape[1]))
    if satellites:
        yield np.stack([dataset[name].transpose(member, "time").values for name in _SEEN], -1)
    shape = (dataset.sizes[member], dataset.sizes["time"])
    for name in knowledge:
        values = dataset[name].transpose(member, ...).values
        yield np.broadcast_to(values.reshape(len(values), -1), shape)[..., None]
