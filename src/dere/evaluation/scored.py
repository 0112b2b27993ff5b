"""Whether a run has anything to show: scores of at least one tower."""

from __future__ import annotations

import pandas as pd

from dere.config.evaluation import EvaluationConfig


def require_scores(skill: pd.DataFrame, config: EvaluationConfig) -> None:
    """Check that something was scored.

    Parameters
    ----------
    skill
        Table of scores.
    config
        What left months and towers out.

    Raises
    ------
    ValueError
        When the table has no row.
    """
    if len(skill):
        return
    measured = (
        f" and a measured share of evaluation.minimum_measured ({config.minimum_measured:g}), which only half-hourly "
        "files state"
        if config.minimum_measured is not None
        else ""
    )
    raise ValueError(
        "no tower of the tested folds can be scored: none has evaluation.minimum_months "
        f"({config.minimum_months}) months of quality evaluation.testing_quality ({min(config.testing_quality):g})"
        f"{measured}; lower them, or choose other folds or splits.seed"
    )
