"""Kinds of gaps by what a site knows around a month, which say how sure its imputation is; imports no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dere.imputation.masks import NEE_ALONE
from dere.ingest.months import MONTHS

GAPS = ("short", "long", "season", "site", NEE_ALONE)
"""Fewer than `LONG` months between known ones; at least so many; a calendar month that the site never knows; nothing
known at all; and RECO of a month whose NEE is known."""
LONG = 3
_SHORT, _LONG, _SEASON, _SITE, _ALONE = range(len(GAPS))


def gap_kinds(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Kind of gap of each month, (month,), as its place in `GAPS`; what it is where all is known does not matter.

    Parameters
    ----------
    known
        (month, 2) known NEE and RECO of one stretch.
    """
    some = known.any(-1)
    if not some.any():
        return np.full(len(known), _SITE)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~some, [0]]).astype(int)))
    kind = np.full(len(known), _SHORT)
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        kind[start:stop] = _LONG if stop - start >= LONG else _SHORT
    calendar = np.arange(len(known)) % MONTHS
    ever = np.bincount(calendar, some, minlength=MONTHS) > 0
    kind[~ever[calendar]] = _SEASON
    kind[some] = _ALONE
    return kind
