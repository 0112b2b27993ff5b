"""What the Gaussian process sees: the features of the trees, made even and dealt into groups.

Precipitation, VPD, leaf area and the like are skewed and enter as ln(1 + x). Every feature is standardised by the
training rows and clipped, so that no place lies far outside what was learned; a missing value is the mean.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLIP = 4.0
"""Standard deviations."""
_SKEWED = re.compile(r"(mean_)?precipitation|vpd|moisture_index|degree_days|lai_(?!in_range|change)")
"""Names of features whose logarithm is taken."""
GROUPS = ("cover", "climate", "satellite_level", "light_use", "satellite_months", "water", "co2_wind", "rest")
"""One length scale each; those of the first three are also what the static kernel sees."""
STATIC = ("cover", "climate", "satellite_level")
_PATTERNS = (
    ("cover", r"igbp_|(crop|wetland|c4)$|wetland_class_|fraction_|vegetated_fraction"),
    ("satellite_level", r"(lai|evi)_(mean|amplitude|maximum|minimum)$|has_satellite|potential_gpp_\w+_mean12$"),
    ("light_use", r"light_use|absorbed_light|potential_gpp|lloyd_taylor"),
    ("satellite_months", r"lai|evi"),
    ("climate", r"(mean|amplitude|abs)_|\w+_amplitude$|\w+_(warmest|coldest|driest|highest|share)$"),
    ("climate", r"aridity|elevation|soil_|pressure|potential_evaporation_mean12$"),
    ("water", r"precipitation|moisture|wetness"),
    ("co2_wind", r"co2|wind"),
)
"""The first that a name begins with; what begins with none is of the rest: temperature, light, dryness, season."""


def group_of(name: str) -> str:
    """Return the group of a feature; any name has one."""
    return next((group for group, pattern in _PATTERNS if re.match(pattern, name)), GROUPS[-1])


def groups_of(names: Sequence[str]) -> NDArray[np.int64]:
    """Return the position in `GROUPS` of each feature, (feature,)."""
    return np.array([GROUPS.index(group_of(name)) for name in names], np.int64)


def even(features: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float32]:
    """Return features (..., feature) with the logarithm of skewed ones; negative values of those count as 0."""
    skewed = np.array([_SKEWED.match(name) is not None for name in names])
    return np.where(skewed, np.log1p(np.maximum(features, 0.0)), features)


@dataclass(frozen=True)
class Standard:
    """Mean and standard deviation (feature,) of evened features at the training rows; a constant feature has 1."""

    mean: NDArray[np.float64]
    std: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Standard:
        """Of (row, feature); missing values do not count, and a feature without any value has mean 0."""
        seen = np.isfinite(rows)
        number = np.maximum(seen.sum(0), 1)
        values = np.where(seen, rows, 0.0).astype(np.float64)
        mean = values.sum(0) / number
        std = np.sqrt((np.where(seen, values - mean, 0.0) ** 2).sum(0) / number)
        return cls(mean, np.where(std > 1e-6 * (1 + abs(mean)), std, 1.0))

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Standardise (..., feature), clip at `CLIP`, and put the mean where a value is missing."""
        return np.nan_to_num(np.clip((rows - self.mean) / self.std, -CLIP, CLIP)).astype(np.float32)
