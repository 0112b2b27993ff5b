"""Records of tables that bring daily fluxes of a site and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.source import Column
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.partial_record import Origin, in_record, monthly_columns, partial_record, warn_counts
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.steps import Steps


def daily_record(
    site: str,
    steps: Steps,
    table: pd.DataFrame,
    columns: Sequence[Column],
    origin: Origin,
    config: TowerSource,
    counts: dict[str, int],
) -> list[SiteRecord]:
    """Monthly means of daily fluxes; none where days are not to be read.

    Parameters
    ----------
    site
        Site id.
    steps
        Days of the rows.
    table, columns
        One row per day, and which of its columns are fluxes.
    origin
        Product and file.
    config
        Steps that are read, the minimum coverage of a month, whose partitioning becomes the label.
    counts
        Oddities counted so far; added to.

    Raises
    ------
    ValueError
        When no month has enough days, or a unit cannot be right.
    """
    if "DD" not in config.resolution:
        return []
    fluxes = canonical(table, columns, origin.source, counts)
    months, means = monthly_columns(steps, fluxes, config.minimum_coverage)
    kept, means = in_record(months, means)
    warn_counts({"runaway_fluxes": counts.get("runaway_fluxes", 0)}, origin.source)
    if not len(kept):
        raise ValueError(
            f"{origin.source}: site {site} has no month with {config.minimum_coverage:.0%} of its days; lower "
            "sources.towers.minimum_coverage or leave the site out"
        )
    counts["months_below_coverage"] = int(np.isnan(means["nee"]).sum())
    return [partial_record(site, kept, means, origin, counts=counts, config=config)]
