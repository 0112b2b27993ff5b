"""``cost.csv``: what every job cost, from what the jobs measured of themselves."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

MEASURED = ("seconds", "cpu_seconds", "max_rss_mb")
"""What a job measures of itself."""
COLUMNS = ("rule", "wildcards", "seconds", "max_rss_mb", "cpu_seconds")


def cost_table(jobs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per job, dearest first.

    Parameters
    ----------
    jobs
        Name ``rule/wildcards...`` to the table of one row that the job wrote.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``.

    Raises
    ------
    ValueError
        When a table does not state what one job cost.
    """
    rows = []
    for name, table in jobs.items():
        if len(table) != 1 or not set(MEASURED) <= set(table) or table[list(MEASURED)].isna().any(axis=None):
            raise ValueError(
                f"{name}: what the job cost has the columns {', '.join(map(str, table))} in {len(table)} rows, but one "
                f"row of numbers {', '.join(MEASURED)} is expected; delete its table below benchmarks and run again"
            )
        rule, _, wildcards = name.partition("/")
        rows.append({"rule": rule, "wildcards": wildcards, **table[list(MEASURED)].iloc[0]})
    found = pd.DataFrame(rows, columns=list(COLUMNS))
    return found.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)
