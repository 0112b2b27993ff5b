"""Write the comparison of all methods on all backbones, and what their stages report."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dere.evaluation.comparison import Member, comparison
from dere.evaluation.schemas import checked
from dere.evaluation.transfers import reported
from dere.exchange import DEFAULT, get
from dere.io import read_json, write_table

log = logging.getLogger(__name__)


def write_comparison(
    files: Mapping[str, Path],
    manifests: Sequence[Path],
    outputs: Mapping[str, Path],
    members: Mapping[str, Mapping[str, list[str]]],
    references: Mapping[str, bool],
    exchange: str = DEFAULT,
) -> None:
    """Write ``comparison.csv`` and ``transfers.csv``.

    Parameters
    ----------
    files
        ``skill``, ``paired`` and ``cost``.
    manifests
        Manifests of the checkpoints.
    outputs
        Files to write: ``comparison``, ``transfers``.
    members
        ``method/backbone`` to its ``jobs`` and ``networks``, from ``dere.workflow.targets.training_jobs``.
    references
        Methods that each row is compared with, and whether each is a network.
    exchange
        Name of what is predicted.

    Raises
    ------
    ValueError
        When a table or a manifest of a member is missing.
    """
    predicted, facts = get(exchange), [read_json(path) for path in manifests]
    found = []
    for name, parts in members.items():
        method, backbone = name.split("/")
        found.append(Member(method, backbone, tuple(parts["jobs"]), tuple(parts["networks"])))
    table = comparison(
        pd.read_csv(files["skill"], dtype={"fold": str, "seed": str}),
        pd.read_csv(files["paired"]),
        pd.read_csv(files["cost"]),
        facts,
        found,
        references,
        predicted,
    )
    write_table(checked(table, "comparison", predicted, list(references)), outputs["comparison"])
    write_table(checked(reported(facts), "transfers", predicted), outputs["transfers"])
    log.info("%d methods on backbones, %d manifests, %d rows", len(found), len(manifests), len(table))
