"""Stated tables per IGBP class, used where no map is given: plant fractions, vegetated fraction, stand-age prior.

Fractions follow the class definitions: forests have tree cover above 60 % and towers stand in their dense part
(85-90 %), woody savannas 30-60 %, savannas 10-30 %; woody plants below 2 m, grass, crops and wetland herbs are GS.
Evergreen and deciduous broadleaf share BL here, crops, grassland and wetland share GS: they stay apart in the static
attributes (``statics.py``), which every network and tree model sees. Towns, barren land, ice and water have no
vegetation.

Stand-age priors are log-normal. Medians: managed temperate and boreal forests 80 years, evergreen broadleaf older
because tropical old growth is in the class, deciduous needleleaf 90 (little managed); savanna 40 and shrubland 25-40
from fire return times; grassland 8 (grazing, mowing, fire); crops 1 (reset every year); wetlands 60 with a wide
spread, their vegetation is young but their soil carbon is old. The spread is that of the natural logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.variables import PLANT_TYPES


class ClassPrior(NamedTuple):
    """Row of the table: fractions of BL, NL, GS, vegetated fraction, median age in years, spread of ln(age)."""

    broadleaf: float
    needleleaf: float
    grass_shrub: float
    vegetated: float
    median_age: float
    spread: float


CLASSES: dict[str, ClassPrior] = {
    "ENF": ClassPrior(0.05, 0.85, 0.10, 1.0, 80, 0.8),
    "DNF": ClassPrior(0.05, 0.85, 0.10, 1.0, 90, 0.8),
    "EBF": ClassPrior(0.90, 0.00, 0.10, 1.0, 150, 0.9),
    "DBF": ClassPrior(0.85, 0.05, 0.10, 1.0, 80, 0.7),
    "MF": ClassPrior(0.45, 0.45, 0.10, 1.0, 80, 0.8),
    "CSH": ClassPrior(0.10, 0.05, 0.85, 0.9, 25, 0.8),
    "OSH": ClassPrior(0.03, 0.02, 0.95, 0.7, 40, 0.9),
    "WSA": ClassPrior(0.40, 0.05, 0.55, 1.0, 80, 0.9),
    "SAV": ClassPrior(0.20, 0.00, 0.80, 1.0, 40, 1.0),
    "GRA": ClassPrior(0.02, 0.01, 0.97, 1.0, 8, 1.0),
    "WET": ClassPrior(0.05, 0.05, 0.90, 1.0, 60, 1.2),
    "CRO": ClassPrior(0.02, 0.00, 0.98, 1.0, 1, 0.5),
    "CVM": ClassPrior(0.15, 0.05, 0.80, 1.0, 5, 1.0),
    # no vegetation: bare land counts as grass and shrub land of which there is none (``cover``)
    "URB": ClassPrior(0.00, 0.00, 1.00, 0.0, 30, 1.0),
    "BSV": ClassPrior(0.00, 0.00, 1.00, 0.0, 20, 1.0),
    "SNO": ClassPrior(0.00, 0.00, 1.00, 0.0, 20, 1.0),
    "WAT": ClassPrior(0.00, 0.00, 1.00, 0.0, 20, 1.0),
}
UNKNOWN = ClassPrior(math.nan, math.nan, math.nan, math.nan, 50, 1.2)
"""A class that is not known says nothing of plants; its stand age is any of a wide range."""


def plant_fractions(igbp: Sequence[str]) -> NDArray[np.float64]:
    """Fractions of BL, NL, GS of the vegetated area, (site, plant_type); NaN where the class is not known."""
    rows = [CLASSES.get(name, UNKNOWN) for name in igbp]
    fractions = np.array([[row.broadleaf, row.needleleaf, row.grass_shrub] for row in rows], float)
    return fractions.reshape(-1, len(PLANT_TYPES))


def vegetated_fractions(igbp: Sequence[str]) -> NDArray[np.float64]:
    """Vegetated share of the land, (site,); NaN where the class is not known."""
    return np.array([CLASSES.get(name, UNKNOWN).vegetated for name in igbp], float)


def age_weights(igbp: Sequence[str], ages: Sequence[int]) -> NDArray[np.float64]:
    """Share of each stand age, (site, age), rows sum to 1.

    The log-normal prior of the class is integrated between the geometric midpoints of neighbouring ages.
    """
    years = np.asarray(ages, float)
    edges = np.concatenate([[0.0], np.sqrt(years[1:] * years[:-1]), [np.inf]])
    rows = []
    for name in igbp:
        prior = CLASSES.get(name, UNKNOWN)
        cumulative = np.array([_lognormal_cdf(edge, prior.median_age, prior.spread) for edge in edges])
        rows.append(np.diff(cumulative))
    return np.array(rows).reshape(-1, len(years))


def _lognormal_cdf(value: float, median: float, spread: float) -> float:
    if value <= 0:
        return 0.0
    if math.isinf(value):
        return 1.0
    return 0.5 * (1.0 + math.erf(math.log(value / median) / (spread * math.sqrt(2.0))))
