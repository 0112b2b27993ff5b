"""What a method declares: its stages, how it predicts, and how tables and figures show it.

A room of methods is a file or folder that declares ``METHODS`` and, where something is trained, ``STAGES``. The
declaration is read with every configuration, so it imports settings only; what trains and predicts is named as
``module:function`` and loaded in the job that runs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from dere.config.base import Section

Environment = Literal["train", "data"]


def resolved(target: str) -> Callable[..., Any]:
    """Return the function that ``module:function`` names."""
    module, _, name = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def found_in(room: str, names: str, name: str) -> Any:
    """Return the stage (``names`` = ``STAGES``) or method (``METHODS``) that a room declares under ``name``."""
    return next(item for item in getattr(import_module(room), names) if item.name == name)


@dataclass(frozen=True)
class Stage:
    """Something that is fitted once per fold and seed, and per backbone where it is a network.

    Parameters
    ----------
    name
        Name of the stage; its rule is ``train_<name>``.
    about
        One sentence for the configuration.
    fit
        ``module:function`` that takes a ``dere.training.job.Job`` and returns a ``dere.training.fitted.Fitted``.
    reads
        Canonical files beside the split table: ``drivers``, ``simulation``, ``cover``, ``towers``, ``statistics``, and
        ``labels`` of the imputation.
    section
        Its settings, with the values that differ from the code's; None = it has none.
    settings
        Where they stand in the configuration, ``stages.<name>`` by default.
    parents
        Stages it starts from.
    agrees
        Leaves of its settings that must be those of its parents, where these have them.
    per_backbone
        It trains the run's sequence networks.
    threads
        Leaf of its settings that states its threads; they do not change the result.
    env
        Environment of its rule.
    gpu
        Devices it can use.
    memory
        Memory of its job in MB. What of the simulation does not fit stays on disk (`dere.training.simulation`), so that
        it does not depend on the number of cells.
    whole_input
        Its job holds more with every cell nevertheless, and asks for more memory where its input is large.
    runtime
        Minutes that its job may take on a cluster.
    priority
        Jobs with a higher one start first: those of the longest chain.
    members
        It is fitted as an ensemble of so many members as the run has (``dere.training.job.Job.members``).
    shortened
        ``module:function`` that takes its arrays and returns them without what does not predict; none = all are needed.
    """

    name: str
    about: str
    fit: str
    reads: tuple[str, ...]
    section: Section | None = None
    settings: str = ""
    parents: tuple[str, ...] = ()
    agrees: tuple[str, ...] = ()
    per_backbone: bool = True
    threads: str = ""
    env: Environment = "train"
    gpu: int = 1
    memory: int = 6000
    whole_input: bool = False
    runtime: int = 240
    priority: int = 0
    members: bool = False
    shortened: str = ""

    @property
    def path(self) -> tuple[str, ...]:
        """Keys of its settings in the configuration."""
        return tuple((self.settings or f"stages.{self.name}").split("."))

    @property
    def module(self) -> str:
        """Module that fits it."""
        return self.fit.partition(":")[0]


@dataclass(frozen=True)
class Method:
    """A way to predict places.

    Parameters
    ----------
    name
        As in the configuration, files and tables; its rule is ``predict_<name>``.
    label
        As figures call it.
    colour
        Of figures, ``#rrggbb``, told apart from those of other methods by colour-blind readers.
    rank
        Order in tables and figures, simple methods first.
    predict
        ``module:function`` that takes the fitted stages by name and places, and returns a
        ``dere.training.fitted.Prediction``: ``predict(fitted, places, support, unseen=..., gpu=...)``. With
        ``unseen`` by what never saw the validation towers. Empty for a method over methods.
    parts
        Of a method over methods: those that it combines, as it is shipped; ``methods`` of its settings may name others.
        They are predicted first, and it runs where and on what they do.
    combine
        ``module:function`` that it has in place of ``predict``: ``combine(parts, exchange)`` takes the parts' means
        (place, time, flux) by method and returns that of the whole, closed.
    section
        Settings of a method over methods, below its own name; it has the leaf ``methods``.
    stages
        All stages that are trained for it, in order.
    predicts_from
        Those of them that it predicts from.
    per_backbone
        It runs on every backbone of the run.
    exchanges
        Exchanges that it serves; empty = all.
    simulated
        It learns from a simulation, so it serves only exchanges that have one.
    reads_places
        What it reads of places beyond the common: ``simulated``.
    gives
        Variables that its predictions have beyond the fluxes: ``plant_fraction``; ``neighbour``, with ``neighbour_km``
        and ``neighbour_weight``, from which ``neighbours.csv`` is made.
    references
        What to cite for it.
    reference
        Tables compare every method with it.
    compared
        It is drawn in the seasonal cycles where the configuration names no methods.
    by_name
        It joins only a run that names it.
    marker, line
        Its shape and its line in figures.
    env
        Environment of its rule.
    memory
        Least memory of its prediction in MB.
    """

    name: str
    label: str
    colour: str
    rank: int
    predict: str = ""
    parts: tuple[str, ...] = ()
    combine: str = ""
    section: Section | None = None
    stages: tuple[str, ...] = ()
    predicts_from: tuple[str, ...] = ()
    per_backbone: bool = True
    exchanges: tuple[str, ...] = ()
    simulated: bool = False
    reads_places: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    reference: bool = False
    compared: bool = False
    by_name: bool = False
    marker: str = "v"
    line: str | tuple[int, tuple[float, ...]] = "-"
    env: Environment = "train"
    memory: int = 6000

    @property
    def module(self) -> str:
        """Module that predicts or combines."""
        return (self.predict or self.combine).partition(":")[0]

    def serves(self, exchange: str) -> bool:
        """Tell whether it predicts an exchange."""
        return not self.exchanges or exchange in self.exchanges
