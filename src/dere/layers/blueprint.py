"""What every network is built from."""

from __future__ import annotations

from dataclasses import dataclass

from dere.config.network import NetworkConfig
from dere.exchange import Exchange
from dere.knowledge.terms import NAMES as KNOWLEDGE
from dere.layers.inputs import Statistics


@dataclass(frozen=True)
class Blueprint:
    """Arguments that all networks share.

    Parameters
    ----------
    backbone
        Registered sequence network.
    size
        Its size.
    window
        Months of a window.
    statistics
        Of the training members.
    exchange
        What is predicted.
    driver_names
        (D,) names of the driver channels; empty where nobody asks for one by name.
    """

    backbone: str
    size: NetworkConfig
    window: int
    statistics: Statistics
    exchange: Exchange
    driver_names: tuple[str, ...] = ()

    @property
    def drivers(self) -> int:
        """Number of driver channels."""
        return len(self.statistics.driver_mean)

    @property
    def raw(self) -> int:
        """Number of driver channels before the knowledge channels, which are made of them."""
        return self.drivers - sum(name in KNOWLEDGE for name in self.driver_names)

    @property
    def static(self) -> int:
        """Number of static attributes."""
        return len(self.statistics.static_mean)

    @property
    def condition(self) -> int:
        """Width of the condition of a decoding: the state before the window, and the age."""
        return len(self.exchange.states) + 1
