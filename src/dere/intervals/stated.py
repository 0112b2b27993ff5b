"""The error model of a prediction file, in its attributes: what intervals of any sum need beside its ``std``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator, read_calibrator

PREFIX = "error_model_"
NAMES = ("scale", "dof", "shares", "autoregression", "rescale", "noise", "neighbours", "clusters", "usual_season")


def stated(model: Calibrator) -> dict[str, float | list[float]]:
    """Attributes from which `read_stated` makes the model again; one number is a number, as in a file."""
    flat = {name: values.ravel().tolist() for name, values in model.arrays().items()}
    return {f"{PREFIX}{name}": values[0] if len(values) == 1 else values for name, values in flat.items()}


def states_errors(attrs: Mapping[str, Any]) -> bool:
    """Tell whether a prediction file has an error model; that of a method with intervals of its own has none."""
    return all(f"{PREFIX}{name}" in attrs for name in NAMES)


def read_stated(attrs: Mapping[str, Any], exchange: Exchange) -> Calibrator:
    """Return the error model of a prediction file from its attributes.

    Raises
    ------
    ValueError
        When they do not state one.
    """
    missing = [f"{PREFIX}{name}" for name in NAMES if f"{PREFIX}{name}" not in attrs]
    if missing:
        raise ValueError(
            f"predictions of {attrs.get('method', 'unknown')}, fold {attrs.get('fold', 'unknown')}, state no error "
            f"model (attribute {missing[0]} is missing), which intervals of sums need; predict again with this "
            "version, or choose a method without intervals of its own (for trees: members above 1)"
        )
    return read_calibrator({name: attrs[f"{PREFIX}{name}"] for name in NAMES}, exchange)
