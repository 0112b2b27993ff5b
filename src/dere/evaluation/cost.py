"""``cost.csv``: what every job cost, from Snakemake's benchmark files."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

COLUMNS = ("rule", "wildcards", "repeats", "seconds", "max_rss_mb", "cpu_seconds")
_NEEDED = ("s", "max_rss", "cpu_time")


def cost_table(benchmarks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per job, dearest first.

    Parameters
    ----------
    benchmarks
        Name ``rule/wildcards...`` (a path relative to the benchmark folder, without suffix) to Snakemake's table; the
        columns ``rule_name`` and ``wildcards`` of the extended format take precedence.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``; times are means over repeats, memory the maximum. Snakemake writes NA for jobs too short
        to be sampled; they stay empty.

    Raises
    ------
    ValueError
        When a table is not a Snakemake benchmark.
    """
    rows = []
    for name, table in benchmarks.items():
        absent = [column for column in _NEEDED if column not in table]
        if absent or table.empty:
            what = f"lacks the columns {absent}" if absent else "is empty"
            raise ValueError(f"{name}: it {what}, so it is no Snakemake benchmark; delete it and rerun its rule")
        values = table[list(_NEEDED)].apply(pd.to_numeric, errors="coerce")
        rule, _, rest = name.partition("/")
        extended = "rule_name" in table
        row = (
            str(table["rule_name"].iloc[0]) if extended else rule,
            str(table["wildcards"].iloc[0]) if extended and "wildcards" in table else rest,
            len(table),
            float(values["s"].mean()),
            float(values["max_rss"].max()) if values["max_rss"].notna().any() else np.nan,
            float(values["cpu_time"].mean()),
        )
        rows.append(dict(zip(COLUMNS, row, strict=True)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("seconds", ascending=False, kind="stable", ignore_index=True)
