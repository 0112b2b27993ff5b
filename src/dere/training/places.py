"""Places: sites or cells with everything that a method may read of them, over their whole record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.harmonise.axis import calendar_years

YEAR = 12


@dataclass(frozen=True)
class Places:
    """Sites or cells; series over the whole record, not windows, and no label of what is judged.

    Parameters
    ----------
    ids
        (place,) text.
    lat, lon
        (place,) degrees.
    time
        (time,) mid-months; starts in a January.
    record
        (place, time) bool.
    drivers
        (place, time, driver) float32, physical and complete.
    driver_names
        (driver,).
    static
        (place, attribute) float32.
    attributes
        (attribute,) names.
    classes
        One row per place with ``igbp``, ``koppen``, ``cluster``; empty text where unknown.
    years
        (year,) calendar years of ``fractions`` and ``vegetated``.
    fractions
        (place, year, plant type) observed.
    vegetated
        (place, year) vegetated share of the land.
    ages
        (age,) years.
    age_weight
        (place, age) sums to 1.
    window
        Months of a window.
    window_place, window_start
        (window,) row of the place and first month.
    initial
        (window, stand, age, state) simulated state of the month before each window, the mixture last; None without a
        simulation.
    simulated
        (place, time, state) simulated states, weighted by age; None where no method asked for them.
    """

    ids: NDArray[np.str_]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    time: NDArray[np.datetime64]
    record: NDArray[np.bool_]
    drivers: NDArray[np.float32]
    driver_names: tuple[str, ...]
    static: NDArray[np.float32]
    attributes: tuple[str, ...]
    classes: pd.DataFrame
    years: NDArray[np.int64]
    fractions: NDArray[np.float32]
    vegetated: NDArray[np.float32]
    ages: NDArray[np.float32]
    age_weight: NDArray[np.float32]
    window: int
    window_place: NDArray[np.int64]
    window_start: NDArray[np.int64]
    initial: NDArray[np.float32] | None = None
    simulated: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: NDArray[np.int64]) -> Places:
        """Return some places, in the order of ``rows``; their windows keep the order they have."""
        new = np.full(len(self), -1)
        new[rows] = np.arange(len(rows))
        kept = new[self.window_place] >= 0
        return replace(
            self,
            ids=self.ids[rows],
            lat=self.lat[rows],
            lon=self.lon[rows],
            record=self.record[rows],
            drivers=self.drivers[rows],
            static=self.static[rows],
            classes=self.classes.iloc[rows].reset_index(drop=True),
            fractions=self.fractions[rows],
            vegetated=self.vegetated[rows],
            age_weight=self.age_weight[rows],
            window_place=new[self.window_place[kept]],
            window_start=self.window_start[kept],
            initial=None if self.initial is None else self.initial[kept],
            simulated=None if self.simulated is None else self.simulated[rows],
        )

    def blocks(self, size: int) -> Iterator[Places]:
        """Yield the places in groups of ``size``, so that what a method makes of them stays small."""
        for first in range(0, len(self), size):
            yield self.take(np.arange(first, min(first + size, len(self))))

    def window_years(self) -> NDArray[np.int64]:
        """Positions in ``years`` of the year before each window and of its own years, (window, 1 + W / 12).

        A year without a map takes the nearest one that has it.
        """
        first = int(calendar_years(self.time)[0])
        begin = first + (self.window_start[:, None] + YEAR // 2) // YEAR
        wanted = begin + np.arange(-1, self.window // YEAR)
        return np.searchsorted(self.years, wanted.clip(self.years.min(), self.years.max()))
