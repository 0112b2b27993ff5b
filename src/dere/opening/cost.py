"""At what cost: processor time of what the run trained and predicted."""

from __future__ import annotations

import pandas as pd

from dere.opening.words import duration
from dere.words import listed

COST = ("rule", "cpu_seconds")
KINDS = {
    "trainings": ("train_", "impute_"),
    "predictions": ("predict_",),
    "maps": ("map_",),
}
"""What is counted together, and how the names of its rules begin."""


def spent(cost: pd.DataFrame | None) -> dict[str, float]:
    """Return the processor seconds of each of `KINDS` that the run has.

    Parameters
    ----------
    cost
        ``tables/cost.csv``; None = the run has none.
    """
    if cost is None:
        return {}
    rule = cost["rule"].astype(str)
    sums = {kind: cost.loc[rule.str.startswith(starts), "cpu_seconds"] for kind, starts in KINDS.items()}
    return {kind: float(values.sum()) for kind, values in sums.items() if len(values)}


def sentence(cost: pd.DataFrame | None, training: float) -> str:
    """Return what the run cost in a sentence.

    Parameters
    ----------
    cost
        ``tables/cost.csv``.
    training
        Processor seconds of one training of the shown method with all its stages.
    """
    parts = [f"{duration(seconds)} of {kind}" for kind, seconds in spent(cost).items()]
    if not parts:
        return "Nothing is recorded of what this run cost."
    own = f"; one training of the method shown, with all its stages, {duration(training)}" if training >= 0 else ""
    return f"Processor time of all methods: {listed(parts)}{own}."
