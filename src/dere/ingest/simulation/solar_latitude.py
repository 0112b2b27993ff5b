"""Latitude from the diurnal cycle of shortwave, for drivers without coordinates.

The mean radiation of hour h in month m is close to a_m max(0, sin phi sin d_m + cos phi cos d_m cos w_h), with the
sun's declination d_m, the hour angle w_h counted from the brightest time of the place, and a clearness a_m of the
month. The latitude phi is the one of 1 degree steps for which the a_m leave the smallest squared error. Longitude does
not follow, because it is not known whether hours are UTC or local.
"""

from __future__ import annotations

import numpy as np

from dere.channels import HOURS

_STEPS = np.arange(-89.0, 90.0)
# enough places, far enough apart, that their order shows; latitudes told by the sun are right within some degrees
_PLACES, _SPREAD, _ALIKE = 20, 10.0, 0.5
_SAMPLE = 200
_MIDDLE_DAY = np.array([16, 46, 75, 106, 136, 167, 197, 228, 259, 289, 320, 350])


def declinations() -> np.ndarray:
    """Declination of the sun at the middle of each month in rad, (12,) (FAO 56, eq. 24)."""
    return 0.409 * np.sin(2 * np.pi * _MIDDLE_DAY / 365.25 - 1.39)


def elevations(latitude: np.ndarray, noon: np.ndarray) -> np.ndarray:
    """Sine of the sun's elevation, zero at night.

    Parameters
    ----------
    latitude
        (..., ) degrees north.
    noon
        (..., ) hour of the highest sun.

    Returns
    -------
    np.ndarray
        (..., 12, 24), means over each hour, the first from 0 to 1.
    """
    phi = np.deg2rad(np.asarray(latitude, float))[..., None, None, None]
    quarters = (np.arange(HOURS)[:, None] + np.array([0.125, 0.375, 0.625, 0.875])) - np.asarray(noon)[..., None, None]
    angle = (2 * np.pi / HOURS * quarters)[..., None, :, :]
    sun = declinations()[:, None, None]
    return np.maximum(np.sin(phi) * np.sin(sun) + np.cos(phi) * np.cos(sun) * np.cos(angle), 0.0).mean(-1)


def latitude_of(shortwave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latitude of members and how well it explains their radiation.

    Parameters
    ----------
    shortwave
        (n, 12, 24) mean by calendar month and hour, W m-2.

    Returns
    -------
    tuple
        Degrees north (n,) in whole degrees, and the share of the sum of squares explained (n,); members without
        radiation get 0 and 0.
    """
    mean = shortwave.mean(1)
    turn = np.exp(2j * np.pi * (np.arange(HOURS) + 0.5) / HOURS)
    noon = np.angle((mean * turn).sum(-1)) / (2 * np.pi) * HOURS
    total = (shortwave**2).sum((1, 2))
    best, explained = np.zeros(len(shortwave)), np.full(len(shortwave), -1.0)
    for step in _STEPS:
        shape = elevations(np.full(len(shortwave), step), noon)
        power = (shape**2).sum(-1)
        # the clearness of each month by least squares; a month without sun there explains nothing
        gained = (shape * shortwave).sum(-1) ** 2 / np.where(power > 0, power, np.inf)
        share = gained.sum(-1) / np.where(total > 0, total, np.inf)
        better = share > explained
        best, explained = np.where(better, step, best), np.where(better, share, explained)
    return np.where(total > 0, best, 0.0), np.maximum(explained, 0.0)


def check_latitudes(lat: np.ndarray, shortwave: np.ndarray, source: str) -> None:
    """Check that places are listed in the order of the arrays, by the latitudes that sunlight tells.

    Parameters
    ----------
    lat
        (n,) degrees north, as stated for the rows of the arrays.
    shortwave
        (n, 12, 24) as for `latitude_of`.
    source
        File with the places for messages.

    Raises
    ------
    ValueError
        When stated latitudes do not go with those of the sun: another order of the rows, or exchanged coordinates.
    """
    chosen = np.unique(np.linspace(0, len(lat) - 1, min(len(lat), _SAMPLE)).astype(int)) if len(lat) else np.arange(0)
    stated = np.asarray(lat, float)[chosen]
    if len(chosen) < _PLACES or stated.std() < _SPREAD:
        return
    told, _ = latitude_of(np.asarray(shortwave)[chosen])
    alike = float(np.corrcoef(stated, told)[0, 1]) if told.std() > 0 else 1.0
    if alike < _ALIKE:
        raise ValueError(
            f"{source}: its latitudes correlate with those that the arrays' sunlight tells by {alike:.2f}, but at "
            f"least {_ALIKE:g} is expected; list the places in the order of the arrays, and check that latitude and "
            "longitude are not exchanged"
        )
