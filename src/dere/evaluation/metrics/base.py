"""What a score declares of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dere.evaluation.metrics.pairs import Array, Pairs


@dataclass(frozen=True)
class Metric:
    """One score of predictions against observations.

    Parameters
    ----------
    name
        Column of the tables; that of its file.
    label
        Name for readers.
    unit
        ``1``, or ``flux`` for the unit of the flux.
    better
        Which values are better: the lower, the higher, those near zero or near one.
    function
        Complete pairs (..., n) to the score (...); NaN where the pairs do not define it.
    reference
        Where the definition comes from.
    rank
        Place among the columns of the tables, rising from left to right.
    bounds
        Inclusive bounds of possible values; a table with a value outside is not written.
    """

    name: str
    label: str
    unit: Literal["1", "flux"]
    better: Literal["lower", "higher", "zero", "one"]
    function: Callable[[Pairs], Array]
    reference: str
    rank: int
    bounds: tuple[float, float] = (-np.inf, np.inf)
