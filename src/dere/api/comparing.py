"""What two runs differ by: leaves of their configurations, and scores at the same towers and months."""

from __future__ import annotations

from typing import Any

import pandas as pd

from dere.api.run import Run
from dere.evaluation.two_runs import two_runs
from dere.run_config.describe import leaves

ABSENT = "not there"
"""Stands for the value of a leaf that one configuration lacks."""


def compare(first: Run, second: Run) -> pd.DataFrame:
    """Compare two runs by their scores at the same towers and months, methods that both have.

    Parameters
    ----------
    first, second
        From `dere.open_run`, both evaluated, of one exchange.

    Returns
    -------
    DataFrame
        See `dere.evaluation.two_runs.two_runs`; ratios are of the second run to the first, and resamples and the main
        quality threshold those of the first.

    Raises
    ------
    FileNotFoundError
        When a run has no ``site_skill.csv`` yet.
    ValueError
        When their splits, months, exchanges or methods do not allow it.

    Examples
    --------
    >>> dere.compare(dere.open_run("results/demo"), dere.open_run("results/mine"))  # doctest: +SKIP
    """
    if first.exchange.name != second.exchange.name:
        raise ValueError(
            f"{first.folder} is opened for {first.exchange.name} and {second.folder} for {second.exchange.name}; open "
            "both for one exchange"
        )
    try:
        return two_runs(first.site_skill, second.site_skill, first.config.evaluation)
    except ValueError as error:
        raise ValueError(f"{first.folder} (first) and {second.folder} (second): {error}") from None


def differences(first: Run, second: Run) -> dict[str, tuple[Any, Any]]:
    """Leaves in which the configurations differ: dotted key to both values; names of the runs do not count."""
    one, two = dict(leaves(first.tree)), dict(leaves(second.tree))
    keys = dict.fromkeys([*one, *two])
    both = {key: (one.get(key, ABSENT), two.get(key, ABSENT)) for key in keys if key != "run"}
    return {key: values for key, values in both.items() if values[0] != values[1]}
