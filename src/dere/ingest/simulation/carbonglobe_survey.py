"""One pass over all 136-channel drivers of a file: checks of every value, diurnal cycles and moments on the way."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.blocks import slices
from dere.channels import HOURS
from dere.ingest.arrays.dere_arrays import compare_statistics
from dere.ingest.simulation.carbonglobe_diurnal import check_hours, check_order, check_seasons, clock_of
from dere.ingest.simulation.carbonglobe_forcing import CHANNELS, check_channels
from dere.ingest.simulation.carbonglobe_states import SEVEN_TARGETS
from dere.ingest.simulation.solar_latitude import check_latitudes
from dere.ingest.simulation.stored_array import StoredArray, read_member

log = logging.getLogger(__name__)

_DIURNAL = slice(33, 33 + 4 * HOURS)
_CO2 = slice(8, 8 + HOURS)
_SHORTWAVE = slice(35, 33 + 4 * HOURS, 4)
_SPREAD = 100


@dataclass(frozen=True)
class Survey:
    """What a pass over the drivers leaves.

    Parameters
    ----------
    diurnal, co2
        (cell, 96) and (cell, 24): means over all months of channels 33 to 128 and 8 to 31.
    sun
        (cell, 12, 24) mean shortwave by calendar month and hour.
    mean, std
        (136,) over the chosen cells, years and months.
    """

    diurnal: NDArray[np.float64]
    co2: NDArray[np.float64]
    sun: NDArray[np.float32]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @property
    def shortwave(self) -> NDArray[np.float64]:
        """(cell, 24) mean diurnal cycle."""
        return self.sun.mean(1, dtype=np.float64)


def survey(stored: StoredArray, lat: NDArray | None, rows: int, chosen: NDArray[np.bool_] | None = None) -> Survey:
    """Read all drivers once and check them.

    Parameters
    ----------
    stored
        (cell, year, 12, 136).
    lat
        (cell,) degrees north, or None where the file has no coordinates; then nights are checked by the order of the
        channels alone.
    rows
        Cells of a block.
    chosen
        (cell,) cells for the moments; None = all.

    Raises
    ------
    ValueError
        A value that is missing or not what its channel says (see ``check_channels``), or scrambled channels or hours.
    """
    cells = stored.shape[0]
    places = np.full(cells, 90.0) if lat is None else lat
    use = np.ones(cells, bool) if chosen is None or not chosen.any() else chosen
    _check_some(stored)
    means: dict[str, list[NDArray]] = {"diurnal": [], "co2": [], "sun": []}
    count, total, squares, shift = 0, np.zeros(CHANNELS), np.zeros(CHANNELS), np.zeros(CHANNELS)
    for block in slices(cells, rows):
        raw = np.array(stored.rows(block.start, block.stop))
        by_cell = raw.mean(axis=(1, 2), dtype=np.float64)
        if block.start == 0:
            # moments about a value of their own size keep their digits
            shift = np.nan_to_num(by_cell.mean(0))
        check_channels(raw, places[block], stored.name, block.start)
        means["diurnal"].append(by_cell[:, _DIURNAL])
        means["co2"].append(by_cell[:, _CO2])
        means["sun"].append(raw[..., _SHORTWAVE].mean(axis=1, dtype=np.float64).astype(np.float32))
        part = raw[use[block]].reshape(-1, CHANNELS)
        count += len(part)
        for values in np.array_split(part, max(1, len(part) // 4096)):
            off = values.astype(np.float64) - shift
            total += off.sum(0)
            squares += np.einsum("rc,rc->c", off, off)
    diurnal, co2, sun = (np.concatenate(means[name]) for name in ("diurnal", "co2", "sun"))
    check_order(diurnal, stored.name)
    check_hours(diurnal, co2, stored.name)
    if lat is not None:
        check_seasons(sun.mean(2), lat, stored.name)
        check_latitudes(lat, sun, stored.name)
    mean = total / count
    return Survey(diurnal, co2, sun, shift + mean, np.sqrt(np.maximum(squares / count - mean**2, 0.0)))


def _check_some(stored: StoredArray) -> None:
    """Check the order of channels in cells spread over the file.

    First, because a scrambled file is better told so than that its humidity is no temperature.
    """
    places = np.unique(np.linspace(0, stored.shape[0] - 1, _SPREAD).astype(int))
    some = np.concatenate([stored.rows(cell, cell + 1)[..., _DIURNAL].mean(axis=(1, 2)) for cell in places])
    if np.isfinite(some).all():
        check_order(some.astype(np.float64), stored.name)


def clock(found: Survey, lon: NDArray, wanted: str, source: str) -> tuple[str, bool]:
    """Decide whether cycles must be shifted to solar time.

    Parameters
    ----------
    found
        Of all cells.
    lon
        (cell,) degrees east.
    wanted
        ``local`` or ``keep`` (sources.simulation.hours).
    source
        File name for messages.

    Returns
    -------
    tuple
        Clock of the forcing as it is handed on (`dere.channels.CLOCK`), and whether cycles must be shifted for that.
    """
    hours = clock_of(found.shortwave, lon, source)
    if hours == "utc" and wanted == "local":
        log.info("%s: diurnal cycles are shifted to local solar hours", source)
        return "solar", True
    return hours, False


def read_statistics(path: Path) -> xr.Dataset:
    """Read ``data_stats.npz``, two normalisations of which circulate (docs/data.md#simulations).

    Returns
    -------
    Dataset
        ``driver_mean``, ``driver_std`` (channel) and ``target_mean``, ``target_std`` (target), in the units of the
        files. The run normalises with statistics of its own; these are for comparison with published numbers.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When an array is missing, of another shape, not finite, or a spread is negative.
    """
    parts: dict[str, tuple[str, NDArray]] = {}
    for letter, name, dim, count in (("x", "driver", "channel", CHANNELS), ("y", "target", "target", 7)):
        for moment in ("mean", "std"):
            key = f"{letter}_{moment}"
            values = read_member(path, key).astype(np.float64)
            good = values.shape == (count,) and np.isfinite(values).all() and not (moment == "std" and values.min() < 0)
            if not good:
                raise ValueError(
                    f"{Path(path).name}[{key}] has shape {values.shape} and values from {values.min():g}, but {count} "
                    "finite numbers (spreads not negative) are needed; download the file again"
                )
            parts[f"{name}_{moment}"] = (dim, values)
    return xr.Dataset(parts, coords={"channel": np.arange(CHANNELS), "target": list(SEVEN_TARGETS)})


def compare_with(published: xr.Dataset, found: Survey, source: str) -> int:
    """Channels whose published mean or spread differs from the data's; differences are logged.

    A spread counts when it is off by more than a tenth, constant channels apart.
    """
    off = compare_statistics("x_mean", published["driver_mean"].values, found.mean, found.std, source)
    moving = found.std > 1e-5 * np.maximum(np.abs(found.mean), 1e-3)
    stored = published["driver_std"].values
    wrong = moving & (np.abs(stored - found.std) > 0.1 * found.std)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        log.warning(
            "%s: x_std of %d of %d channels is off that of the arrays by more than a tenth (first: channel %d, %g "
            "against %g); the run uses its own statistics",
            source,
            int(wrong.sum()),
            len(wrong),
            first,
            stored[first],
            found.std[first],
        )
    return off + int(wrong.sum())
