"""What a damage makes of a content, and what may then be read of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Family = Literal["harmless", "hostile"]
CODES = (-999.0, -6999.0, -9999.9, -99999.0, 1e20, 9.96921e36, 1e30, float("inf"), float("-inf"))
"""What other compilers write for a missing value, and what no flux, weather, place or share can be."""


@dataclass(frozen=True)
class Change:
    """A changed content.

    Parameters
    ----------
    content
        What is written in place of the undamaged one.
    repaired
        The same with proper missing values where values were spoiled; None = nothing can be told from it.
    names
        What a sentence or warning may name beside the file: columns, sites, keys.
    lacks
        Values may be missing without a word.
    excused
        A warning excuses another number.
    """

    content: Any
    repaired: Any = None
    names: tuple[str, ...] = ()
    lacks: bool = False
    excused: bool = False


@dataclass(frozen=True)
class Damage:
    """One way to change a content; ``apply(content, rng, about)`` returns None where it does not fit.

    ``about`` describes the content: a `fuzz_tables.Table` or a `fuzz_grids.Grid`.
    """

    name: str
    family: Family
    apply: Callable[[Any, np.random.Generator, Any], Change | None]
    often: float = 1.0


def damage(family: Family, often: float = 1.0) -> Callable[[Callable[..., Any]], Damage]:
    """Make a damage of a function; its name in words is the damage's."""
    return lambda function: Damage(function.__name__.replace("_", " ").strip(), family, function, often)


def pick(rng: np.random.Generator, options: Any) -> Any:
    """One of some options, as it is: NumPy would make arrays of them."""
    return list(options)[int(rng.integers(len(options)))]


def code(rng: np.random.Generator) -> float:
    """A number that stands for a missing value."""
    return float(pick(rng, CODES))
