"""Annual sums of one's own on the months of a record, and what they brought, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.ingest.tower.own_sums import YearSum
from dere.intervals.site_calibration import Conditioned
from dere.intervals.site_sums import SIGMA, Sum, departure

YEAR = 12
ROUNDED = 1.0
"""gC m-2 per year by which a sum may miss what is known of it and still be called met."""
Totals = list[tuple[YearSum, Sum]]


def on_months(sums: Sequence[YearSum], time: NDArray[np.datetime64], exchange: Exchange, where: str) -> Totals:
    """Annual sums as weights of the months of a record (month,).

    Raises
    ------
    ValueError
        When a month of such a year is not in the record.
    """
    months = pd.DatetimeIndex(time)
    found = []
    for one in sums:
        inside = np.asarray(months.year == one.year)
        if inside.sum() != YEAR:
            raise ValueError(
                f"{where}: {one.flux} of {one.year} is known, but {int(inside.sum())} of its {YEAR} months are "
                f"predicted (the record runs from {months[0]:%Y-%m} to {months[-1]:%Y-%m}); give drivers of the whole "
                "year, or remove its row"
            )
        weight = np.zeros((len(months), len(exchange.names)))
        weight[inside, exchange.names.index(one.flux)] = months.days_in_month.to_numpy(float)[inside]
        found.append((one, Sum(weight, one.value, one.std)))
    return found


def sums_told(
    before: Conditioned, after: Conditioned, sharpened: NDArray[np.float64], totals: Totals, site: str
) -> list[str]:
    """What each known sum was without it, and is with all of them; a warning where it is not what is expected.

    Parameters
    ----------
    before, after
        The place without the sums and with them.
    sharpened
        (month, flux) means that are given away, gC m-2 d-1: those of ``after``, GPP and RECO kept from below zero.
    totals
        From `on_months`.
    site
        For the sentences.
    """
    lines = []
    for one, total in totals:
        expected, met, now = (float((total.weight * mean).sum()) for mean in (before.mean, after.mean, sharpened))
        stds = before.std_of_sum(total.weight), after.std_of_sum(total.weight)
        name = one.flux.upper()
        lines.append(
            f"{site}: {name} of {one.year} {expected:.0f} +/- {stds[0]:.0f} -> {now:.0f} +/- {stds[1]:.0f} gC m-2 by "
            f"the known {one.value:.0f} +/- {one.std:.0f}"
        )
        if abs(met - one.value) > max(ROUNDED, SIGMA * one.std):
            lines.append(
                f"{site}: the known {name} of {one.year} is missed by {abs(met - one.value):.0f} gC m-2, because the "
                "other sums of this year say otherwise (RECO = GPP + NEE is expected); correct one of them, or give "
                "them standard deviations"
            )
        apart = departure(before, total)
        if abs(apart) > SIGMA:
            lines.append(
                f"{site}: the known {name} of {one.year} lies {abs(apart):.1f} standard deviations "
                f"{'above' if apart > 0 else 'below'} what is expected; check its unit (gC m-2 per year), its sign "
                "(NEE is positive to the atmosphere), its year and what it is of"
            )
    return lines
