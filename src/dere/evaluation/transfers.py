"""``transfers.csv``: what stages that carry knowledge from a simulation to towers report of themselves.

A stage says it in its fact ``reported``; stages without it have no rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

KEY = ("stage", "backbone", "fold", "seed", "quantity", "flux")
COLUMNS = (*KEY, "value")
EVERY = "all"
"""Flux of a quantity that is not of one flux."""


def reported(manifests: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Collect what stages report.

    Parameters
    ----------
    manifests
        Manifests of the checkpoints.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, in the order of the manifests.
    """
    rows = [
        [each["stage"], each["params"]["backbone_name"], str(each["fold"]), str(each["seed"]), row["quantity"],
         row["flux"] or EVERY, float(row["value"])]
        for each in manifests
        for row in each.get("reported", [])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"value": float})
