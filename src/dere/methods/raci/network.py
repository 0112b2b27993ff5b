"""A network by role: slow conditions to a code, fast drivers through any backbone, neighbours at the decoder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from dere.backbones import Sizes, make_backbone
from dere.layers.blueprint import Blueprint
from dere.layers.conditioning import Modulation
from dere.layers.heads import LevelHead, StateHead
from dere.layers.inputs import Normaliser
from dere.layers.recurrent import Recurrent
from dere.methods.raci.bank import ROLES, SOURCES, BankPart, Reach
from dere.methods.raci.description import SEASONS, SLOW
from dere.methods.raci.retrieval import Recall

SAID = 24
"""Numbers that the neighbours of a role say."""
YEARLY = 8
"""Width of the state that a year's slow conditions leave."""
KEY = 16
"""Width of the key by fast drivers."""
HIDDEN = 64
DROPPED, HIDDEN_SHARE = 0.2, 0.2
"""In training: share of places that hear no neighbour, and of entries that nobody retrieves in a step."""


class Query(NamedTuple):
    """Places that ask, (B, …) physical; fields as in `dere.methods.raci.description.Described`."""

    static: Tensor
    slow: Tensor
    yearly: Tensor
    seasons: Tensor
    reach: Mapping[str, Reach]


class RaciNetwork(nn.Module):
    """One decoding per age and the age-weighted sum, as `kgml`, on drivers split by role.

    Parameters
    ----------
    blueprint
        As for every network.
    code, neighbours, retrieval
        As in the configuration.
    bank
        Entries by source.
    """

    def __init__(
        self, blueprint: Blueprint, code: int, neighbours: int, retrieval: str, bank: Mapping[str, BankPart]
    ) -> None:
        super().__init__()
        drivers, static, said = blueprint.drivers, blueprint.static, len(ROLES) * SAID
        self.normaliser = Normaliser(blueprint.statistics, blueprint.exchange)
        self.retrieval = retrieval
        self.encoder = nn.Sequential(
            nn.Linear(static + SLOW * drivers, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, code), nn.LayerNorm(code)
        )
        self.yearly = Recurrent(drivers, YEARLY, "gru")
        self.key = nn.Linear(2 * SEASONS * drivers, KEY)
        sizes = Sizes(drivers, code, blueprint.condition + code + said, YEARLY, blueprint.window, blueprint.raw)
        self.backbone = make_backbone(blueprint.backbone, sizes, blueprint.size)
        self.film = Modulation(code + said, self.backbone.width)
        self.head = StateHead(self.backbone.width, self.normaliser.centre, blueprint.exchange)
        self.level = LevelHead(static, blueprint.exchange)
        self.bank = nn.ModuleDict(bank)
        values = 13 * len(blueprint.exchange.names)
        self.recalls = nn.ModuleDict(
            {f"{role}_{source}": Recall(values, code, SAID, neighbours) for role in ROLES for source in SOURCES}
        )

    def recall(self, role: str, source: str) -> Recall:
        """Retrieval of a role from a source."""
        found = self.recalls[f"{role}_{source}"]
        assert isinstance(found, Recall)
        return found

    def part(self, source: str) -> BankPart:
        """Entries of a source."""
        found = self.bank[source]
        assert isinstance(found, BankPart)
        return found

    def code(self, of: Query | BankPart) -> Tensor:
        """Slow code (B, code) of places or entries."""
        own, std = self.normaliser, self.normaliser.driver_std
        slow = torch.stack([own.drivers(of.slow[:, 0]), of.slow[:, 1] / std, of.slow[:, 2] / std], 1)
        found: Tensor = self.encoder(torch.cat([own.static(of.static), slow.flatten(1)], dim=-1))
        return found

    def fast_key(self, of: Query | BankPart) -> Tensor:
        """Key (B, key) by the seasons of the fast drivers."""
        found: Tensor = self.key((of.seasons / self.normaliser.driver_std).flatten(1))
        return found

    def distances(self, z: Tensor, query: Query | BankPart, source: str, reach: Reach) -> Tensor:
        """Distance (B, role, entry) of places to the entries of a source, each in the unit of its role."""
        if reach.drawn is not None:
            return reach.drawn
        part = self.part(source)
        functional, fast = (
            (own[:, None] - theirs).square().mean(-1)
            for own, theirs in ((z, self.code(part)), (self.fast_key(query), self.fast_key(part)))
        )
        return torch.stack([functional, reach.km, fast], 1)

    def allowed(self, source: str, reach: Reach) -> Tensor:
        """Entries that may be retrieved, (B, entry); in training without a random share."""
        known = self.part(source).known
        if self.training:
            known = known & (torch.rand(known.shape, device=known.device) >= HIDDEN_SHARE)
        return reach.allowed & known

    def said(self, z: Tensor, query: Query) -> Tensor:
        """What neighbours say, (B, role * said)."""
        roles = [z.new_zeros(len(z), SAID) for _ in ROLES]
        for source in SOURCES if self.retrieval != "none" else ():
            part, reach = self.part(source), query.reach[source]
            if not len(part):
                continue
            distance, allowed = self.distances(z, query, source, reach), self.allowed(source, reach)
            known = torch.cat([part.values, self.code(part)], dim=-1)
            for number, role in enumerate(ROLES):
                roles[number] = roles[number] + self.recall(role, source)(z, distance[:, number], allowed, known)
        found = torch.cat(roles, dim=-1)
        if self.training:
            found = found * (torch.rand(len(z), 1, device=z.device) >= DROPPED)
        return found

    def ages(self, query: Query, fast: Tensor, year: Tensor, state: Tensor, ages: Tensor) -> Tensor:
        """Scaled free channels per age, (B, k, W, free).

        Parameters
        ----------
        query
            The windows' places.
        fast
            (B, W, D) fast drivers.
        year
            (B, W) rows of the months in ``yearly``.
        state
            (B, k, state) before the window.
        ages
            (k,) or (B, k).
        """
        own, many = self.normaliser, state.shape[1]
        z = self.code(query)
        condition = torch.cat([z, self.said(z, query)], dim=-1).repeat_interleave(many, dim=0)
        slowly = self.yearly(query.yearly / (query.slow[:, 2:] + 0.05 * own.driver_std))
        dynamic = slowly.gather(1, year[..., None].expand(-1, -1, YEARLY)).repeat_interleave(many, dim=0)
        # the fast part has no mean to be taken away
        memory = self.backbone.encode(own.drivers(fast + own.driver_mean), z)
        both = torch.cat([own.condition(state, ages), condition], dim=-1)
        hidden = self.film(self.backbone.decode(memory, both, dynamic), condition)
        free: Tensor = self.head(hidden, own.start(state).flatten(0, 1))
        return free.unflatten(0, state.shape[:2])

    def forward(self, query: Query, fast: Tensor, year: Tensor, state: Tensor, ages: Tensor, weights: Tensor) -> Tensor:
        """All outputs of a site, (B, W, output) physical, with the age weights (B, k); arguments as in `ages`."""
        free = (self.ages(query, fast, year, state, ages) * weights[..., None, None]).sum(1)
        return self.normaliser.outputs(self.level(free, self.normaliser.static(query.static)))
