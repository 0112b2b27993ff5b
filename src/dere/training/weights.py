"""Weights of networks as plain arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dere.training.fitted import Fitted

Model = TypeVar("Model", bound=nn.Module)


def arrays_of(state: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Copy a network's state as arrays."""
    # A layer that stands in several places has several names, each with an array of its own.
    return {name: value.detach().cpu().numpy().copy() for name, value in state.items()}


def load(model: Model, fitted: Fitted, unseen: bool = False) -> Model:
    """Load what a stage left behind into ``model`` and return it.

    Parameters
    ----------
    model
        Same architecture as fitted.
    unseen
        Load the weights that never saw the validation towers.

    Raises
    ------
    ValueError
        When a weight's name or shape differs.
    """
    state = {name: torch.from_numpy(np.array(value)) for name, value in fitted.chosen(unseen).items()}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        where = fitted.facts.get("folder", fitted.facts.get("stage", "a stage"))
        raise ValueError(f"{where}: weights do not fit the configured network ({error}); train again") from None
    return model
