"""``comparison.csv``: every method on every backbone side by side, with what it cost.

One row per method, backbone, grouping (test towers, virtual towers) and flux, monthly. Nothing is computed anew from
predictions: scores come from ``skill.csv``, paired ratios from ``paired.csv``, seconds and memory from ``cost.csv`` and
numbers of parameters and of settings tried from the manifests of the checkpoints. Reference rows come last, without
ratios and cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.reference_rows import REFERENCE
from dere.evaluation.runs import ENSEMBLE, POOLED
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

Values = NDArray[np.float64]

NO_BACKBONE = "none"
GROUPINGS = (POOLED, "virtual")
_RATIO = {"": "rmse_ratio", "_low": "ratio_low", "_high": "ratio_high"}
KEY = ("method", "backbone", "grouping", "flux")
_SCORES = ("sites", "seeds", "folds", "nse", "nse_seed_std", "rmse", "rmse_seed_std", "nse_ensemble")
_COST = ("tried", "parameters", "seconds", "cpu_seconds", "max_rss_mb", "stages", "shared_stages")


def ratio_columns(references: Iterable[str]) -> list[str]:
    """Columns of the paired ratios, three for each method that rows are compared with."""
    return [f"ratio_{name}{end}" for name in references for end in _RATIO]


def columns(references: Iterable[str]) -> list[str]:
    """Columns of the table in their order."""
    return [*KEY, *_SCORES, *ratio_columns(references), *_COST]


@dataclass(frozen=True)
class Member:
    """One method on one backbone.

    Parameters
    ----------
    method, backbone
        As in the tables; ``none`` without a network.
    jobs
        What is run to train it, as ``rule/wildcards`` of the cost table without fold and seed.
    networks
        Stages whose checkpoints predict; empty without a network.
    """

    method: str
    backbone: str
    jobs: tuple[str, ...]
    networks: tuple[str, ...] = ()


def comparison(
    skill: pd.DataFrame,
    paired: pd.DataFrame,
    cost: pd.DataFrame,
    manifests: Sequence[Mapping[str, Any]],
    members: Sequence[Member],
    references: Mapping[str, bool],
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Put scores, paired ratios and cost of every member into one table.

    Parameters
    ----------
    skill
        ``skill.csv`` with fold and seed as text.
    paired
        ``paired.csv``.
    cost
        ``cost.csv``.
    manifests
        Manifests of the checkpoints, of all folds and seeds.
    members
        Rows to make, in this order.
    references
        Methods that each row is compared with on identical towers, and whether each is a network: then a network is
        compared with the one of its own backbone.
    exchange
        What is predicted; orders the fluxes.

    Returns
    -------
    DataFrame
        Columns `columns`. ``nse`` and ``rmse`` are means over seeds of the median over towers,
        ``*_seed_std`` their standard deviation over seeds (empty with one), ``nse_ensemble`` the median of the mean
        prediction of all folds and seeds. ``ratio_<reference>`` is the geometric mean over towers of the member's RMSE
        over that of the reference, with its 95 % interval from resampled clusters (below 1, the member is better).
        ``seconds``, ``cpu_seconds`` and ``max_rss_mb`` (largest of its jobs) are of one training run, the mean over
        folds and seeds: all its ``stages``, also those that serve other members of the run (``shared_stages``).
        ``parameters`` are those of the networks that predict; ``tried`` is `_tried`.

    Raises
    ------
    ValueError
        When a member has no scores, no cost of a job or no manifest, or manifests disagree.
    """
    costs = {member: _cost(cost, member) for member in members}
    sizes = {member: _parameters(manifests, member) for member in members}
    users = Counter(job for member in members for job in member.jobs)
    ratios = _ratios(paired)
    parts = []
    for member in members:
        shared = [job for job in member.jobs if users[job] > 1]
        part = _scores(skill, member, exchange)
        parts.append(
            part.assign(
                **_against(ratios, part, member, references),
                tried=_tried(manifests, member),
                parameters=sizes[member],
                **costs[member],
                stages=_names(member.jobs),
                shared_stages=_names(shared),
            )
        )
    for name in sorted(name for name in skill["method"].unique() if str(name).startswith(REFERENCE)):
        member = Member(name, NO_BACKBONE, ())
        parts.append(_scores(skill, member, exchange).assign(stages="", shared_stages=""))
    return pd.concat(parts, ignore_index=True).reindex(columns=columns(references))


def _scores(skill: pd.DataFrame, member: Member, exchange: Exchange) -> pd.DataFrame:
    """One row per grouping and flux, in the order of both."""
    rows = skill[
        (skill["method"] == member.method)
        & (skill["backbone"] == member.backbone)
        & (skill["scale"] == "monthly")
        & (skill["group"] == POOLED)
        & (skill["statistic"] == "median")
        & skill["grouping"].isin(GROUPINGS)
    ]
    if rows.empty:
        raise ValueError(
            f"skill.csv: it has no monthly score of {member.method} on backbone {member.backbone}; delete the table "
            "and run the evaluation again, or give the test fold towers with enough good months"
        )
    runs = rows[rows["fold"] != POOLED]
    pooled = rows[(rows["fold"] == POOLED) & (rows["seed"] != ENSEMBLE)]
    single = pooled[pooled["seed"] != POOLED]
    # A run of one seed has no rows per seed beside the pooled ones.
    per_seed = (single if len(single) else pooled).groupby(["grouping", "flux"], sort=False)
    ensemble = rows[rows["seed"] == ENSEMBLE].set_index(["grouping", "flux"])["nse"]
    table = pd.DataFrame(
        {
            "sites": per_seed["sites"].max(),
            "seeds": runs["seed"].nunique(),
            "folds": runs["fold"].nunique(),
            "nse": per_seed["nse"].mean(),
            "nse_seed_std": per_seed["nse"].std(ddof=1),
            "rmse": per_seed["rmse"].mean(),
            "rmse_seed_std": per_seed["rmse"].std(ddof=1),
        }
    )
    table["nse_ensemble"] = ensemble.reindex(table.index)
    order = [(grouping, flux) for grouping in GROUPINGS for flux in exchange.names if (grouping, flux) in table.index]
    return table.loc[order].reset_index().assign(method=member.method, backbone=member.backbone)


def _ratios(paired: pd.DataFrame) -> pd.DataFrame:
    """RMSE ratios of both directions, monthly, indexed by the pair, grouping and flux."""
    sides = ["method", "backbone", "against", "against_backbone"]
    rows = paired.loc[paired["scale"] == "monthly", [*sides, "grouping", "flux", *_RATIO.values()]]
    turned = rows.assign(
        method=rows["against"],
        backbone=rows["against_backbone"],
        against=rows["method"],
        against_backbone=rows["backbone"],
        rmse_ratio=1 / rows["rmse_ratio"],
        ratio_low=1 / rows["ratio_high"],
        ratio_high=1 / rows["ratio_low"],
    )
    return pd.concat([rows, turned]).set_index([*sides, "grouping", "flux"])[list(_RATIO.values())]


def _against(
    ratios: pd.DataFrame, part: pd.DataFrame, member: Member, references: Mapping[str, bool]
) -> dict[str, Values]:
    """Columns `ratio_columns` for the rows of a member; empty for itself and where the run has no such reference."""
    compared: dict[str, Values] = {}
    for reference, is_network in references.items():
        backbone = member.backbone if is_network else NO_BACKBONE
        pair = (member.method, member.backbone, reference, backbone)
        keys = [(*pair, *place) for place in zip(part["grouping"], part["flux"], strict=True)]
        found = ratios.reindex(pd.MultiIndex.from_tuples(keys))
        compared |= {f"ratio_{reference}{end}": found[name].to_numpy(dtype=float) for end, name in _RATIO.items()}
    return compared


def _cost(cost: pd.DataFrame, member: Member) -> dict[str, float]:
    """Cost of one run of a member: sums over its jobs (memory: the largest), then the mean over folds and seeds."""
    name = cost["rule"].astype(str) + "/" + cost["wildcards"].astype(str)
    split = name.str.extract(r"^(?P<job>.+)/(?P<run>fold\d+/seed\d+)$")
    rows = cost.assign(**split)
    rows = rows[rows["job"].isin(member.jobs)]
    absent = [job for job in member.jobs if job not in set(rows["job"])]
    if absent:
        raise ValueError(
            f"cost.csv: it has no job {absent[0]}/fold<k>/seed<s>, which {member.method} on backbone {member.backbone} "
            "needs; delete the table and run again"
        )
    runs = rows.groupby("run")
    # An unmeasured job makes the sum unknown, not smaller.
    seconds, cpu = (runs[column].agg(lambda values: values.sum(skipna=False)) for column in ("seconds", "cpu_seconds"))
    return {"seconds": seconds.mean(), "cpu_seconds": cpu.mean(), "max_rss_mb": runs["max_rss_mb"].max().mean()}


def _parameters(manifests: Sequence[Mapping[str, Any]], member: Member) -> float:
    """Parameters of the networks that predict; empty without a network."""
    if not member.networks:
        return float("nan")
    total = 0
    for stage in member.networks:
        mine = [m for m in manifests if m["stage"] == stage and m["params"]["backbone_name"] == member.backbone]
        found = sorted({int(manifest["parameters"]) for manifest in mine})
        if len(found) != 1:
            raise ValueError(
                f"stage {stage} of backbone {member.backbone} has {found or 'no'} parameters in its manifests, but "
                "every fold and seed trains one and the same network; train the stage again"
            )
        total += found[0]
    return float(total)


def _tried(manifests: Sequence[Mapping[str, Any]], member: Member) -> int:
    """Number of ways to train among which a member was chosen in one fold and seed, 1 where all was fixed before.

    A stage says it in its facts: ``tried`` (trees: settings of all fluxes, and ways to NEE) or one loss per candidate.
    What stages tried adds up; epochs, folds, seeds and what was tried in earlier runs do not count.
    """
    total = 1
    for job in member.jobs:
        stage, _, backbone = job.removeprefix("train_").partition("/")
        own = [m for m in manifests if (m["stage"], m["params"]["backbone_name"]) == (stage, backbone)]
        found = [int(m.get("tried", len(m.get("candidate_validation_losses", [0])))) for m in own]
        total += max(found, default=1) - 1
    return total


def _names(jobs: Sequence[str]) -> str:
    """Rules of the jobs without the prefix of a training, separated by spaces."""
    return " ".join(job.split("/")[0].removeprefix("train_") for job in jobs)
