"""What a stage leaves behind, and what a method says of places; plain arrays, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray


@dataclass(frozen=True)
class Fitted:
    """All that predicting needs of one stage; no canonical file is opened for it again.

    Parameters
    ----------
    arrays
        Weights of a network, cycles, trees as LightGBM's text (bytes): by name. Weights of several members stand along
        a first axis.
    facts
        What can be written as JSON: fold, seed, split, parameters, classes of towers.
    history
        How it was reached, one row per epoch or setting tried.
    unseen
        The same as ``arrays``, never having seen the validation towers; None = ``arrays`` never saw them.
    """

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]
    history: pd.DataFrame
    unseen: Mapping[str, NDArray[Any]] | None = None

    @property
    def members(self) -> int:
        """Networks or trees whose mean predicts."""
        return int(self.facts.get("members", 1))

    def member(self, number: int) -> Fitted:
        """Return one member's network as if it had been fitted alone."""
        if self.members == 1:
            return self
        return replace(self, arrays={name: value[number] for name, value in self.arrays.items()})

    def chosen(self, unseen: bool) -> Mapping[str, NDArray[Any]]:
        """Arrays that predict; with ``unseen`` those that never saw the validation towers."""
        return self.unseen if unseen and self.unseen is not None else self.arrays


@dataclass(frozen=True)
class Support:
    """Own months of the places that are predicted, for methods that learn from them.

    Parameters
    ----------
    values
        (place, time, flux) labels; NaN = none.
    quality
        (place, time, flux), 0 to 1.
    shown
        (place, time, flux) bool: months that the method may use; they are never scored.
    """

    values: NDArray[np.float64]
    quality: NDArray[np.float64]
    shown: NDArray[np.bool_]


@dataclass(frozen=True)
class Prediction:
    """What a method says of places.

    Parameters
    ----------
    mean
        (place, time, flux), physical and closed; any value outside the record.
    members
        (member, place, time, flux) that close one by one, or None.
    extras
        Further variables over place, for example ``plant_fraction``; a method with intervals of its own gives
        ``std (place, time, flux)`` and ``quantile_value (place, time, flux, quantile)`` here.
    facts
        Attributes of the file.
    """

    mean: NDArray[np.float64]
    members: NDArray[np.float64] | None = None
    extras: xr.Dataset = field(default_factory=xr.Dataset)
    facts: Mapping[str, Any] = field(default_factory=dict)
