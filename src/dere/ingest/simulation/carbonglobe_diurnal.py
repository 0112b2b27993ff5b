"""What the mean diurnal cycles of the 136 channels reveal: their order, the order of hours, UTC or local time.

Channels 33 to 128 interleave four quantities by hour; read otherwise they stay plausible numbers
(docs/data.md#the-136-channels). Each quantity is recognised by what only it does: temperatures are some hundred kelvin,
humidity is a few grams per kilogram, shortwave is dark at night, wind is none of these.
"""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from dere.channels import DIURNAL, HOURS

log = logging.getLogger(__name__)

_WORDS = dict(zip(DIURNAL, ("humidity", "temperature", "shortwave", "wind"), strict=True))
# share of a 24-hour cycle's variance in its first two harmonics: real cycles have more than 0.9, hours in random order
# 4 / 23 on average
_SMOOTH = 0.5
_UNIMODAL = ("shortwave", "temperature")
# smallest standard deviation of a cycle that is worth a judgement, in the unit of the channel
_FLAT = {"humidity": 2e-5, "temperature": 0.2, "shortwave": 10.0, "wind": 0.05, "CO2": 0.2}
_FOUND = {"local": "solar", "utc": "utc", "unknown": "unknown"}
"""What `hour_convention` finds, as `dere.channels.CLOCK` names it."""
_IN_WORDS = {"solar": "local time", "utc": "UTC", "unknown": "not clear (too few longitudes, or no clock fits)"}
_LAG = (-1.0, 7.0)
"""Hours by which the warmest time of day follows the brightest."""
_PHASE_TOLERANCE = 1.5


def recognise(values: NDArray) -> str:
    """Quantity that mean diurnal cycles (cell, 24) can be, or an empty text."""
    low, high = float(np.median(values.min(1))), float(np.median(values.max(1)))
    if low > 170 and high < 345:
        return "temperature"
    if low >= 0 and high < 0.06:
        return "humidity"
    # polar summers have bright nights, so that darkness decides only where the sun is weak
    dark = float(np.median(np.sort(values, axis=1)[:, :4].mean(1)))
    if low >= -1 and (40 <= high < 1500 or (20 < high < 40 and dark < 0.02 * high + 1)):
        return "shortwave"
    if low > 0 and high < 40:
        return "wind"
    return ""


def check_order(diurnal: NDArray, source: str) -> None:
    """Check that the four quantities are interleaved in the published order.

    Parameters
    ----------
    diurnal
        (cell, 96) means over months of channels 33 to 128, as the file has them.
    source
        File name for messages.

    Raises
    ------
    ValueError
        When they are not; says which arrangement the file shows, if it shows one.
    """
    expected = [_WORDS[name] for name in DIURNAL]
    interleaved = [recognise(diurnal[:, position::4]) for position in range(4)]
    if interleaved == expected:
        return
    blocked = [recognise(diurnal[:, HOURS * position : HOURS * (position + 1)]) for position in range(4)]
    if sorted(interleaved) == sorted(expected):
        shown = f"the order {', '.join(interleaved)} within each hour"
    elif sorted(blocked) == sorted(expected):
        shown = f"four blocks of 24 hours ({', '.join(blocked)})"
    else:
        shown = f"'{', '.join(name or 'none of them' for name in interleaved)}'"
    raise ValueError(
        f"{source}: channels 33 to 128 show {shown}, but {', '.join(expected)} interleaved by hour are needed; the "
        "channels are scrambled: put them in the published order"
    )


def check_hours(diurnal: NDArray, co2: NDArray, source: str) -> None:
    """Check that hours follow each other, and that the warmest time of day follows the brightest.

    CO2 (channels 8 to 31) should be lowest in daylight; that it is not is only a warning, because cold and oceanic
    places hardly show it.

    Parameters
    ----------
    diurnal
        (cell, 96) as in `check_order`, in the right order.
    co2
        (cell, 24).
    source
        File name for messages.

    Raises
    ------
    ValueError
        When a cycle has no shape, or temperature peaks before or long after the sun.
    """
    cycles = {_WORDS[name]: diurnal[:, position::4] for position, name in enumerate(DIURNAL)} | {"CO2": co2}
    for name, values in cycles.items():
        moving = values.std(1) > _FLAT[name]
        if moving.sum() < 0.1 * len(values):
            continue
        share, turns = float(np.median(smoothness(values[moving]))), float(np.median(turning_points(values[moving])))
        if share < _SMOOTH or (name in _UNIMODAL and turns > 2):
            raise ValueError(
                f"{source}: the diurnal cycle of {name} turns {turns:.0f} times a day and holds {share:.0%} of its "
                f"variance in 24- and 12-hour waves, but 2 times and at least {_SMOOTH:.0%} are natural; its 24 hours "
                "are out of order: put them in sequence"
            )
    sun, sunny = peak_hour(cycles["shortwave"]), cycles["shortwave"].std(1) > _FLAT["shortwave"]
    warm = sunny & (cycles["temperature"].std(1) > _FLAT["temperature"])
    if warm.any():
        lag = float(np.median(_wrap(peak_hour(cycles["temperature"]) - sun)[warm]))
        if not _LAG[0] <= lag <= _LAG[1]:
            raise ValueError(
                f"{source}: air temperature peaks {lag:.1f} h after shortwave, but 1 to 4 h are natural; the hours of "
                "the two quantities do not belong together: export them on the same clock"
            )
    drawn = sunny & (co2.std(1) > 1.0)
    if drawn.any():
        behind = float(np.median(np.abs(_wrap(peak_hour(co2) - sun)[drawn])))
        if behind < 6.0:
            log.warning(
                "%s: CO2 is highest %.1f h from noon in the median of %d cells, but plants lower it by day; check the "
                "hours of channels 8 to 31",
                source,
                behind,
                int(drawn.sum()),
            )


def hour_convention(shortwave: NDArray, lon: NDArray) -> str:
    """Whether hours of day are local (solar) time or UTC, from the brightest time against longitude.

    Parameters
    ----------
    shortwave
        (cell, 24) mean diurnal cycles; value h stands for h to h + 1.
    lon
        (cell,) degrees east.

    Returns
    -------
    str
        ``local``, ``utc``, or ``unknown`` where the cells do not tell.
    """
    sunny = shortwave.std(1) > _FLAT["shortwave"]
    if not sunny.any():
        return "unknown"
    noon = peak_hour(shortwave[sunny]) + 0.5
    errors = {
        "local": float(np.median(np.abs(_wrap(noon - 12.0)))),
        "utc": float(np.median(np.abs(_wrap(noon - 12.0 + lon[sunny] / 15.0)))),
    }
    best, other = sorted(errors, key=lambda name: errors[name])
    log.info(
        "the brightest time of day is %.1f h from noon in local time and %.1f h in UTC (median of %d cells)",
        errors["local"],
        errors["utc"],
        int(sunny.sum()),
    )
    if errors[best] > _PHASE_TOLERANCE or errors[other] - errors[best] < 0.5:
        return "unknown"
    return best


def clock_of(shortwave: NDArray, lon: NDArray, source: str, stated: str = "") -> str:
    """Clock of a file's hours as `dere.channels.CLOCK` names it; what is found is logged.

    Parameters
    ----------
    shortwave
        (cell, 24) mean diurnal cycles.
    lon
        (cell,) degrees east; cells without (NaN) tell nothing.
    source
        File name for messages.
    stated
        ``solar`` or ``utc`` where meta.json says so; it holds where the cells do not tell.

    Raises
    ------
    ValueError
        When the cells show another clock than the stated one.
    """
    placed = np.isfinite(lon)
    found = _FOUND[hour_convention(shortwave[placed], lon[placed])]
    log.info("%s: hours of day are %s", source, _IN_WORDS[found])
    if stated:
        if found not in (stated, "unknown"):
            raise ValueError(
                f"{source}: the brightest time of day shows that hours are {_IN_WORDS[found]}, but meta.json has hours "
                f"'{stated}'; correct the key or leave it out"
            )
        return stated
    if found == "unknown":
        log.warning("%s: it is not clear whether hours are UTC or local; they stay as they are", source)
    return found


def solar_shift(lon: NDArray) -> NDArray[np.int64]:
    """(cell,) whole hours by which local solar time is ahead of UTC."""
    return np.round(np.asarray(lon) / 15.0).astype(np.int64)


def check_seasons(season: NDArray, lat: NDArray, source: str) -> None:
    """Check that the bright half of the year fits the hemisphere, an independent test of the mask's row order.

    Parameters
    ----------
    season
        (cell, 12) mean shortwave of each calendar month.
    lat
        (cell,) degrees north.
    source
        File name for messages.

    Raises
    ------
    ValueError
        When fewer than 80 % of the cells beyond 30 degrees agree.
    """
    far = np.abs(lat) > 30.0
    if not far.any():
        return
    summer = season[far, 3:9].mean(1) > season[far][:, [0, 1, 2, 9, 10, 11]].mean(1)
    agree = float((summer == (lat[far] > 0)).mean())
    if agree < 0.8:
        raise ValueError(
            f"{source}: April to September is the bright half of the year where the mask puts it at {agree:.0%} of the "
            f"{int(far.sum())} cells beyond 30 degrees, but at least 80% are expected; the rows of mask2d.npy run the "
            "other way (set sources.simulation.row_order) or its cells are in another order than the arrays"
        )


def peak_hour(values: NDArray) -> NDArray[np.float64]:
    """Phase of the 24-hour wave of cycles (cell, 24): the hour index at which it is highest, 0 to 24."""
    wave = np.exp(-2j * np.pi * np.arange(HOURS) / HOURS)
    return (-np.angle(values @ wave) * HOURS / (2 * np.pi)) % HOURS


def smoothness(values: NDArray) -> NDArray[np.float64]:
    """Share of the variance of cycles (cell, 24) in their waves of 24 and 12 hours."""
    power = np.abs(np.fft.rfft(np.asarray(values, float), axis=1)[:, 1:]) ** 2
    power[:, -1] /= 2
    return power[:, :2].sum(1) / np.maximum(power.sum(1), 1e-300)


def turning_points(values: NDArray) -> NDArray[np.int64]:
    """Number of highs and lows of cycles (cell, 24); steps below 2 % of the range do not count."""
    steps = np.diff(np.concatenate([values, values[:, :1]], axis=1), axis=1)
    count = np.zeros(len(values), np.int64)
    for index, row in enumerate(steps):
        signs = np.sign(row[np.abs(row) > 0.02 * np.ptp(values[index])])
        count[index] = int((signs != np.roll(signs, 1)).sum())
    return count


def _wrap(hours: NDArray) -> NDArray[np.float64]:
    """Hours as -12 to 12."""
    return (np.asarray(hours) + 12.0) % 24.0 - 12.0
