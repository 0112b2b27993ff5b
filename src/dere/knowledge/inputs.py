"""What the channels are computed from: weather of the month, and leaves as satellites see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.knowledge.earlier_months import YEAR

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Inputs:
    """Complete monthly series of places; no flux is among them.

    Parameters
    ----------
    ids
        (member,) names of the places, for messages.
    month
        (time,) calendar month, 0-11.
    record
        (member, time) months of the place's own record; other months are filled.
    temperature, precipitation, shortwave, vpd, pressure, co2
        (member, time) degC (24-hour mean), mm d-1, W m-2, hPa, kPa, ppm.
    climatology
        (member, 12) of the record, of ``temperature``, ``shortwave`` and, where there are any, ``lai`` and ``evi``.
    lai, evi
        (member, time) m2 m-2 and 1, complete; None without satellites.

    Raises
    ------
    ValueError
        When a record has less than twelve months.
    """

    ids: NDArray
    month: NDArray[np.int64]
    record: NDArray[np.bool_]
    temperature: Array
    precipitation: Array
    shortwave: Array
    vpd: Array
    pressure: Array
    co2: Array
    climatology: Mapping[str, Array]
    lai: Array | None = None
    evi: Array | None = None

    def __post_init__(self) -> None:
        """Refuse records shorter than a year."""
        months = self.record.sum(1)
        if (months < YEAR).any():
            row = int(np.flatnonzero(months < YEAR)[0])
            raise ValueError(too_short(str(self.ids[row]), int(months[row])))

    @property
    def rain(self) -> Array:
        """Precipitation without the small negative values of gauges (mm d-1)."""
        return np.maximum(self.precipitation, 0.0)


def too_short(name: str, months: int) -> str:
    """Sentence about a record that is too short for the channels."""
    return (
        f"{name} has a record of {months} months, at least {YEAR} are needed for its knowledge channels; give a longer "
        "record or set harmonise.channels: none"
    )
