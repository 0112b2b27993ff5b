"""One line for the screen about what harmonising left out, rejected, filled and replaced; tables hold the rest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import xarray as xr


def outcome(counts: pd.DataFrame, towers: xr.Dataset, dropped: Sequence[str] = ()) -> str:
    """Return how much was changed; empty where nothing was.

    Parameters
    ----------
    counts
        site, step, reason, months (``counts.csv``).
    towers
        Canonical towers.
    dropped
        Sites that are left out.
    """
    reason = counts["reason"].astype(str)
    rejected = (counts["step"] == "labels") & (reason != "kept") & ~reason.str.startswith(("no_", "missing"))
    filled = (counts["step"] == "drivers") & reason.str.endswith(": climatology")
    by_class = int((towers["cover_source"].values == "igbp").sum()) if "cover_source" in towers.coords else 0
    numbers = {
        "sites left out": len(dropped),
        "label months rejected": int(counts.loc[rejected, "months"].sum()),
        "driver months filled by climatology": int(counts.loc[filled, "months"].sum()),
        "sites with the plant types of their class": by_class,
    }
    return ", ".join(f"{what}: {number}" for what, number in numbers.items() if number)
