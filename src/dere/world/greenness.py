"""How satellites see leaf area: LAI and EVI that saturate, of mixed pixels, with noise and months without a view."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.variables import PLANT_TYPES
from dere.world.fields import distance_km
from dere.world.landscape import Landscape

Array = NDArray[np.float64]

SURROUNDINGS = 0.35
"""Share of the land around in a tower's pixel, as in ``satellite.tower_pixels``."""
_AROUND_KM = 250.0
_EXTINCTION = 0.5
_GRASS = PLANT_TYPES.index("GS")
# of a closed canopy of BL, NL, GS: needles shade each other and look dark
_CANOPY_EVI = (0.68, 0.50, 0.68)
_SOIL_EVI, _PER_FAPAR = 0.09, 1 / 1.2
_KNEE, _ROOM = 2.5, 3.0
# standard deviations at an error of 1: of a place for good and of a month, relative but for the monthly one of EVI
_LAI_PLACE, _LAI_MONTH = 0.15, 0.12
_EVI_PLACE, _EVI_MONTH = 0.06, 0.018


class Canopy(NamedTuple):
    """Leaves on some land.

    Attributes
    ----------
    leaf_area
        (point, time) per vegetated area, m2 m-2.
    vegetated
        (point,) vegetated share of the land.
    fraction
        (point, plant_type) shares of BL, NL, GS in the vegetated part.
    """

    leaf_area: Array
    vegetated: Array
    fraction: Array

    @classmethod
    def of(cls, leaf_area: Array, landscape: Landscape) -> Canopy:
        """Leaves on a landscape."""
        return cls(leaf_area, landscape.vegetated, landscape.fraction)


class Sky(NamedTuple):
    """What decides whether a satellite has a view: air temperature (degC) and sunlight above the air (W m-2).

    Both are (point, time).
    """

    temperature: Array
    sunlight: Array


def around(lat: Array, lon: Array, cell_lat: Array, cell_lon: Array, canopy: Canopy) -> Canopy:
    """Leaves on the land around points: means of the cells, the near ones first.

    Parameters
    ----------
    lat, lon
        (point,) degrees.
    cell_lat, cell_lon
        (cell,) degrees.
    canopy
        Of the cells.
    """
    distance = distance_km(lat, lon, cell_lat, cell_lon)
    near = (distance - distance.min(axis=1, keepdims=True)) / _AROUND_KM
    weight = np.exp(-near)
    weight /= weight.sum(axis=1, keepdims=True)
    return Canopy(*(weight @ values for values in canopy))


def observed(
    own: Canopy,
    land_around: Canopy | None,
    sky: Sky,
    rng: np.random.Generator,
    distance: float,
    error: float,
) -> dict[str, Array]:
    """LAI and EVI of pixels.

    Parameters
    ----------
    own, land_around
        Leaves of the places and of the land around them; None = the pixel holds nothing else.
    sky
        Of the places.
    rng
        Source of randomness.
    distance
        ``nature_distance``. At 0 there is no error: LAI is the leaf area of the land, and 1.2 (EVI - 0.05) is the light
        that leaves absorb.
    error
        Size of the noise, 1 for single pixels.

    Returns
    -------
    dict
        ``lai_satellite`` (m2 m-2) and ``evi_satellite`` (1), (point, time), NaN in dark or snowy winters and where
        clouds stayed all month; missing months do not depend on ``distance``.
    """
    scale = min(distance, 1.5)
    lai, evi = _view(own, sky, min(distance, 1.0))
    if land_around is not None:
        share = SURROUNDINGS * min(distance, 1.0)
        other = _view(land_around, sky, min(distance, 1.0))
        lai, evi = (1 - share) * lai + share * other[0], (1 - share) * evi + share * other[1]
    places, spread = (len(lai), 1), scale * error
    lai = lai * np.exp(spread * (_LAI_PLACE * rng.normal(size=places) + _LAI_MONTH * rng.normal(size=lai.shape)))
    evi = evi * np.exp(spread * _EVI_PLACE * rng.normal(size=places))
    evi = np.clip(evi + spread * _EVI_MONTH * rng.normal(size=lai.shape), 0.0, 1.0)
    draws = rng.uniform(size=(2, *lai.shape))
    dark = np.clip(1.05 - sky.sunlight / 90.0, 0.0, 0.9)
    snowy = 0.15 * np.clip(-sky.temperature / 8.0, 0.0, 1.0)
    no_lai = draws[0] < np.where(sky.sunlight < 15.0, 0.5, 0.01)
    no_evi = draws[1] < np.maximum(dark, 0.01 + snowy)
    return {"lai_satellite": np.where(no_lai, np.nan, lai), "evi_satellite": np.where(no_evi, np.nan, evi)}


def _view(canopy: Canopy, sky: Sky, near: float) -> tuple[Array, Array]:
    """LAI and EVI without noise; ``near`` 0 = leaf area and absorbed light, 1 = what an instrument makes of them."""
    vegetated, trees = canopy.vegetated[:, None], 1.0 - canopy.fraction[:, [_GRASS]]
    lai = vegetated * canopy.leaf_area
    absorbed = -vegetated * np.expm1(-_EXTINCTION * canopy.leaf_area)
    bright = absorbed * (canopy.fraction @ np.array(_CANOPY_EVI))[:, None]
    snow = np.clip(-sky.temperature / 6.0, 0.0, 1.0)
    # snow lies over grass, and between and on trees
    hidden = snow * (0.9 - 0.5 * trees)
    seen_lai = np.where(lai > _KNEE, _KNEE - _ROOM * np.expm1(-np.maximum(lai - _KNEE, 0.0) / _ROOM), lai)
    seen_evi = bright + _SOIL_EVI * (1.0 - absorbed)
    return (
        (1 - near) * lai + near * seen_lai * (1.0 - hidden),
        (1 - near) * (0.05 + _PER_FAPAR * absorbed) + near * seen_evi * (1.0 - hidden),
    )
