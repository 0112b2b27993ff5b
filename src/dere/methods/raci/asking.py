"""Places that ask, and what of them a batch of windows reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dere.methods.raci.bank import SOURCES, BankPart, Reach, reach
from dere.methods.raci.description import Described, described
from dere.methods.raci.network import Query, RaciNetwork
from dere.training.places import YEAR, Places
from dere.training.windows import Windows


@dataclass(frozen=True)
class Asking:
    """All places of a job: what they are, and how they see the bank.

    Parameters
    ----------
    about
        Of the places.
    reach
        By source.
    """

    about: Described
    reach: Mapping[str, Reach]

    def query(self, places: Tensor, device: str) -> Query:
        """Some of the places, by their rows (B,)."""
        static, slow, yearly, seasons = (
            part[places].to(device)
            for part in (self.about.static, self.about.slow, self.about.yearly, self.about.seasons)
        )
        seen = {source: found.of(places).to(device) for source, found in self.reach.items()}
        return Query(static, slow, yearly, seasons, seen)

    def inputs(self, windows: Windows, index: Tensor, device: str) -> tuple[Query, Tensor, Tensor]:
        """Query, fast drivers (B, W, D) and rows of the years (B, W) of windows."""
        year = windows.months(index) // YEAR
        return (
            self.query(windows.place[index], device),
            windows.cut(self.about.fast, index).to(device),
            year.to(device),
        )


def asking(places: Places, network: RaciNetwork, facts: Mapping[str, Any], about: Described | None = None) -> Asking:
    """How places ask the bank of a network.

    Parameters
    ----------
    facts
        By source, what of its entries is text.
    about
        Of the places; None = made here.
    """
    random = network.retrieval == "random"
    seen = {source: reach(places, facts[source], network.part(source).position, random) for source in SOURCES}
    return Asking(described(places) if about is None else about, seen)


def bank_of(arrays: Mapping[str, Any]) -> dict[str, BankPart]:
    """The bank among the arrays of a stage."""
    found: dict[str, BankPart] = {}
    for source in SOURCES:
        before = f"bank.{source}."
        own = {name.removeprefix(before): value for name, value in arrays.items() if name.startswith(before)}
        found[source] = BankPart({name: torch.as_tensor(value) for name, value in own.items()})
    return found
