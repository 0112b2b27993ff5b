"""What an exchange is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

Array = Any
"""NumPy array or torch tensor."""
OWN_QUALITY = "_quality"
"""What follows a flux's name in the variable of the interim towers that holds its own quality."""


@dataclass(frozen=True)
class Flux:
    """One flux of an exchange.

    Parameters
    ----------
    name
        As in files, tables and figures.
    long_name
        Text for axis labels and attributes.
    unit
        Unit inside the project.
    public_unit
        Unit of the public files.
    valid
        Inclusive bounds of plausible monthly means; values outside are counted and reported.
    possible
        Inclusive bounds of what physics allows; a value outside is no measurement.
    standard_name
        CF standard name of the public variable, where one exists.
    sign
        Which direction is positive.
    file_stem
        Name of the public files; the flux's name by default.
    comment
        What readers of the public files must know of it.
    """

    name: str
    long_name: str
    unit: str
    public_unit: str
    valid: tuple[float, float]
    possible: tuple[float, float]
    standard_name: str | None = None
    sign: str = "positive to the atmosphere"
    file_stem: str = ""
    comment: str = ""

    @property
    def label(self) -> str:
        """Axis label with unit."""
        return f"{self.long_name} ({self.unit})"

    @property
    def stem(self) -> str:
        """Name in public files."""
        return self.file_stem or self.name


@dataclass(frozen=True)
class LabelRule:
    """Which tower months become labels of an exchange; a month may be a label of some fluxes and not of others.

    Parameters
    ----------
    make
        ``module:function`` or a function that makes the labels from the interim towers; see
        ``dere.harmonise.labels.make_labels`` for its arguments. Without one, ``columns`` are taken as they are
        (``dere.harmonise.column_labels``).
    columns
        Flux to the variable of the interim towers that holds it.
    quality
        Variable of the interim towers with the quality (0 to 1) of all fluxes; a flux whose own quality the towers
        bring, as ``<flux>_quality``, takes that.
    odd_months
        ``make`` also takes ``odd``, how months that do not fit the site's own record are treated
        (``dere.harmonise.odd_months``).
    """

    make: str | Callable[..., Any] = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    quality: str = ""
    odd_months: bool = False

    def maker(self) -> Callable[..., Any]:
        """Return the function behind ``make``."""
        if callable(self.make):
            return self.make
        return function_of(self.make)


def function_of(name: str) -> Callable[..., Any]:
    """Return the function behind ``module:function``."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def unchanged(values: Array) -> Array:
    """Return what comes in: an exchange of fluxes that do not depend on each other closes as it is."""
    return values


@dataclass(frozen=True)
class Exchange:
    """What is predicted, and how its parts hang together.

    Arrays given to the functions have fluxes, free channels or outputs along their last axis, in the order stated
    here; NumPy arrays and torch tensors alike.

    Parameters
    ----------
    name
        Name, which is that of its file.
    fluxes
        What is predicted, judged and given away.
    free
        Channels that a network's head emits.
    basis
        Independent observed parts: the others follow from them (an imputation fills these).
    close
        (…, flux) to (…, flux): the dependent fluxes computed again from the others, so that the identities hold to
        rounding.
    complete
        (…, free) to (…, outputs): all channels from the free ones.
    residuals
        (…, flux) to (…, identity): what is left over of each identity; zero where it closes. None = nothing to check.
    identities
        What ``residuals`` gives, in words for readers.
    states
        What its simulation gives for a place and month; empty = it has no simulation.
    simulate
        ``module:function`` that makes the states from what the simulation of the run gives (`dere.harmonise.own_states`
        says how it is called); empty = the states are those of the run's simulation itself.
    simulated_from
        States of the run's simulation that ``simulate`` reads.
    signed
        Free channels that may be negative; the others never are.
    slow
        Free channels that move little within a window, so that a network predicts their change.
    groups
        Free channels that a site's level moves together; empty = each channel alone.
    magnitude
        Fluxes whose mean is the size that errors grow with.
    labels
        Which tower months are labels.
    area
        Share of a cell that its flux is per.
    place_classes
        Variable of the interim towers, which holds numbers from 1, to their names: classes of places that methods of
        this exchange alone read, beside the attributes of all (`dere.harmonise.place_classes`).
    substance
        What the mass in its units is of; empty where they hold no mass.
    total_unit
        Unit of global totals; by default what the public unit of the fluxes has per area and second.
    """

    name: str
    fluxes: tuple[Flux, ...]
    free: tuple[str, ...]
    basis: tuple[str, ...]
    close: Callable[[Array], Array] = unchanged
    complete: Callable[[Array], Array] = unchanged
    residuals: Callable[[Array], Array] | None = None
    identities: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    simulate: str = ""
    simulated_from: tuple[str, ...] = ()
    signed: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    magnitude: tuple[str, ...] = ()
    labels: LabelRule = LabelRule()
    area: str = "vegetated_fraction"
    place_classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    substance: str = ""
    total_unit: str = ""

    def __post_init__(self) -> None:
        if (self.residuals is None) != (not self.identities):
            raise ValueError(
                f"exchange {self.name}: residuals and identities ({', '.join(self.identities) or 'none'}) go together, "
                "but one is missing; name each residual, or declare neither"
            )

    def simulator(self) -> Callable[..., Any]:
        """Return the function behind ``simulate``."""
        return function_of(self.simulate)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fluxes."""
        return tuple(flux.name for flux in self.fluxes)

    @property
    def level_groups(self) -> tuple[tuple[str, ...], ...]:
        """Free channels that a site's level moves together."""
        return self.groups or tuple((name,) for name in self.free)

    @property
    def class_attributes(self) -> tuple[str, ...]:
        """Names of the attributes that stand for ``place_classes``, each 0 or 1."""
        named = ((variable, name) for variable, names in self.place_classes.items() for name in names)
        return tuple(f"{variable}_{name.replace(' ', '_')}" for variable, name in named)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what ``complete`` returns: the simulation's states, or the fluxes where there is none."""
        return self.states or self.names

    def flux(self, name: str) -> Flux:
        """Return a flux by name."""
        return next(flux for flux in self.fluxes if flux.name == name)

    def index(self, names: Sequence[str]) -> list[int]:
        """Positions of fluxes along the flux axis."""
        return [self.names.index(name) for name in names]

    def of_outputs(self, names: Sequence[str]) -> list[int]:
        """Positions of channels along the axis of the outputs."""
        return [self.outputs.index(name) for name in names]

    def imbalance(self, values: Array) -> Array:
        """Size of the residual of the identity that closes worst, (…, flux) to (…); 0 where there is none."""
        if self.residuals is None:
            return 0.0 * values[..., 0]
        return library(values).amax(abs(self.residuals(values)), -1)

    def size(self, values: Array) -> Array:
        """Mean of the fluxes that errors grow with, (…, flux) to (…); the absolute value of a single flux."""
        if not self.magnitude:
            return abs(values).mean(-1)
        return values[..., self.index(self.magnitude)].mean(-1)


def library(array: Array) -> ModuleType:
    """Return numpy or torch, whichever made ``array``."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def stacked(parts: Sequence[Array]) -> Array:
    """Stack arrays of one shape along a new last axis."""
    return library(parts[0]).stack(list(parts), -1)
