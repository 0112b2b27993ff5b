"""Windows of places: series stored once per place, windows and stand ages as indices of them.

One class serves sites and cells, training and prediction. Cells that are trained on bring their simulated states;
sites that are trained on bring labels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor

from dere.training.places import YEAR, Places
from dere.training.read_places import Labels

MIXTURE = -1
"""Stand of mixtures, counted from the end, where it is with the pure stands or without."""


class Simulated(NamedTuple):
    """Simulated states of the places.

    Parameters
    ----------
    state
        (place, stand, age, time, state) physical, the mixture last; pure stands may be missing.
    initial
        (place, stand, age, state) of the month before the record.
    fractions
        (place, age, year, plant type); the first year is the one before the record.
    """

    state: Tensor
    initial: Tensor
    fractions: Tensor


@dataclass
class Windows:
    """Windows of fixed length over places.

    Parameters
    ----------
    ids
        (place,) text.
    place, start
        (window,) row of the place and first month.
    length
        Months of a window, W.
    drivers, static
        (place, time, driver) and (place, attribute), physical; drivers are never repeated over ages or stands.
    ages, age_weight
        (age,) years and (place, age).
    fractions
        (place, year, plant type) observed.
    years
        (window, 1 + W / 12) positions in them: the year before the window, then its own.
    initial
        (window, stand, age, state) of the month before the window; None = they follow from ``simulated``, or there is
        no simulation.
    simulated
        States to learn from, or None.
    flux, weight
        (place, time, flux) labels with zeros where missing, and their weight, zero = no label; or None.
    ahead
        Starts to read the simulated states of places that are needed soon; None = they are in memory.
    """

    ids: np.ndarray
    place: Tensor
    start: Tensor
    length: int
    drivers: Tensor
    static: Tensor
    ages: Tensor
    age_weight: Tensor
    fractions: Tensor
    years: Tensor
    initial: Tensor | None = None
    simulated: Simulated | None = None
    flux: Tensor | None = None
    weight: Tensor | None = None
    ahead: Callable[[Tensor], None] | None = None

    def __len__(self) -> int:
        return len(self.place)

    def months(self, index: Tensor) -> Tensor:
        """(B, W) positions on the time axis."""
        return self.start[index][:, None] + torch.arange(self.length)

    def cut(self, series: Tensor, index: Tensor) -> Tensor:
        """Window months (B, W, ...) of a series (place, time, ...)."""
        return series[self.place[index][:, None], self.months(index)]

    def inputs(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Drivers (B, W, D) and static (B, S) of windows ``index``."""
        return self.cut(self.drivers, index), self.static[self.place[index]]

    def weights(self, index: Tensor) -> Tensor:
        """Age weights (B, A)."""
        return self.age_weight[self.place[index]]

    def observed(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Observed fractions of the year before the window (B, 3) and of its years (B, Y, 3)."""
        places, years = self.place[index], self.years[index]
        return self.fractions[places, years[:, 0]], self.fractions[places[:, None], years[:, 1:]]

    def before(self, index: Tensor) -> Tensor:
        """State of the month before the window, (B, stand, A, state); no states without a simulation.

        A pure stand that was not simulated at this place and age starts from the mixture's state, as in the published
        code.
        """
        if self.initial is not None:
            return self.initial[index]
        if self.simulated is None:
            return torch.zeros(len(index), 1, len(self.ages), 0)
        places, start = self.place[index], self.start[index]
        previous = self.simulated.state[places, :, :, (start - 1).clamp_min(0)]
        before = torch.where((start > 0)[:, None, None, None], previous, self.simulated.initial[places])
        return torch.where(before.isnan(), before[:, -1:], before)

    def states(self, index: Tensor, stand: int, ages: Tensor) -> tuple[Tensor, Tensor]:
        """State before the window (B, k, state) and within it (B, k, W, state), for ages (k,).

        ``stand`` counts from the end, as `MIXTURE` does.
        """
        places, months = self.place[index], self.months(index)
        state = self.simulation.state
        within = state[places[:, None, None], stand, ages[None, :, None], months[:, None]]
        return self.before(index)[:, stand][:, ages], within

    def simulated_fractions(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Simulated fractions of the year before the window (B, A, 3) and of its years (B, A, Y, 3)."""
        first = self.start[index] // YEAR
        years = first[:, None] + 1 + torch.arange(self.length // YEAR)
        values = self.simulation.fractions[self.place[index]]
        rows = torch.arange(len(index))
        return values[rows, :, first], values[rows[:, None], :, years].transpose(1, 2)

    @property
    def simulation(self) -> Simulated:
        """States to learn from; it is a mistake to ask for them where there are none."""
        assert self.simulated is not None
        return self.simulated

    def labels(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Labels (B, W, flux), zeros where missing, and their weights alike; a mistake where there are none."""
        assert self.flux is not None and self.weight is not None
        return self.cut(self.flux, index), self.cut(self.weight, index)


def windows_of(places: Places, labels: Labels | None = None, simulated: Simulated | None = None) -> Windows:
    """Cut places into their windows.

    Parameters
    ----------
    places
        Sites or cells.
    labels
        Of the same places, for learning from them.
    simulated
        Of the same places; the states before windows then follow from it.
    """
    flux = weight = None
    if labels is not None:
        good = np.isfinite(labels.flux)
        flux = torch.from_numpy(np.where(good, labels.flux, 0.0).astype(np.float32))
        weight = torch.from_numpy(np.where(good, labels.quality, 0.0).astype(np.float32))
    initial = None if simulated is not None or places.initial is None else torch.from_numpy(places.initial)
    return Windows(
        ids=places.ids,
        place=torch.from_numpy(places.window_place),
        start=torch.from_numpy(places.window_start),
        length=places.window,
        drivers=torch.from_numpy(places.drivers),
        static=torch.from_numpy(places.static),
        ages=torch.from_numpy(places.ages),
        age_weight=torch.from_numpy(places.age_weight),
        fractions=torch.from_numpy(places.fractions),
        years=torch.from_numpy(places.window_years()),
        initial=initial,
        simulated=simulated,
        flux=flux,
        weight=weight,
    )


def simulated_states(simulation: xr.Dataset, states: Sequence[str]) -> Simulated:
    """Read the states of all cells as tensors.

    Parameters
    ----------
    simulation
        ``data/simulation.nc`` with the stands wanted, the mixture among them.
    states
        Names of the states, in the order of the result.
    """
    order = ("cell", "stand", "age", "time", "target")
    chosen = simulation if simulation["target"].values.tolist() == list(states) else simulation.sel(target=list(states))
    years = np.unique(pd.DatetimeIndex(simulation["time"].values).year)
    fractions = simulation["plant_fraction"].transpose("cell", "age", "year", "plant_type")
    known = fractions["year"].values
    wanted = np.concatenate([[years[0] - 1], years]).clip(known.min(), known.max())
    return Simulated(
        state=torch.from_numpy(chosen["state"].transpose(*order).values),
        initial=torch.from_numpy(chosen["initial_state"].transpose(*[d for d in order if d != "time"]).values),
        fractions=torch.from_numpy(fractions.sel(year=wanted).values.astype(np.float32)),
    )


def select(windows: Windows, members: pd.DataFrame, kind: str, role: str, labelled: bool = False) -> Tensor:
    """Indices of the windows of cells or sites with a role; with ``labelled`` only those that hold a label.

    Parameters
    ----------
    members
        Roles of the fold.
    kind
        ``cell`` or ``site``.

    Raises
    ------
    ValueError
        When none is left.
    """
    ids = members.loc[(members["kind"] == kind) & (members["role"] == role), "id"]
    chosen = np.isin(windows.ids, ids.to_numpy(dtype=str))[windows.place.numpy()]
    if labelled:
        _, weight = windows.labels(torch.arange(len(windows)))
        chosen &= weight.sum((1, 2)).numpy() > 0
    index = torch.from_numpy(np.flatnonzero(chosen))
    if not len(index):
        what = f"tower with the role '{role}' has a label" if labelled else f"{kind} has the role '{role}'"
        raise ValueError(f"no {what} in this fold; use fewer folds or more {'towers' if labelled else f'{kind}s'}")
    return index
