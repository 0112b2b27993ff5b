"""Residual and stacked transfer: the pre-trained network stays as it is, another one on towers knows what it says.

As a residual the other network learns what the first gets wrong; stacked, it has the first one's prediction among its
inputs. What the first says is worked out once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dere.config.tower_training import TowerTrainingConfig
from dere.methods.outputs import predicted_series, rebuilt
from dere.methods.single_network import SingleNetwork
from dere.methods.single_stages import BATCH
from dere.methods.transfers.guided_network import GuidedNetwork, Told, told_of
from dere.methods.transfers.reports import reporting
from dere.training import weights
from dere.training.averaging import closed_mean, counted
from dere.training.context import Context, choose_device
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.job import Job
from dere.training.loop import LossParts
from dere.training.losses import pull, with_pull
from dere.training.places import Places
from dere.training.tower_data import Share, TowerData, flux_loss, load_towers
from dere.training.tower_stage import TowerStage, fit_on_towers
from dere.training.windows import MIXTURE, Windows, windows_of

FIRST = "kgml_simulation"
"""Stage of the pre-trained network."""


def fit_residual(job: Job) -> Fitted:
    """Learn what the pre-trained network gets wrong."""
    return fit(job, residual=True)


def fit_stack(job: Job) -> Fitted:
    """Learn with the prediction of the pre-trained network."""
    return fit(job, residual=False)


def fit(job: Job, residual: bool) -> Fitted:
    """Train on towers beside the pre-trained network, which is frozen."""
    context = Context(job)
    config: TowerTrainingConfig = job.section
    data = load_towers(context)
    first = context.load(FIRST, SingleNetwork(context.blueprint)).to(context.device)
    told = told_of(first, data.windows, context.device)

    def make(member: int) -> GuidedNetwork:
        return GuidedNetwork(context.blueprint, told.hidden.shape[-1], residual)

    def loss(
        option: TowerTrainingConfig, network: GuidedNetwork, index: Tensor, share: Share, start: Mapping[str, Tensor]
    ) -> LossParts:
        prediction = forward(network, data.windows, index, told, context.device)
        parts = flux_loss(prediction, data, index, option.balance, share)
        return with_pull(parts, pull(network, start, option.pull)) if network.training else parts

    fitted = fit_on_towers(context, data, TowerStage(make, loss), config)
    alone = first.normaliser.outputs(told.free.to(context.device)).cpu()[..., data.channels]
    errors = tower_errors(alone, data)
    return reporting(fitted, {("simulation_rmse", flux): errors[n] for n, flux in enumerate(job.exchange.names)})


def forward(network: GuidedNetwork, windows: Windows, index: Tensor, told: Told, device: str) -> Tensor:
    """Outputs (B, W, output) of windows, of all of which ``told`` is known."""
    age_weight = windows.weights(index)
    state = torch.einsum("bk,bkt->bt", age_weight, windows.before(index)[:, MIXTURE])[:, None]
    ages = (age_weight * windows.ages).sum(1, keepdim=True)
    own = Told(*(part.to(device) for part in told.of(index)))
    outputs: Tensor = network(*(x.to(device) for x in (*windows.inputs(index), state, ages)), own)
    return outputs


def tower_errors(prediction: Tensor, data: TowerData) -> NDArray[np.float64]:
    """Median over training and validation towers of the RMSE of each flux, (flux,); NaN without any label.

    Parameters
    ----------
    prediction
        (window, W, flux) physical, of all windows.
    """
    index = data.labelled()
    flux, weight = data.windows.labels(index)
    has = (weight > 0).double()
    square = (has * (prediction[index].double() - flux) ** 2).sum(1)
    places = data.windows.place[index]
    shape = (int(data.windows.place.max()) + 1, square.shape[-1])
    total, count = (torch.zeros(shape, dtype=torch.float64).index_add(0, places, x) for x in (square, has.sum(1)))
    rmse = np.where(count > 0, np.sqrt(total / count.clamp_min(1)), np.nan)
    return np.array([np.median(own[~np.isnan(own)]) if (~np.isnan(own)).any() else np.nan for own in rmse.T])


def predict_residual(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return predict(fitted[FIRST], fitted["kgml_residual"], places, True, unseen, gpu)


def predict_stack(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places."""
    return predict(fitted[FIRST], fitted["kgml_stack"], places, False, unseen, gpu)


def predict(first: Fitted, stage: Fitted, places: Places, residual: bool, unseen: bool, gpu: int) -> Prediction:
    """Predict places with the pre-trained network and the one on towers."""
    device, windows = choose_device(gpu), windows_of(places)
    trained = weights.load(SingleNetwork(rebuilt(first)), first).to(device)
    told = told_of(trained, windows, device, BATCH)
    series = [
        _series(stage.member(member), places, windows, told, residual, unseen, device)
        for member in range(stage.members)
    ]
    return Prediction(*closed_mean(series, counted(stage, places, unseen), rebuilt(first).exchange))


def _series(
    fitted: Fitted, places: Places, windows: Windows, told: Told, residual: bool, unseen: bool, device: str
) -> NDArray[np.float64]:
    """Fluxes (place, time, flux) by one network."""
    blueprint = rebuilt(fitted)
    network = GuidedNetwork(blueprint, told.hidden.shape[-1], residual)
    weights.load(network, fitted, unseen).to(device).eval()
    with torch.no_grad():
        parts = [
            forward(network, windows, index, told, device).cpu() for index in torch.arange(len(windows)).split(BATCH)
        ]
    return predicted_series(torch.cat(parts).numpy(), places, blueprint.exchange)
