"""Several networks of one architecture as one: their weights along a first axis, one pass for all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from dere.training.loop import LossParts, train_mode
from dere.training.optimiser import copy_marks

_DOT = "/"
"""Stands for the dot in names of weights, which a name of torch must not hold."""


class _Call(nn.Module):
    """A function of a network as a module, so that the network's weights can be put in its place."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, function: Callable[..., LossParts], *given: Any) -> LossParts:
        return function(self.network, *given)


class Stacked(nn.Module):
    """Networks that train together.

    Weights that train, and those in which the networks differ, get a first axis for the member; what is equal and
    frozen stays that of the first network, once for all.

    Parameters
    ----------
    networks
        Of one architecture, with the same frozen parts, on one device. The first is used for every pass.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = len(networks)
        # hidden in a tuple from torch, which would count the first network's weights among those that train
        self._first = (networks[0], _Call(networks[0]))
        weights = [dict(network.named_parameters()) for network in networks]
        buffers = [dict(network.named_buffers()) for network in networks]
        self.own: list[str] = []
        for name, first in weights[0].items():
            values = [own[name].detach() for own in weights]
            if first.requires_grad:
                stacked = nn.Parameter(torch.stack(values))
                copy_marks(first, stacked)
                self.register_parameter(name.replace(".", _DOT), stacked)
                self.own.append(name)
            else:
                self._keep(name, values)
        for name in buffers[0]:
            self._keep(name, [own[name] for own in buffers])

    def _keep(self, name: str, values: Sequence[Tensor]) -> None:
        """Stack what does not train where the networks differ in it."""
        if any(not torch.equal(value, values[0]) for value in values):
            self.register_buffer(name.replace(".", _DOT), torch.stack(list(values)))
            self.own.append(name)

    def train(self, mode: bool = True) -> Stacked:
        """Set the mode of the network that every pass uses; frozen parts stay in evaluation."""
        super().train(mode)
        network, _ = self._first
        if mode:
            train_mode(network)
        else:
            network.eval()
        return self

    def losses(self, loss: Callable[..., LossParts], batch: Any, *each: Any) -> LossParts:
        """Numerators and denominators of every member's loss, (member, …).

        Parameters
        ----------
        loss
            Maps a network, the batch and what belongs to one member to its loss.
        batch
            The same for all members.
        each
            Tensors, or tuples and dicts of them, with the member as first axis.
        """
        _, call = self._first
        own = {name: getattr(self, name.replace(".", _DOT)) for name in self.own}

        def one(weights: Mapping[str, Tensor], *given: Any) -> tuple[Tensor, Tensor]:
            named = {f"network.{name}": value for name, value in weights.items()}
            parts = functional_call(call, named, (loss, batch, *given))
            return parts.numerator, parts.denominator

        with warnings.catch_warnings():
            # attention on the CPU is computed member by member, which costs no more than the members themselves
            warnings.filterwarnings("ignore", "There is a performance drop because we have not yet implemented")
            return LossParts(*vmap(one, randomness="different")(own, *each))

    def states(self) -> list[dict[str, Tensor]]:
        """Weights of each member under the names of its own network."""
        network, _ = self._first
        named = [*network.named_parameters(), *network.named_buffers()]
        # a layer that stands in several places has several names, but only the first is among the stacked weights
        first_name = {id(value): name for name, value in reversed(named)}
        kept = network.state_dict(keep_vars=True)
        found: list[dict[str, Tensor]] = []
        for member in range(self.members):
            state = {}
            for name, value in kept.items():
                first = first_name[id(value)]
                held = getattr(self, first.replace(".", _DOT))[member] if first in self.own else value
                state[name] = held.detach().clone()
            found.append(state)
        return found
