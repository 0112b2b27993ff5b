"""Lagged months: a small feed-forward network that reads one month with lags and running means of its drivers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dere.backbones.declaration import BackboneRoom
from dere.config.network import NetworkConfig

Months = Annotated[int, Field(ge=1, le=12)]


class LagsConfig(NetworkConfig):
    """Lags: each month by itself, with earlier months and means of its drivers as further inputs."""

    width: int = Field(48, ge=4)
    """Width of both hidden layers."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout share of both hidden layers."""
    lags: tuple[Months, ...] = (1, 2, 3)
    """Months before the month that are read beside it."""
    means: tuple[Months, ...] = (3, 12)
    """Lengths of the running means, in months that end with the month."""
    clip: float = Field(4.0, gt=0)
    """Normalised drivers and attributes count no further than so many standard deviations from their mean."""


BACKBONE = BackboneRoom(
    label="Lags",
    section=LagsConfig,
    network="dere.backbones.lags.network:Lags",
    references=("Rumelhart and others 1986, https://doi.org/10.1038/323533a0",),
    rank=5,
    vectorised=True,
)
