"""Judge predictions on the rows of a run, by the functions that its evaluation calls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.api.arguments import require
from dere.api.files import loaded
from dere.api.foreign import as_prediction, read
from dere.api.place import fold_of
from dere.api.plausible import check_plausible
from dere.api.run import Run
from dere.evaluation.bootstrap import COLUMNS, paired
from dere.evaluation.judge import judge
from dere.evaluation.schemas import checked
from dere.workflow import targets

MINE = "mine"


@dataclass(frozen=True)
class Judgement:
    """Tables about one prediction, with the columns of the run's own (``docs/tables.md``).

    Parameters
    ----------
    skill
        Scores over towers, as in ``skill.csv``.
    site_skill
        Scores of every tower.
    calibration
        Whether intervals hold what they promise; no rows for predictions without any.
    closure
        How well the fluxes add up.
    run
        Whose rows they are.
    """

    skill: pd.DataFrame
    site_skill: pd.DataFrame
    calibration: pd.DataFrame
    closure: pd.DataFrame
    run: Run

    @cached_property
    def paired(self) -> pd.DataFrame:
        """Differences to each other method that the run has judged, on equal towers, with bootstrap intervals."""
        return against_others(self.site_skill, self.run)

    def __repr__(self) -> str:
        pooled = "scale == 'monthly' and statistic == 'median' and grouping in ('all', 'virtual') and fold == 'all'"
        rows = self.skill.query(pooled)[
            ["method", "backbone", "grouping", "flux", "sites", "months", "nse", "rmse", "bias"]
        ]
        return f"<dere judgement, monthly, medians over towers>\n{rows.to_string(index=False)}"


def evaluate(
    predictions: xr.Dataset | pd.DataFrame | str | Path,
    run: Run,
    name: str | None = None,
    *,
    fold: int | None = None,
    close: bool = False,
) -> Judgement:
    """Score predictions, your own or a method's, on exactly the rows that every method of a run is scored on.

    Parameters
    ----------
    predictions
        A dataset with ``prediction(site, time, flux)`` or one variable (site, time) per flux; a table with the columns
        ``site``, ``time`` or ``month`` (``2001-01``), and one per flux (``gpp``, ``reco``, ``nee``); or a csv or NetCDF
        file of these. In the unit of the fluxes, gC m-2 d-1 for CO2, or a dataset whose variables state another
        (``units``). Every month of the record of every test tower is
        needed; months outside the records are not looked at.
    run
        Gives towers, folds and thresholds, and the methods to compare with.
    name
        What tables call it; by default what a dataset says of itself, else ``mine``.
    fold
        Whose test towers they are; by default what a dataset says, else the first fold of the run.
    close
        Compute the dependent fluxes again from the others (``nee = reco - gpp``), where the predictions do not close.

    Returns
    -------
    Judgement
        ``skill``, ``site_skill``, ``calibration``, ``closure``, and ``paired``, which takes a while for many methods.

    Raises
    ------
    FileNotFoundError
        When a file is missing.
    ValueError
        When rows are missing (says how many and the first), too many, no numbers or beyond what physics allows, the
        fluxes do not close, or the predictions belong to another split.

    Examples
    --------
    >>> dere.evaluate("mine.csv", run, "my model").skill  # doctest: +SKIP
    """
    require("run", run, Run, "dere.open_run")
    fold = None if fold is None else fold_of(run.tree, fold)
    given, what = read(predictions)
    towers = loaded(run.towers)
    attrs = {
        "method": MINE,
        "backbone": targets.NO_BACKBONE,
        "fold": run.tree["folds"][0],
        "seed": run.tree["seeds"][0],
    }
    dataset = as_prediction(given, towers["time"].values, run.exchange, attrs, close=close, what=what)
    stated = {"method": name, "fold": fold}
    dataset = dataset.assign_attrs({key: value for key, value in stated.items() if value is not None})
    if dataset.attrs.get("split", run.split) != run.split:
        raise ValueError(
            f"{what}: it was predicted with another split table than {run.folder} has, so that it may have seen what "
            "it is judged on; predict with a model of this run"
        )
    if "split" not in dataset.attrs:
        check_plausible(dataset, towers, run.exchange, what)
    config, truth = run.config.evaluation, run.truth
    found = judge(
        {what: dataset},
        towers,
        run.splits,
        config,
        truth=None if truth is None else loaded(truth),
        exchange=run.exchange,
        with_references=False,
    )
    return Judgement(found["skill"], found["site_skill"], found["calibration"], found["closure"], run)


def against_others(site_skill: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Return the table ``paired`` of one prediction and each other method and backbone that a run has judged."""
    others = run.site_skill.fillna(dict.fromkeys(("igbp", "koppen", "cluster"), ""))
    ranks = targets.ranks(run.tree, run.exchange.name)
    own = tuple(site_skill[["method", "backbone"]].iloc[0]) if len(site_skill) else ()
    pairs = [
        paired(pd.concat([site_skill, other], ignore_index=True), run.config.evaluation, ranks)
        for member, other in others.groupby(["method", "backbone"], sort=False)
        if own and member != own
    ]
    filled = [table for table in pairs if not table.empty]
    table = pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(COLUMNS))
    return checked(table, "paired", run.exchange)
