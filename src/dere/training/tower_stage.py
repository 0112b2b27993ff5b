"""A stage of a network on towers: one network as validation towers choose, or the members of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from torch import Tensor, nn

from dere.training.candidates import Towers, options
from dere.training.context import Context
from dere.training.draws import batches
from dere.training.ensembles import Ensemble, Loss, fit_ensemble
from dere.training.fitted import Fitted
from dere.training.loop import LossParts
from dere.training.snapshots import state_of
from dere.training.tower_data import TowerData, draw_windows, refit_on_all

Network = TypeVar("Network", bound=nn.Module)


def trained_weights(network: nn.Module) -> dict[str, Tensor]:
    """Copy of the parameters of a network that are not frozen, to which a pull leads back."""
    return {name: p.detach().clone() for name, p in network.named_parameters() if p.requires_grad}


@dataclass(frozen=True)
class TowerStage(Generic[Network]):
    """What a stage on towers trains.

    Parameters
    ----------
    make
        Gives the network of a member at its start, its frozen parts frozen; called once per member, in order.
    loss
        Maps option, network, windows, how much they count and the weights that it is pulled to, to the sums of a loss;
        in evaluation mode the plain loss over the fluxes.
    reference
        Weights that a network at its start is pulled to, by the names that ``loss`` knows; none = no pull.
    refitted
        Gives the network that a refit starts from; None = as the training itself.
    """

    make: Callable[[int], Network]
    loss: Loss
    reference: Callable[[Network], Mapping[str, Tensor]] = trained_weights
    refitted: Callable[[], Network] | None = None


def fit_on_towers(context: Context, data: TowerData, stage: TowerStage[Any], config: Towers) -> Fitted:
    """Train a stage on towers, with the members that its job has.

    Parameters
    ----------
    context
        Of the job.
    data
        Towers of the fold.
    stage
        What is trained.
    config
        Settings, with the candidates.
    """
    job = context.job
    if job.members > 1:
        networks = [stage.make(member).to(context.device) for member in range(job.members)]
        references = [stage.reference(network) for network in networks]
        return fit_ensemble(context, Ensemble(networks, references, data, stage.loss, options(config)))
    model = stage.make(0).to(context.device)
    start, reference = state_of(model), stage.reference(model)
    if config.refit and stage.refitted is not None:
        again = stage.refitted().to(context.device)
        start_again, reference_again = state_of(again), stage.reference(again)
    else:
        start_again, reference_again = start, reference

    def single(option: Towers, reference: Mapping[str, Tensor], network: Any, index: Tensor) -> LossParts:
        return stage.loss(option, network, index, data.share(index), reference)

    def loss_from(reference: Mapping[str, Tensor]) -> Callable[[Towers], Callable[[Any, Tensor], LossParts]]:
        return lambda option: partial(single, option, reference)

    return context.fit_best(
        model,
        draw=lambda generator: draw_windows(data, config.batch, generator),
        validation=batches(data.validation, config.batch),
        loss_of=loss_from(reference),
        options=options(config),
        refit=refit_on_all(config, data, start_again, loss_from(reference_again)),
    )
