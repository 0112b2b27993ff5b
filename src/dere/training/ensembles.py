"""Members of an ensemble: trained together for a fixed time, judged at the towers that each of them left out.

No tower is set aside for stopping early, so that all non-test towers are learned from; what validation towers do for
one network, the towers that a member left out do here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from dere.backbones import declaration
from dere.io import content_hash
from dere.training import weights
from dere.training.candidates import Towers
from dere.training.context import Context, changed_by
from dere.training.draws import batches
from dere.training.fitted import Fitted
from dere.training.kept_memory import keep_freed_memory
from dere.training.loop import FitResult, LossParts, fit
from dere.training.membership import LEFT_OUT, Membership, membership
from dere.training.snapshots import state_of
from dere.training.stacked import Stacked
from dere.training.tower_data import Share, TowerData, draw_windows, site_scale
from dere.training.windows import Windows

log = logging.getLogger(__name__)

State = Mapping[str, Tensor]
Loss = Callable[[Any, Any, Tensor, Share, State], LossParts]
"""Maps option, network, windows, how much they count and the weights that it is pulled to, to the sums of a loss."""


@dataclass(frozen=True)
class Shares:
    """How much every window counts for every member.

    Parameters
    ----------
    scale
        (member, window, flux); of the windows that the member learns from, one elsewhere.
    cluster
        (member, window); zero = left out.
    """

    scale: Tensor
    cluster: Tensor

    def of(self, index: Tensor, member: int | slice = slice(None)) -> Share:
        """Share of windows ``index`` for one member, or for all along a first axis."""
        return Share(self.scale[member][..., index, :], self.cluster[member][..., index])


@dataclass(frozen=True)
class Ensemble(Generic[Towers]):
    """What the members of a stage learn.

    Parameters
    ----------
    networks
        One per member, at its start, on the context's device, with the same frozen parts.
    references
        Per member the weights that its own are pulled to, by name; empty = no pull.
    data
        Towers of the fold.
    loss
        Of one member.
    options
        Settings that are compared.
    """

    networks: Sequence[nn.Module]
    references: Sequence[State]
    data: TowerData
    loss: Loss
    options: Sequence[Towers]


def shares_of(data: TowerData, membership: Membership, clusters: Mapping[str, str]) -> Shares:
    """Return how much each window counts for each member; nothing in a row depends on labels that it left out.

    Parameters
    ----------
    data
        Towers of the fold.
    membership
        Which clusters each member leaves out.
    clusters
        Cluster of each site.
    """
    weight = torch.from_numpy(membership.of(clusters_of(data.windows, clusters))).float()
    labelled = torch.zeros(len(data.windows), dtype=torch.bool)
    labelled[data.labelled()] = True
    scales = []
    for row in weight:
        learned = labelled & (row > 0)
        own = site_scale(data.windows, torch.nonzero(learned)[:, 0], data.flux_std)
        scales.append(torch.where(learned[:, None], own, 1.0))
    return Shares(torch.stack(scales), weight)


def clusters_of(windows: Windows, clusters: Mapping[str, str]) -> list[str]:
    """Cluster of the place of each window; empty where it has none."""
    return [clusters.get(str(windows.ids[place]), "") for place in windows.place.tolist()]


def fit_ensemble(context: Context, ensemble: Ensemble[Any]) -> Fitted:
    """Train the members under each option and return those of the option with the least out-of-group loss.

    The history has that loss as validation loss of the last epoch.
    """
    job, options = context.job, ensemble.options
    sites = job.roles[job.roles["kind"] == "site"]
    clusters = dict(zip(sites["id"].astype(str), sites["cluster"].astype(str), strict=True))
    dealt = membership(job.roles, job.members, job.seed)
    shares = shares_of(ensemble.data, dealt, clusters)
    starts = [state_of(network) for network in ensemble.networks]
    results: list[tuple[list[dict[str, Tensor]], pd.DataFrame, float]] = []
    for number, option in enumerate(options):
        for network, start in zip(ensemble.networks, starts, strict=True):
            network.load_state_dict(start)
        states, history = _train(context, ensemble, shares, option, number)
        loss = out_of_group_loss(ensemble, shares, states, option)
        log.info("setting %d of %d: loss at towers left out %.4f", number + 1, len(options), loss)
        judged = history.assign(
            validation_loss=history["validation_loss"].where(history["epoch"] < option.epochs, loss)
        )
        results.append((states, judged, loss))
    losses = [loss for _, _, loss in results]
    best = int(np.argmin(losses))
    states, history, loss = results[best]
    each = [weights.arrays_of(state) for state in states]
    arrays = {name: np.stack([one[name] for one in each]) for name in each[0]}
    facts = {
        **job.recorded,
        "drivers": list(context.driver_names),
        "best_epoch": options[best].epochs,
        "best_validation_loss": loss,
        "candidate": best,
        "candidate_validation_losses": losses,
        "refit": False,
        "parameters": sum(p.numel() for p in ensemble.networks[0].parameters()),
        "members": len(dealt),
        LEFT_OUT: dealt.left_out(),
    }
    return Fitted(arrays, facts, history)


def out_of_group_loss(
    ensemble: Ensemble[Any], shares: Shares, states: Sequence[Mapping[str, Tensor]], option: Any
) -> float:
    """Loss at the towers that each member left out, of all members together.

    Raises
    ------
    ValueError
        When no tower that was left out has a label.
    """
    data, network = ensemble.data, ensemble.networks[0]
    numerator = denominator = 0.0
    labelled = data.labelled()
    network.eval()
    for member, state in enumerate(states):
        network.load_state_dict(state)
        left = labelled[shares.cluster[member, labelled] == 0]
        with torch.no_grad():
            for index in batches(left, option.batch) if len(left) else []:
                parts = ensemble.loss(option, network, index, data.share(index), ensemble.references[member])
                numerator += float(parts.numerator)
                denominator += float(parts.denominator)
    if denominator == 0:
        raise ValueError(
            "no tower that a member left out has a label; bring more towers with labels, or set members to 1"
        )
    return numerator / denominator


def _train(
    context: Context, ensemble: Ensemble[Any], shares: Shares, option: Any, number: int
) -> tuple[list[dict[str, Tensor]], pd.DataFrame]:
    """Train all members under one option; weights of each and their common history."""
    network = context.job.network
    together = not option.compile and (network is None or declaration(network.name).vectorised)
    train = _together if together else _in_turn
    return train(context, ensemble, shares, option, number)


def _together(
    context: Context, ensemble: Ensemble[Any], shares: Shares, option: Any, number: int
) -> tuple[list[dict[str, Tensor]], pd.DataFrame]:
    keep_freed_memory()
    stacked = Stacked(ensemble.networks)
    references = {
        name: torch.stack([reference[name] for reference in ensemble.references]) for name in ensemble.references[0]
    }

    def one(network: Any, index: Tensor, share: Share, reference: State) -> LossParts:
        return ensemble.loss(option, network, index, share, reference)

    def loss(model: Stacked, index: Tensor) -> LossParts:
        return model.losses(one, index, shares.of(index), references)

    result = _fit(context, ensemble.networks[0], stacked, loss, ensemble.data, option, f"{number}", context.job.seed)
    return stacked.states(), result.history


def _in_turn(
    context: Context, ensemble: Ensemble[Any], shares: Shares, option: Any, number: int
) -> tuple[list[dict[str, Tensor]], pd.DataFrame]:
    """Train one after the other what cannot be mapped over stacked weights."""
    histories = []
    for member, network in enumerate(ensemble.networks):

        def loss(model: Any, index: Tensor, member: int = member) -> LossParts:
            return ensemble.loss(option, model, index, shares.of(index, member), ensemble.references[member])

        seed = seed_of(context.job.seed, member)
        result = _fit(context, network, network, loss, ensemble.data, option, f"{number}_{member}", seed)
        histories.append(result.history)
    history = histories[0].assign(
        training_loss=np.mean([h["training_loss"] for h in histories], axis=0),
        seconds=np.sum([h["seconds"] for h in histories], axis=0),
    )
    return [state_of(network) for network in ensemble.networks], history


def seed_of(seed: int, member: int) -> int:
    """Seed of the draws and of the noise of a member that trains alone."""
    return int(np.random.SeedSequence((seed, member)).generate_state(1)[0])


def _fit(
    context: Context,
    network: nn.Module,
    model: nn.Module,
    loss: Callable[[Any, Any], LossParts],
    data: TowerData,
    option: Any,
    part: str,
    seed: int,
) -> FitResult:
    """Train for all epochs of an option without looking at a tower that is not learned from.

    Parameters
    ----------
    network
        Whose layers compute: its dropout and noise are set.
    model
        What is trained: the network, or the stack that it computes for.
    """
    with changed_by(option, network):
        return fit(
            model,
            draw=lambda generator: draw_windows(data, option.batch, generator, both=True),
            validation=(),
            loss=loss,
            config=option,
            seed=seed,
            device=context.device,
            last=context.last(part),
            identity=content_hash([context.job.identity, part]),
            epochs=option.epochs,
            members=getattr(model, "members", 1),
        )
