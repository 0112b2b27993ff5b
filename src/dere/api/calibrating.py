"""Months of one's own sharpen the predictions of one's own sites, as ``dere calibrate`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.api.own_site_errors import ERROR_SCALE
from dere.api.own_sites import SitePredictions, predict_sites
from dere.api.run import Run
from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.ingest.tower.own_months import OwnMonths, read_own_months
from dere.intervals.site_calibration import PlaceErrors, condition, errors_of
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
from dere.intervals.site_effects import effects, sentence
from dere.intervals.site_members import members_of, truth_mean
from dere.intervals.spread import STD, VALUES, truth_limits
from dere.intervals.stated import read_stated, states_errors
from dere.products.own_site_files import BEFORE, OWN, STD_BEFORE, Calibration

Array = NDArray[np.float64]
Months = NDArray[np.int64]

MEMBERS = 40
"""Joint series that are drawn of each site."""
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


def calibrate_sites(
    run: Run,
    sites: str | Path | Sequence[str | Path],
    data: str | Path,
    method: str | None = None,
    *,
    allow_conflict: bool = False,
    **choice: Any,
) -> SitePredictions:
    """Predict sites as `dere.predict_sites` does, sharpened by months of their own.

    Parameters
    ----------
    run, sites, method, choice
        As for `dere.predict_sites`.
    data
        Table of months of some of the sites: ``site``, ``month`` and any of ``gpp``, ``reco``, ``nee``, ``quality``.
    allow_conflict
        Go on where the months contradict the prediction so much that the table looks wrong.

    Returns
    -------
    SitePredictions
        With ``calibration``: effects, members and what is said of each site; other sites are predicted as they are.

    Raises
    ------
    FileNotFoundError
        When a file or a part of the run is missing.
    ValueError
        When the table or a site is wrong, or the months contradict the prediction; one sentence.

    Examples
    --------
    >>> found = dere.calibrate_sites(dere.open_run("results/towers"), "mine.csv", "own.csv")  # doctest: +SKIP
    >>> found.calibration.effects  # doctest: +SKIP
    """
    if not Path(data).exists():
        raise FileNotFoundError(f"{data} does not exist, but a table of own months is expected; correct the path")
    found = predict_sites(run, sites, method, **choice)
    ids = found.dataset["site"].values.astype(str)
    months = read_own_months(Path(data), ids[0] if len(ids) == 1 else None)
    return calibrated(found, months, Path(data).name, run.exchange, allow_conflict=allow_conflict)


def calibrated(
    found: SitePredictions,
    months: dict[str, OwnMonths],
    source: str,
    exchange: Exchange,
    *,
    allow_conflict: bool = False,
) -> SitePredictions:
    """Sharpen predictions by months of some of their sites.

    Parameters
    ----------
    found
        From `dere.predict_sites`.
    months
        From `dere.ingest.tower.own_months.read_own_months`.
    source
        File of the months, for messages.
    exchange
        What is predicted.
    allow_conflict
        As for `calibrate_sites`.
    """
    _require_sites(found, months, source)
    dataset = found.dataset.sel(flux=list(exchange.names)).transpose("site", "time", "flux", ...).copy(deep=True)
    if not states_errors(dataset.attrs) or ERROR_SCALE not in dataset:
        raise ValueError(
            f"the predictions of {dataset.attrs['method']} state no error model, which own months need; predict the "
            "run again with this version, or choose a method without intervals of its own (for trees: members above 1)"
        )
    model = read_stated(dataset.attrs, exchange)
    dataset[BEFORE], dataset[STD_BEFORE] = dataset["prediction"].copy(), dataset[STD].copy()
    known_values = np.zeros((dataset.sizes["site"], dataset.sizes["time"]), np.int8)
    drawn = np.full((MEMBERS, len(months), dataset.sizes["time"], dataset.sizes["flux"]), np.nan)
    rows: list[dict[str, object]] = []
    lines: list[str] = []
    ids = dataset["site"].values.astype(str).tolist()
    for position, (site, own) in enumerate(months.items()):
        place = ids.index(site)
        inside = np.flatnonzero(dataset["record"].transpose("site", "time").values[place])
        mean = dataset["prediction"].values[place, inside].astype(np.float64)
        known = _on_record(own, month_number(dataset["time"].values)[inside], exchange, f"{source}: site {site}")
        errors = errors_of(dataset[ERROR_SCALE].values[place, inside].astype(np.float64), model, known.months)
        warned = _checked(mean, errors, known, f"{source}: site {site}", allow_conflict)
        before = condition(mean, errors, np.full(mean.shape, np.nan))
        after = condition(mean, errors, known.flux, known.quality)
        sharpened = truth_mean(after)
        std, values = truth_limits(sharpened, after.scale(), after.model, dataset["quantile"].values)
        dataset["prediction"].values[place, inside] = sharpened
        dataset[STD].values[place, inside] = std
        dataset[VALUES].values[place, inside] = values
        known_values[place, inside] = np.isfinite(known.flux).sum(1)
        rng = np.random.default_rng([0, crc32(site.encode())])
        drawn[:, position, inside] = members_of(after, rng, MEMBERS)
        for one in effects(mean, before, after, known.months % 12):
            rows.append({"site": site, **one._asdict(), "words": sentence(one)})
        narrower = _narrower(known, std, dataset[STD_BEFORE].values[place, inside])
        lines += [*warned, f"{site}: {_errors(mean, errors, known)}{narrower}"]
    dataset[OWN] = (("site", "time"), known_values)
    members = _members(drawn, list(months), dataset)
    return replace(found, dataset=dataset, calibration=Calibration(pd.DataFrame(rows), members, tuple(lines)))


def _require_sites(found: SitePredictions, months: dict[str, OwnMonths], source: str) -> None:
    """Refuse months of sites that are not predicted."""
    there = found.dataset["site"].values.astype(str).tolist()
    reasons = dict(zip(found.sites["site"], found.sites["reason"], strict=True))
    for site in months:
        if site not in there:
            why = f"is not predicted: {reasons[site]}" if site in reasons else "is none of the sites that are predicted"
            raise ValueError(
                f"{source}: site {site} {why}; predicted are {', '.join(there[:5])}"
                f"{', ...' if len(there) > 5 else ''}: correct the site's id, or remove its rows"
            )


def _on_record(own: OwnMonths, months: Months, exchange: Exchange, where: str) -> Known:
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


def _checked(mean: Array, errors: PlaceErrors, known: Known, where: str, allowed: bool) -> list[str]:
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


def _errors(mean: Array, errors: PlaceErrors, known: Known) -> str:
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


def _narrower(known: Known, std: Array, std_before: Array) -> str:
    """By how much intervals of the months that are not known became narrower."""
    others = ~np.isfinite(known.flux).any(1)
    if not others.any():
        return ""
    change = 1.0 - float(std[others].mean() / std_before[others].mean())
    return f"; intervals of the other months {abs(100 * change):.0f} % {'narrower' if change >= 0 else 'wider'}"


def _rmse(mean: Array, known: Array, months: Months, flux: int) -> float:
    return float(np.sqrt(np.nanmean((mean[months, flux] - known[months, flux]) ** 2)))


def _members(drawn: Array, sites: list[str], dataset: xr.Dataset) -> xr.Dataset:
    about = {"units": "gC m-2 d-1", "long_name": "joint series of the truth, of which every one closes"}
    return xr.Dataset(
        {"member_prediction": (("member", "site", "time", "flux"), drawn.astype(np.float32), about)},
        coords={"site": sites, "time": dataset["time"], "flux": dataset["flux"].values},
        attrs={name: dataset.attrs[name] for name in ("method", "backbone", "folds", "seeds", "run", "split")},
    )


def _month(number: int) -> str:
    return f"{number // 12}-{number % 12 + 1:02d}"
