"""Stretches of months of a site, and what is to be generated in them; imports no torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

WAYS = ("mix", "diffusion", "optimal_interpolation", "trees")
"""Ways of filling: the imputation (``imputation.filled_by``), what it is made of, and trees that know no month of the
site."""


@dataclass(frozen=True)
class Stretch:
    """Months ``start`` to ``stop`` of site number ``site``."""

    site: int
    start: int
    stop: int


@dataclass(frozen=True)
class Request:
    """Generate what a stretch does not have, given the values ``known`` (months of the stretch, 2)."""

    stretch: Stretch
    known: NDArray[np.bool_]


def site_seed(seed: int, site: str, salt: str = "") -> int:
    """Seed of a site's noise: independent of which other sites are imputed, and of their order."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{site}:{salt}".encode()).digest()[:7], "big")
