"""Places from the canonical set: towers as they are, cells with the inputs that towers have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import loaded_blocks
from dere.exchange import Exchange
from dere.harmonise.drivers import driver_names, stack
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.place_classes import with_class_attributes
from dere.harmonise.simulated import age_weighted
from dere.ingest.alignment import require_same_axes
from dere.training.on_disk import stacked_on_disk
from dere.training.places import YEAR, Places
from dere.variables import STANDS

CLASSES = ("igbp", "koppen")


@dataclass(frozen=True)
class Labels:
    """Tower months that may be learned from.

    Parameters
    ----------
    flux
        (place, time, flux) NaN = no label.
    quality
        (place, time, flux), 0 to 1; weights a label.
    """

    flux: NDArray[np.float32]
    quality: NDArray[np.float32]


def site_labels(towers: xr.Dataset, allowed: Sequence[str], minimum_quality: float, exchange: Exchange) -> Labels:
    """Labels of some sites; those of all others are missing.

    Parameters
    ----------
    towers
        Canonical towers.
    allowed
        Ids of the sites whose labels may be used.
    minimum_quality
        Values below it are no labels.
    """
    flux, quality = labels_of(towers, exchange)
    good = usable(flux, quality, minimum_quality)
    good &= np.isin(towers["site"].values.astype(str), list(allowed))[:, None, None]
    return Labels(np.where(good, flux, np.nan), np.nan_to_num(quality))


def label_uncertainty(towers: xr.Dataset, exchange: Exchange) -> NDArray[np.floating] | None:
    """Standard deviation (site, time, flux) of the labels' random error; None where the towers do not state it."""
    if "flux_uncertainty" not in towers:
        return None
    values = towers["flux_uncertainty"].sel(flux=list(exchange.names)).transpose("site", "time", "flux").values
    return np.asarray(values)


def site_places(
    towers: xr.Dataset,
    members: pd.DataFrame,
    *,
    satellites: bool,
    channels: str,
    reads: Sequence[str] = (),
    exchange: Exchange,
) -> Places:
    """All sites of the canonical towers, without their labels.

    Parameters
    ----------
    towers
        ``data/towers.nc``.
    members
        Split table, for the clusters.
    satellites
        Whether the run has satellite channels.
    channels
        Its knowledge channels, as in the configuration.
    reads
        ``simulated``: give the simulated series too.
    exchange
        What is predicted; its states are the simulation's.
    """
    drivers, names = stack(towers, str(towers.attrs["driver_set"]), satellites, channels)
    states = list(exchange.states)
    initial = None
    if states and "initial_state" in towers:
        values = towers["initial_state"].sel(target=states).transpose("window", "stand", "age", "target").values
        initial = values.astype(np.float32)
    simulated = None
    if "simulated" in reads:
        simulated = towers["simulated"].sel(target=states).transpose("site", "time", "target").values
    return Places(
        **_alike(towers, towers, members, "site", exchange),
        record=towers["record"].transpose("site", "time").values.astype(bool),
        drivers=drivers,
        driver_names=names,
        window=int(towers.attrs["window"]),
        window_place=towers["window_site"].values.astype(np.int64),
        window_start=towers["window_start"].values.astype(np.int64),
        initial=initial,
        simulated=simulated,
    )


def cell_places(
    drivers: xr.Dataset,
    simulation: xr.Dataset | None,
    cover: xr.Dataset,
    members: pd.DataFrame,
    *,
    satellites: bool,
    channels: str,
    window: int,
    stride: int,
    reads: Sequence[str] = (),
    exchange: Exchange,
    scratch: Path | None = None,
) -> Places:
    """All cells: observed cover and ages, and the simulated states before each window.

    Parameters
    ----------
    drivers, simulation, cover
        The canonical set; of a lazily opened simulation only the months before windows are read, unless the simulated
        series are asked for. None = the places come without simulated states.
    members, satellites, channels, reads, exchange
        As for `site_places`.
    window, stride
        Months of a window, and between the starts of two.
    scratch
        Folder for stacked drivers, where ``drivers`` comes in blocks; they stay on its disk. None = in memory.

    Raises
    ------
    ValueError
        When the files have other cells, months or ages, the simulation is shorter than a window, or the window is not a
        whole number of years.
    """
    held = {"drivers.nc": drivers, "cover.nc": cover, "simulation.nc": simulation}
    require_same_axes({name: data for name, data in held.items() if data is not None}, ("cell", "time", "age"))
    starts = window_starts(drivers.sizes["time"], window, stride)
    stacked, names = _stacked_cells(drivers, satellites, channels, scratch)
    count = drivers.sizes["cell"]
    states = list(exchange.states)
    initial = simulated = None
    if states and simulation is not None:
        parts = [_state_before(simulation, start, states) for start in starts]
        joined = np.stack(parts, 1).reshape(count * len(starts), *parts[0].shape[1:])
        initial = np.where(np.isnan(joined), joined[:, -1:], joined)
    if "simulated" in reads and simulation is not None:
        mixture = simulation["state"].sel(stand=STANDS[-1], target=states)
        values = mixture.transpose("cell", "age", "time", "target").values
        simulated = age_weighted(values, cover["age_weight"].transpose("cell", "age").values)
    return Places(
        **_alike(drivers, cover, members, "cell", exchange),
        record=np.ones((count, drivers.sizes["time"]), bool),
        drivers=stacked,
        driver_names=names,
        window=window,
        window_place=np.repeat(np.arange(count), len(starts)),
        window_start=np.tile(starts, count),
        initial=initial,
        simulated=simulated,
    )


def _stacked_cells(
    drivers: xr.Dataset, satellites: bool, channels: str, scratch: Path | None
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Channels of all cells (cell, time, driver) and their names."""
    kind = str(drivers.attrs["driver_set"])
    if scratch is None or not drivers.chunks:
        return stack(drivers, kind, satellites, channels)
    blocks = (stack(block, kind, satellites, channels)[0] for _, block in loaded_blocks(drivers))
    return stacked_on_disk(blocks, drivers.sizes["cell"], scratch).array, driver_names(kind, satellites, channels)


def window_starts(months: int, window: int, stride: int) -> list[int]:
    """First months of the windows over a simulation of ``months``; they fall on a January, the last ends with it.

    Raises
    ------
    ValueError
        When the simulation is shorter than a window, or the window is not a whole number of years.
    """
    if window % YEAR:
        raise ValueError(f"harmonise.window is {window} months; plant types need a multiple of {YEAR}")
    if months < window:
        raise ValueError(f"the simulation has {months} months, harmonise.window asks for {window}; shorten the window")
    return sorted({*range(0, months - window + 1, max(YEAR, stride // YEAR * YEAR)), months - window})


def _state_before(simulation: xr.Dataset, start: int, states: list[str]) -> NDArray[np.float32]:
    """States (cell, stand, age, state) of the month before ``start``."""
    before = simulation["initial_state"] if start == 0 else simulation["state"].isel(time=start - 1)
    return before.sel(target=states).transpose("cell", "stand", "age", "target").values


def _alike(
    data: xr.Dataset, cover: xr.Dataset, members: pd.DataFrame, place: str, exchange: Exchange
) -> dict[str, Any]:
    """Fields of `Places` that sites and cells have alike; ``place`` is their dimension."""
    ids = data[place].values.astype(str)
    static = data["static"].transpose(place, "attribute").values.astype(np.float32)
    return {
        "ids": ids,
        "lat": data["lat"].values.astype(float),
        "lon": data["lon"].values.astype(float),
        "time": data["time"].values,
        "static": with_class_attributes(static, data, exchange),
        "attributes": (*data["attribute"].values.astype(str), *exchange.class_attributes),
        "classes": _classes(data, ids, members, place),
        "years": cover["year"].values.astype(np.int64),
        "fractions": cover["plant_fraction"].transpose(place, "year", "plant_type").values.astype(np.float32),
        "vegetated": cover["vegetated_fraction"].transpose(place, "year").values.astype(np.float32),
        "ages": cover["age"].values.astype(np.float32),
        "age_weight": cover["age_weight"].transpose(place, "age").values.astype(np.float32),
    }


def _classes(dataset: xr.Dataset, ids: NDArray[np.str_], members: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Classes that the dataset states, and the cluster of the split table; empty text where there is none."""
    table = pd.DataFrame(
        {
            name: dataset[name].values.astype(str) if name in dataset.coords else np.full(len(ids), "")
            for name in CLASSES
        }
    )
    own = members[members["kind"] == kind].drop_duplicates("id").set_index("id")["cluster"]
    return table.assign(cluster=own.reindex(ids).fillna("").to_numpy(str))
