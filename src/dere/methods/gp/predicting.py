"""Predictions of the Gaussian process: the mean, with all towers or without the group of the tower itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.methods.gp.features import Standard, even, groups_of
from dere.methods.gp.kernel import Hyper, covariance
from dere.methods.gp.left_out import group_of
from dere.methods.tree_features import tree_features
from dere.training.fitted import Fitted, Prediction, Support
from dere.training.membership import LEFT_OUT
from dere.training.places import Places

BLOCK = 100
"""Places whose covariances with the training rows are held at a time."""
ROWS = 4000
"""Months of them that are."""
_PLAIN = -1
"""Group of a place that is in none."""
FACTS = ("training_rows",)


def predict(
    fitted: Mapping[str, Fitted], places: Places, support: Support | None = None, *, unseen: bool = False, gpu: int = 0
) -> Prediction:
    """Predict places from their drivers and attributes.

    With ``unseen`` a tower that it learned from is predicted without the labels of its group; what no label was learned
    of is predicted by all.

    Raises
    ------
    ValueError
        When the places have other features than those it was fitted with.
    """
    stage = fitted["gp"]
    mean = np.concatenate([_of_block(stage, block, unseen) for block in places.blocks(BLOCK)])
    return Prediction(mean, facts={name: stage.facts[name] for name in FACTS})


def _of_block(stage: Fitted, places: Places, unseen: bool) -> NDArray[np.float64]:
    """(place, time, flux) closed."""
    exchange = exchanges.get(str(stage.facts["exchange"]))
    features, names = tree_features(places, exchange)
    _require_known(names, list(stage.facts["features"]))
    arrays = stage.arrays
    standard = Standard(arrays["feature_mean"], arrays["feature_std"])
    rows = standard.apply(even(features, names))
    values = np.zeros((*rows.shape[:2], len(exchange.names)))
    targets = exchange.index(list(stage.facts["targets"]))
    hyper = Hyper(*(torch.tensor(arrays[name]) for name in ("log_length", "log_static_length", "log_variance")))
    known, group = torch.tensor(arrays["rows"]), torch.as_tensor(groups_of(names))
    for members, weights in _weights(stage, places, unseen):
        flat = torch.from_numpy(rows[members].reshape(-1, rows.shape[-1]))
        with torch.no_grad():
            parts = [covariance(part, known, hyper, group).double() @ weights for part in flat.split(ROWS)]
        mean = torch.cat(parts).numpy() * arrays["size"] + arrays["level"]
        for column, target in enumerate(targets):
            values[members, :, target] = mean[:, column].reshape(len(members), -1)
    closed: NDArray[np.float64] = exchange.close(values)
    return closed


def _weights(stage: Fitted, places: Places, unseen: bool) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
    """Places, and the weights of the training rows that predict them."""
    groups = stage.facts[LEFT_OUT] if unseen else []
    group = group_of(places.classes["cluster"].to_numpy(str), groups)
    for number in np.unique(group):
        chosen = stage.arrays["weights"] if number == _PLAIN else stage.arrays["weights_without"][number]
        yield np.flatnonzero(group == number), torch.tensor(chosen)


def _require_known(names: list[str], learned: list[str]) -> None:
    if names != learned:
        other = sorted(set(names) ^ set(learned)) or [next(a for a, b in zip(names, learned, strict=True) if a != b)]
        raise ValueError(
            f"gp: the places have {len(names)} features, but the process was fitted with {len(learned)} ({other[0]} "
            "differs); give places with the drivers, attributes and channels of the run that it was fitted on"
        )
