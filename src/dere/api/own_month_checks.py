"""Months of one's own beside the record that is predicted: whether they fit, and what they brought, in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.exchange import Exchange
from dere.ingest.tower.own_months import OwnMonths
from dere.intervals.site_calibration import PlaceErrors, condition
from dere.intervals.site_conflicts import (
    PLACE,
    SIGMA,
    SIGN,
    UNIT,
    conflicts,
    likely_reason,
    systematic,
    unclosed,
)

Array = NDArray[np.float64]
Months = NDArray[np.int64]

MOST_LEFT_OUT = 36
"""Months that are left out one by one to say how well the others predict them."""
REASONS = {
    UNIT: "another unit than gC m-2 d-1 is likely",
    SIGN: "another sign is likely: NEE is positive to the atmosphere, GPP into the ecosystem",
    PLACE: "another site, or drivers of another one, are likely",
}
ESCAPE = "correct the table, or say --allow-conflict"


class Known(NamedTuple):
    """Own months of a site on the months of its record.

    Parameters
    ----------
    months
        (month,) numbers on the time axis.
    flux, quality
        (month, flux), NaN and 0 where nothing is known.
    beyond
        Months of the table that lie outside the record.
    """

    months: Months
    flux: Array
    quality: Array
    beyond: int


def on_record(own: OwnMonths, months: Months, exchange: Exchange, where: str) -> Known:
    """Own months beside the months of a record, which are numbers on the time axis.

    Raises
    ------
    ValueError
        When none of them lies in the record.
    """
    at = np.searchsorted(months, own.month).clip(max=len(months) - 1)
    inside = months[at] == own.month
    if not inside.any():
        raise ValueError(
            f"{where}: none of its {len(own.month)} months ({_month(own.month[0])} to {_month(own.month[-1])}) lies in "
            f"the record that is predicted ({_month(months[0])} to {_month(months[-1])}); give drivers of these months"
        )
    flux, quality = np.full((len(months), len(exchange.names)), np.nan), np.zeros((len(months), len(exchange.names)))
    for name, values in own.flux.items():
        flux[at[inside], exchange.names.index(name)] = values[inside]
    quality[at[inside]] = own.quality[inside, None]
    return Known(months, flux, quality, int((~inside).sum()))


def checked(mean: Array, errors: PlaceErrors, known: Known, where: str, allowed: bool) -> list[str]:
    """Sentences on own months that are odd.

    Raises
    ------
    ValueError
        When so many are that the table is wrong, and this is not allowed.
    """
    names = errors.model.exchange.names
    said = []
    if known.beyond:
        said.append(f"{where}: {known.beyond} months lie outside the record that is predicted and are not used")
    if (odd := unclosed(errors, known.flux)) is not None:
        values = ", ".join(f"{name} {value:.3g}" for name, value in zip(names, known.flux[odd], strict=True))
        text = (
            f"{where}: the fluxes of {_month(known.months[odd])} do not close ({values} gC m-2 d-1), but RECO = GPP + "
            f"NEE is expected; NEE is positive to the atmosphere: {ESCAPE}"
        )
        if not allowed:
            raise ValueError(text)
        said.append(text)
    if not (found := conflicts(mean, errors, known.flux)):
        return said
    worst = found[0]
    text = (
        f"{where}: {names[worst.flux].upper()} of {_month(known.months[worst.month])} is {worst.value:.3g} gC m-2 d-1, "
        f"but {worst.low:.3g} to {worst.high:.3g} ({SIGMA:.0f} standard deviations) is expected; {len(found)} of "
        f"{int(np.isfinite(known.flux).sum())} values lie so far off"
    )
    if systematic(found, known.flux):
        text = f"{text}: {REASONS[likely_reason(mean, known.flux)]}; {ESCAPE}"
        if not allowed:
            raise ValueError(text)
    return [*said, text]


def errors_told(mean: Array, errors: PlaceErrors, known: Known) -> str:
    """Errors of the known months: as predicted, and each left out of the months that it is predicted from."""
    there = np.flatnonzero(np.isfinite(known.flux).any(1))
    left_out = there[np.unique(np.linspace(0, len(there) - 1, min(len(there), MOST_LEFT_OUT)).round().astype(int))]
    made = mean.copy()
    for month in left_out:
        others = known.flux.copy()
        others[month] = np.nan
        made[month] = condition(mean, errors, others, known.quality).mean[month]
    text = [
        f"{name.upper()} {_rmse(mean, known.flux, left_out, flux):.2f} -> {_rmse(made, known.flux, left_out, flux):.2f}"
        for flux, name in enumerate(errors.model.exchange.names)
        if np.isfinite(known.flux[left_out, flux]).any()
    ]
    if len(there) == 1:
        text = [part.split(" -> ")[0] for part in text]
        return f"1 month of own data used: error without it {', '.join(text)} gC m-2 d-1"
    how = "without them -> each from the others"
    return f"{len(there)} months of own data used: RMSE {how} {', '.join(text)} gC m-2 d-1"


def narrower(known: Known, std: Array, std_before: Array) -> str:
    """By how much intervals of the months that are not known became narrower."""
    others = ~np.isfinite(known.flux).any(1)
    if not others.any():
        return ""
    change = 1.0 - float(std[others].mean() / std_before[others].mean())
    return f"; intervals of the other months {abs(100 * change):.0f} % {'narrower' if change >= 0 else 'wider'}"


def _rmse(mean: Array, known: Array, months: Months, flux: int) -> float:
    return float(np.sqrt(np.nanmean((mean[months, flux] - known[months, flux]) ** 2)))


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"
