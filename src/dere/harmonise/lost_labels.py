"""Sites whose labels are lost for a reason that no month alone betrays; a warning names them."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

log = logging.getLogger(__name__)

LARGEST_SHARE = 0.5
_NAMED = 10


def warn_lost_labels(towers: xr.Dataset, counts: pd.DataFrame, maximum_residual: float) -> None:
    """Warn of sites without a quality column, and of those where the closure rule rejects most months.

    A month without quality counts as unmeasured (quality 0), so that a missing column costs a site all its training
    labels.

    Parameters
    ----------
    towers
        Ingested towers (site, time): ``nee`` and, where known, ``nee_quality``.
    counts
        Months per site and reason, of ``dere.harmonise.labels.make_labels``.
    maximum_residual
        The limit of the closure rule in gC m-2 d-1.
    """
    nee = np.isfinite(towers["nee"].transpose("site", "time").values)
    quality = np.zeros_like(nee)
    if "nee_quality" in towers:
        quality = np.isfinite(towers["nee_quality"].transpose("site", "time").values.astype(float))
    without = nee.any(1) & ~(nee & quality).any(1)
    if without.any():
        log.warning(
            "%d sites have NEE but no quality of it (column NEE_..._QC is missing or empty), so that every month "
            "counts as unmeasured and none can train (%s); add the column",
            without.sum(),
            _names(towers["site"].values[without].tolist()),
        )
    table = counts[counts["step"] == "labels"].pivot_table(
        index="site", columns="reason", values="months", aggfunc="sum", fill_value=0
    )
    if "closure" not in table:
        return
    judged = table.drop(columns=["no_nee", "no_gpp"], errors="ignore").sum(axis=1)
    mostly = table.index[table["closure"] > LARGEST_SHARE * judged].tolist()
    if mostly:
        log.warning(
            "%d sites lose GPP and RECO in more than half of their months with NEE and GPP, because published RECO "
            "differs from NEE + GPP by more than %g gC m-2 d-1 (%s); look at units and variants of their columns, or "
            "at harmonise.maximum_closure_residual",
            len(mostly),
            maximum_residual,
            _names(mostly),
        )


def _names(sites: Sequence[str]) -> str:
    """First names of a list of sites."""
    rest = len(sites) - _NAMED
    return ", ".join(map(str, sites[:_NAMED])) + (f" and {rest} more" if rest > 0 else "")
