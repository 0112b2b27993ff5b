"""What a backbone says of itself, and what it must know of the data; importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from dere.config.network import NetworkConfig


@dataclass(frozen=True)
class BackboneRoom:
    """A sequence network that a run may use; its file or folder holds one as ``BACKBONE``.

    Parameters
    ----------
    label
        Name as its paper writes it.
    section
        Model of its sub-tree below ``networks``, all of whose values have defaults; its docstring explains the section.
    network
        ``module:class`` of the network, which is loaded only where it is built.
    references
        What to cite.
    vectorised
        All its operations can be mapped over stacked weights (``torch.vmap``), so that the members of an ensemble train
        together; false = one after the other, which every network can.
    rank
        Place among the backbones, small ones first.
    """

    label: str
    section: type[NetworkConfig]
    network: str
    references: tuple[str, ...] = ()
    vectorised: bool = False
    rank: int = 100

    @property
    def module(self) -> str:
        """Module that holds the network."""
        return self.network.partition(":")[0]

    def network_class(self) -> Any:
        """Load the network's class."""
        return getattr(import_module(self.module), self.network.partition(":")[2])


@dataclass
class Sizes:
    """What a backbone must know of the data.

    Parameters
    ----------
    drivers, static, condition, dynamic
        Number of channels of each input.
    window
        Months of a window.
    raw
        How many of the drivers, the first ones, say nothing of other months; those after them are made of them and do
        (knowledge channels). None = all.
    """

    drivers: int
    static: int
    condition: int
    dynamic: int
    window: int
    raw: int | None = None
