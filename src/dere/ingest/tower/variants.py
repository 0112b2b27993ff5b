"""Which of the family's many versions of a flux a site's record uses (Pastorello and others 2020).

The friction-velocity threshold varies by year (VUT) or is constant (CUT, absent in short records); of the 40 resampled
thresholds the reference (REF) or the median (USTAR50) member is taken; GPP comes from the night-time (NT) or day-time
(DT) partitioning. A site takes one variant for its whole record. Where the wanted one holds no month with both NEE and
GPP, the others are tried in a fixed order, as far as the configuration allows: first another threshold, then the other
partitioning.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dere.ingest.possible import impossible
from dere.ingest.source import Column
from dere.ingest.tables import numbers
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.fluxnet_columns import flux_names
from dere.variables import FLUX_UNIT

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from dere.config.towers import TowerSource

MEMBERS: tuple[str, ...] = ("05", "16", "25", "50", "75", "84", "95")
"""Percentiles of the NEE ensemble over thresholds that the products state."""


def variants(config: TowerSource) -> tuple[str, ...]:
    """Variants in the order of preference; only the wanted one with ``fallback: none``.

    The other kind of threshold (VUT, CUT) comes before the other member (REF, USTAR50).
    """
    kinds = ("VUT", "CUT") if config.cut_or_vut == "vut" else ("CUT", "VUT")
    names = ("REF", "USTAR50") if config.threshold == "ref" else ("USTAR50", "REF")
    ordered = tuple(f"{kind}_{name}" for name, kind in product(names, kinds))
    return ordered[:1] if config.fallback == "none" else ordered


def partitionings(config: TowerSource) -> tuple[str, ...]:
    """Partitionings in the order of preference; only the wanted one unless ``fallback: all``."""
    ordered = ("nt", "dt") if config.partitioning == "nt" else ("dt", "nt")
    return ordered if config.fallback == "all" else ordered[:1]


def variant_columns(config: TowerSource) -> frozenset[str]:
    """Every flux column that may be needed."""
    columns = {column for variant in variants(config) for column in flux_names(variant).values()}
    if config.members:
        columns |= {column.name for kind in ("VUT", "CUT") for column in member_columns(kind, ("nt", "dt"))}
    return frozenset(columns)


def member_columns(kind: str, partitionings: Sequence[str]) -> tuple[Column, ...]:
    """Columns of the percentile members of NEE and of the GPP of some partitionings; ``kind`` is VUT or CUT."""
    stems = {"nee": "NEE", **{f"gpp_{name}": f"GPP_{name.upper()}" for name in partitionings}}
    return tuple(
        Column(f"{stem}_{kind}_{member}", f"{name}_{member}", FLUX_UNIT)
        for name, stem in stems.items()
        for member in MEMBERS
    )


def choose_variant(table: pd.DataFrame, config: TowerSource, source: str) -> tuple[str, str]:
    """First variant and partitioning with a row that has NEE and GPP.

    Where there is none, the first variant with NEE, else the wanted one.

    Parameters
    ----------
    table
        Columns by FLUXNET names.
    config
        What is wanted and whether others may replace it.
    source
        File name for messages.
    """

    def present(column: str) -> np.ndarray:
        values = numbers(table, column, source)
        # the bounds of half hours serve both units and all fluxes: what matters is that marks are no values
        return np.isfinite(values) & ~impossible("nee", values, "hour")

    variant, partitioning = first_with_both(present, config)
    nee, gpp = (flux_names(variant)[name] for name in ("nee", f"gpp_{partitioning}"))
    if present(gpp).any() and not present(nee).any():
        log.warning("%s: column %s is missing or empty beside %s, so the site has no labels", source, nee, gpp)
    return variant, partitioning


def first_with_both(present: Callable[[str], np.ndarray], config: TowerSource) -> tuple[str, str]:
    """Apply the rule of :func:`choose_variant` to any source of "which rows of this column have a value"."""
    for partitioning, variant in product(partitionings(config), variants(config)):
        columns = flux_names(variant)
        if (present(columns["nee"]) & present(columns[f"gpp_{partitioning}"])).any():
            return variant, partitioning
    with_nee = (variant for variant in variants(config) if present(flux_names(variant)["nee"]).any())
    return next(with_nee, variants(config)[0]), config.partitioning


def parse_members(table: pd.DataFrame, variant: str, partitioning: str, source: str) -> dict[str, np.ndarray]:
    """Percentile members of a monthly table.

    Returns
    -------
    dict
        "nee_member" and "gpp_member", each (row, member) in the order of ``MEMBERS``; left out where no member has a
        value.
    """
    values = canonical(table, member_columns(variant.split("_")[0], (partitioning,)), source)
    found = {}
    for name, stem in (("nee_member", "nee"), ("gpp_member", f"gpp_{partitioning}")):
        stacked = np.stack([values[f"{stem}_{member}"] for member in MEMBERS], axis=-1)
        if np.isfinite(stacked).any():
            found[name] = stacked
    return found
