"""What may be retrieved: training towers with their observed years, and training cells with their simulated ones.

One bank per fold, in the checkpoint beside the weights; the split's hash stands there. A place never retrieves itself,
a member of its own cluster, or anything nearer than `NEAR`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dere.ingest.distance import distance_km
from dere.methods.raci.description import Described, calendar_of
from dere.training.places import YEAR, Places

SOURCES = ("cells", "towers")
ROLES = ("functional", "near", "fast")
NEAR = 50.0
"""Kilometres within which nothing is retrieved, whatever cluster it is of."""
MOST = 1000
"""Most entries of a source; more are thinned evenly."""
LEAST_MONTHS = 6
"""Labelled months of each flux that an entry needs."""


@dataclass(frozen=True)
class Entries:
    """Entries of a bank from one source.

    Parameters
    ----------
    ids, cluster
        (entry,) text.
    tensors
        By name: ``static``, ``slow`` and ``seasons`` as in `Described`, ``position`` (entry, 2) latitude and longitude,
        ``values`` (entry, 13 * flux), ``known`` (entry,) bool: may be retrieved.
    """

    ids: NDArray[np.str_]
    cluster: NDArray[np.str_]
    tensors: dict[str, Tensor]

    def facts(self) -> dict[str, list[str]]:
        """What of it is text, for the checkpoint."""
        return {"id": self.ids.tolist(), "cluster": self.cluster.tolist()}


class Reach(NamedTuple):
    """Entries as places see them.

    Parameters
    ----------
    km
        (B, entry) distance; infinite where a position is unknown.
    allowed
        (B, entry) may be retrieved.
    drawn
        (B, role, entry) random numbers that take the place of distances; None = distances count.
    """

    km: Tensor
    allowed: Tensor
    drawn: Tensor | None

    def of(self, rows: Tensor) -> Reach:
        """Reach of some places."""
        return Reach(self.km[rows], self.allowed[rows], None if self.drawn is None else self.drawn[rows])

    def to(self, device: str) -> Reach:
        """The same on a device."""
        return Reach(*(None if part is None else part.to(device) for part in self))  # type: ignore[arg-type]


class BankPart(nn.Module):
    """Entries of one source as buffers, so that they lie in the checkpoint and, per member, in a stack."""

    static: Tensor
    slow: Tensor
    seasons: Tensor
    position: Tensor
    values: Tensor
    known: Tensor

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        for name, value in tensors.items():
            self.register_buffer(name, value.clone())

    def __len__(self) -> int:
        return len(self.known)


def entries(
    places: Places,
    about: Described,
    fluxes: NDArray[np.floating],
    chosen: NDArray[np.int64],
    mean: Tensor,
    std: Tensor,
) -> Entries:
    """Make entries of some places, at most `MOST`; those with too few months are left out.

    Parameters
    ----------
    fluxes
        (place, time, flux); NaN = unknown.
    chosen
        Rows of the places; the fluxes of others are not looked at.
    mean, std
        (flux,) by which values are standardised.
    """
    if len(chosen) > MOST:
        chosen = chosen[np.linspace(0, len(chosen) - 1, MOST).round().astype(int)]
    values, months = years(fluxes[chosen], calendar_of(places)[chosen], mean.numpy(), std.numpy())
    enough = (months >= LEAST_MONTHS).all(-1)
    rows, values = chosen[enough], values[enough]
    position = np.stack([places.lat, places.lon], -1)
    return Entries(
        places.ids[rows].astype(str),
        places.classes["cluster"].to_numpy(str)[rows],
        {
            "static": about.static[rows],
            "slow": about.slow[rows],
            "seasons": about.seasons[rows],
            "position": torch.from_numpy(position[rows].astype(np.float64)),
            "values": torch.from_numpy(values.astype(np.float32)),
            "known": torch.ones(len(rows), dtype=torch.bool),
        },
    )


def years(
    fluxes: NDArray[np.floating], calendar: NDArray[np.int64], mean: NDArray[np.floating], std: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Mean year of each place, (place, 12 * flux) standardised and the logarithm of the months, and the months."""
    has = np.isfinite(fluxes)
    scaled = np.where(has, (fluxes - mean) / std, 0.0)
    month = (calendar[..., None] == np.arange(YEAR)).astype(float)
    total, count = (np.einsum("ptm,ptf->pmf", month, x) for x in (scaled, has.astype(float)))
    months = count.sum(1)
    # a calendar month without a label has the mean of the others
    whole = total.sum(1) / np.maximum(months, 1)
    year = np.where(count > 0, total / np.maximum(count, 1), whole[:, None])
    return np.concatenate([year.reshape(len(year), -1), np.log1p(months) / 4], -1), months.astype(np.int64)


def reach(places: Places, facts: Mapping[str, Any], position: Tensor, random: bool) -> Reach:
    """How places see the entries of a source.

    Parameters
    ----------
    facts
        Of the entries, as from `Entries.facts`.
    position
        (entry, 2).
    random
        Draw numbers in place of distances, from the names of place and role alone.
    """
    found = position.cpu().numpy()
    lat, lon = np.append(places.lat, found[:, 0]), np.append(places.lon, found[:, 1])
    km = distance_km(lat, lon)[: len(places), len(places) :]
    km = np.where(np.isfinite(km), km, np.inf)
    cluster = places.classes["cluster"].to_numpy(str)
    other = cluster[:, None] != np.array(facts["cluster"], dtype=str)
    allowed = (other | (cluster == "")[:, None]) & (km > NEAR)
    allowed &= places.ids.astype(str)[:, None] != np.array(facts["id"], dtype=str)
    drawn = None
    if random:
        each = [np.random.default_rng(zlib.crc32(str(name).encode())) for name in places.ids]
        drawn = torch.from_numpy(np.stack([rng.random((len(ROLES), len(found)), np.float32) for rng in each]))
    return Reach(torch.from_numpy(km.astype(np.float32)), torch.from_numpy(allowed), drawn)
