"""Months and annual sums of one's own sharpen the predictions of one's own sites, as ``dere calibrate`` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.api.own_month_checks import Known, checked, errors_told, narrower, on_record
from dere.api.own_site_errors import ERROR_SCALE
from dere.api.own_sites import SitePredictions, predict_sites
from dere.api.own_sum_checks import on_months, sums_told
from dere.api.run import Run
from dere.exchange import Exchange
from dere.harmonise.axis import month_number
from dere.ingest.tower.own_months import OwnMonths, read_own_months
from dere.ingest.tower.own_sums import YearSum, read_own_sums
from dere.intervals.site_calibration import condition, errors_of
from dere.intervals.site_effects import effects, sentence
from dere.intervals.site_members import members_of, truth_mean
from dere.intervals.site_sums import with_sums
from dere.intervals.spread import STD, VALUES, truth_limits
from dere.intervals.stated import read_stated, states_errors
from dere.products.own_site_files import BEFORE, OWN, STD_BEFORE, Calibration

Array = NDArray[np.float64]

MEMBERS = 40
"""Joint series that are drawn of each site."""


def calibrate_sites(
    run: Run,
    sites: str | Path | Sequence[str | Path],
    data: str | Path | None = None,
    method: str | None = None,
    *,
    annual: str | Path | None = None,
    allow_conflict: bool = False,
    **choice: Any,
) -> SitePredictions:
    """Predict sites as `dere.predict_sites` does, sharpened by months, or annual sums, of their own.

    Parameters
    ----------
    run, sites, method, choice
        As for `dere.predict_sites`.
    data
        Table of months of some of the sites: ``site``, ``month`` and any of ``gpp``, ``reco``, ``nee``, ``quality``.
    annual
        Table of annual sums of some of the sites: ``site``, ``year`` and any of ``gpp``, ``reco``, ``nee`` (gC m-2 per
        year) with ``gpp_std``, ``reco_std``, ``nee_std``. At least one of ``data`` and ``annual`` is needed.
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
        When a table or a site is wrong, or the months contradict the prediction; one sentence.

    Examples
    --------
    >>> found = dere.calibrate_sites(dere.open_run("results/towers"), "mine.csv", "own.csv")  # doctest: +SKIP
    >>> found.calibration.effects  # doctest: +SKIP
    """
    for path, what in ((data, "own months"), (annual, "annual sums")):
        if path is not None and not Path(path).exists():
            raise FileNotFoundError(f"{path} does not exist, but a table of {what} is expected; correct the path")
    if data is None and annual is None:
        raise ValueError("neither own months nor annual sums are given; give a table of either (data, annual)")
    found = predict_sites(run, sites, method, **choice)
    ids = found.dataset["site"].values.astype(str)
    only = ids[0] if len(ids) == 1 else None
    months = {} if data is None else read_own_months(Path(data), only)
    sums = {} if annual is None else read_own_sums(Path(annual), only)
    names = "" if data is None else Path(data).name, "" if annual is None else Path(annual).name
    return calibrated(found, months, sums, names, run.exchange, allow_conflict=allow_conflict)


def calibrated(
    found: SitePredictions,
    months: Mapping[str, OwnMonths],
    sums: Mapping[str, Sequence[YearSum]],
    sources: tuple[str, str],
    exchange: Exchange,
    *,
    allow_conflict: bool = False,
) -> SitePredictions:
    """Sharpen predictions by months and annual sums of some of their sites.

    Parameters
    ----------
    found
        From `dere.predict_sites`.
    months
        From `dere.ingest.tower.own_months.read_own_months`.
    sums
        From `dere.ingest.tower.own_sums.read_own_sums`.
    sources
        Files of the months and of the sums, for messages.
    exchange
        What is predicted.
    allow_conflict
        As for `calibrate_sites`.
    """
    for known_sites, source in zip((months, sums), sources, strict=True):
        _require_sites(found, known_sites, source)
    dataset = found.dataset.sel(flux=list(exchange.names)).transpose("site", "time", "flux", ...).copy(deep=True)
    if not states_errors(dataset.attrs) or ERROR_SCALE not in dataset:
        raise ValueError(
            f"the predictions of {dataset.attrs['method']} state no error model, which own months need; predict the "
            "run again with this version, or choose a method without intervals of its own (for trees: members above 1)"
        )
    model = read_stated(dataset.attrs, exchange)
    dataset[BEFORE], dataset[STD_BEFORE] = dataset["prediction"].copy(), dataset[STD].copy()
    known_values = np.zeros((dataset.sizes["site"], dataset.sizes["time"]), np.int8)
    own_sites = sorted({*months, *sums})
    drawn = np.full((MEMBERS, len(own_sites), dataset.sizes["time"], dataset.sizes["flux"]), np.nan)
    rows: list[dict[str, object]] = []
    lines: list[str] = []
    ids = dataset["site"].values.astype(str).tolist()
    for position, site in enumerate(own_sites):
        place = ids.index(site)
        inside = np.flatnonzero(dataset["record"].transpose("site", "time").values[place])
        mean = dataset["prediction"].values[place, inside].astype(np.float64)
        of_months, of_sums = (f"{source}: site {site}" for source in sources)
        axis = month_number(dataset["time"].values)[inside]
        known = on_record(months[site], axis, exchange, of_months) if site in months else _nothing(axis, mean)
        errors = errors_of(dataset[ERROR_SCALE].values[place, inside].astype(np.float64), model, axis)
        lines += checked(mean, errors, known, of_months, allow_conflict)
        before = condition(mean, errors, np.full(mean.shape, np.nan))
        by_months = condition(mean, errors, known.flux, known.quality)
        totals = on_months(sums.get(site, ()), dataset["time"].values[inside], exchange, of_sums)
        after = with_sums(by_months, [total for _, total in totals])
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
        lines += sums_told(by_months, after, sharpened, totals, site)
        if site in months:
            changed = narrower(known, std, dataset[STD_BEFORE].values[place, inside])
            lines.append(f"{site}: {errors_told(mean, errors, known)}{changed}")
    dataset[OWN] = (("site", "time"), known_values)
    members = _members(drawn, own_sites, dataset)
    return replace(found, dataset=dataset, calibration=Calibration(pd.DataFrame(rows), members, tuple(lines)))


def _nothing(months: NDArray[np.int64], mean: Array) -> Known:
    """No known month on the months of a record."""
    return Known(months, np.full(mean.shape, np.nan), np.zeros(mean.shape), 0)


def _require_sites(found: SitePredictions, known: Mapping[str, Any], source: str) -> None:
    """Refuse what is known of sites that are not predicted."""
    there = found.dataset["site"].values.astype(str).tolist()
    reasons = dict(zip(found.sites["site"], found.sites["reason"], strict=True))
    for site in known:
        if site not in there:
            why = f"is not predicted: {reasons[site]}" if site in reasons else "is none of the sites that are predicted"
            raise ValueError(
                f"{source}: site {site} {why}; predicted are {', '.join(there[:5])}"
                f"{', ...' if len(there) > 5 else ''}: correct the site's id, or remove its rows"
            )


def _members(drawn: Array, sites: list[str], dataset: xr.Dataset) -> xr.Dataset:
    about = {"units": "gC m-2 d-1", "long_name": "joint series of the truth, of which every one closes"}
    return xr.Dataset(
        {"member_prediction": (("member", "site", "time", "flux"), drawn.astype(np.float32), about)},
        coords={"site": sites, "time": dataset["time"], "flux": dataset["flux"].values},
        attrs={name: dataset.attrs[name] for name in ("method", "backbone", "folds", "seeds", "run", "split")},
    )
