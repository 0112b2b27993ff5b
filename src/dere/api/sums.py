"""Intervals of sums over months and cells that a user asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.api.arguments import require
from dere.api.own_site_errors import mean_model
from dere.api.own_sites import method_of
from dere.api.place import place_of
from dere.api.run import Run
from dere.evaluation.total_columns import of_a_day, summable, total_unit
from dere.harmonise.axis import month_number
from dere.harmonise.site_roles import COORDINATE, SEEN
from dere.intervals.calibrator import Calibrator
from dere.intervals.neighbours import regions_of
from dere.intervals.spread import label_scale, truth_limits
from dere.intervals.stated import read_stated
from dere.intervals.totals import std_of_total
from dere.products.annual import cell_errors
from dere.products.total_intervals import limits_of_totals, novelty_of, square_metre_days

Array = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""South, north, west and east in degrees; west may lie east of east, across the date line."""
COLUMNS = ("place", "flux", "first", "last", "months", "total", "std", "low", "high", "unit")


def interval(
    run: Run,
    sites: str | Sequence[str] | None = None,
    *,
    box: Box | None = None,
    first: str | None = None,
    last: str | None = None,
    method: str | None = None,
    backbone: str | None = None,
    level: float = 0.9,
) -> pd.DataFrame:
    """Sum of predicted fluxes over months, of sites or of the cells in a box, with its interval.

    Errors of months go together by the kernel of the method's error model, errors of cells by what towers have in
    common (``docs/intervals.md``). Intervals are of the truth. Of several folds and seeds, those that have not seen a
    site are joined: means are averaged, and the scatter between them widens the interval. GPP and RECO are never
    negative in it.

    Parameters
    ----------
    run
        From `dere.open_run`.
    sites
        Sites of the run, each by itself; None = the cells.
    box
        South, north, west, east of the cells that count; None = all.
    first, last
        Months, as ``2001-01``; default the whole record of a site, or all months of the cells.
    method
        Default the product's (``products.method``).
    backbone
        The first of the run by default.
    level
        Of the central interval.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``, a row per place and flux: sites in gC m-2, cells in the unit of the totals (PgC).

    Raises
    ------
    FileNotFoundError
        When the run has no such predictions.
    ValueError
        When a site is unknown or seen by all models, a month is not predicted, the box holds no cell, or the
        predictions state no error model.

    Examples
    --------
    >>> dere.interval(dere.open_run("results/demo"), "FI-Hyy", first="2005-01", last="2005-12")  # doctest: +SKIP
    """
    require("run", run, Run, "dere.open_run")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}, but must lie between 0 and 1; 0.9 is the interval from 5 to 95 %")
    if sites is not None and box is not None:
        raise ValueError("both sites and box are given; ask for one of them at a time")
    chosen = method_of(run, method)
    on = str(place_of(run.tree, chosen, backbone)["backbone"])
    fits = [(fold, seed) for fold in run.tree["folds"] for seed in run.tree["seeds"]]
    if sites is None:
        return _of_cells(run, chosen.name, on, fits, box, (first, last), level)
    names = [sites] if isinstance(sites, str) else list(sites)
    if not names:
        raise ValueError("sites is empty, but at least one site is expected; name sites, or leave it out for the cells")
    rows = [_of_site(run, chosen.name, on, fits, site, (first, last), level) for site in names]
    return pd.concat(rows, ignore_index=True)


Fits = list[tuple[int, int]]
Span = tuple[str | None, str | None]


def _of_site(run: Run, method: str, backbone: str, fits: Fits, site: str, span: Span, level: float) -> pd.DataFrame:
    names = list(run.exchange.names)
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    models, totals, scales = [], [], []
    months: NDArray[np.datetime64] = np.zeros(0, "datetime64[M]")
    for fold, seed in fits:
        with run.predictions(method, backbone, fold, seed) as file:
            if site not in file["site"].values:
                raise ValueError(f"{site} is no site of {run.name}; tables/sites.csv lists them")
            here = file.sel(site=[site], flux=names)
            if str(here[COORDINATE].values[0]) == SEEN:
                continue
            here = here[["prediction", "std"]].load()
            model = read_stated(file.attrs, run.exchange)
        inside = _months(here, here["prediction"].notnull().all("flux").values[0], span, site)
        days = pd.DatetimeIndex(here["time"].values[inside]).days_in_month.to_numpy(float)
        mean = here["prediction"].transpose("site", "time", "flux").values[:, inside]
        scale = label_scale(here, model)
        waves = model.waves(scale)
        months = here["time"].values[inside]
        models.append(model)
        scales.append(model.truth.scale_of_sum(scale[:, inside], days, month_number(months), waves)[0])
        totals.append(np.einsum("ptf,t->pf", mean, days)[0])
    if not totals:
        raise ValueError(
            f"every model of {run.name} has seen the labels of {site}, so that no prediction of it is one of an unseen "
            "site; run its fold too (folds), or ask for another site"
        )
    units = [flux.unit.removesuffix(" d-1") for flux in run.exchange.fluxes]
    return _rows(site, names, months, joined(models, np.stack(totals), np.stack(scales), tails), units)


def joined(
    models: Sequence[Calibrator], totals: Array, scales: Array, tails: Array
) -> tuple[Array, Array, Array, Array]:
    """Mean, standard deviation and both ends of the interval of a site's sum by several files, each (flux,).

    Parameters
    ----------
    models
        Error model of each file.
    totals, scales
        (file, flux) sum, and scale of the truth's error without the cut at zero.
    tails
        (2,) levels of the ends.
    """
    model = mean_model(models)
    mean, between = totals.mean(0), totals.var(0, ddof=1) if len(totals) > 1 else 0.0
    scale = np.sqrt((scales**2).mean(0) + between / float(model.std(np.ones(()))) ** 2)
    std, ends = truth_limits(mean, scale, model, tails)
    return mean, std, ends[:, 0], ends[:, 1]


def _of_cells(
    run: Run, method: str, backbone: str, fits: Fits, box: Box | None, span: Span, level: float
) -> pd.DataFrame:
    exchange = run.exchange
    drivers, area = run.drivers, run.cover[exchange.area]
    fluxes = summable(exchange)
    at = [exchange.names.index(flux.name) for flux in fluxes]
    unit = np.array([of_a_day(flux, exchange) for flux in fluxes])
    means, variances = [], []
    months: NDArray[np.datetime64] = np.zeros(0, "datetime64[M]")
    for fold, seed in fits:
        with run.predictions(method, backbone, fold, seed, cells=True) as file:
            file = file.isel(cell=_inside(file, drivers, box))
            file = file.load()
        here = drivers.sel(cell=file["cell"]).load()
        inside = _months(file, file["prediction"].notnull().all(("cell", "flux")).values, span, "the cells")
        known = cell_errors(file, exchange)
        if known is None:
            raise ValueError(f"predictions of {method} state no error model; predict again with this version")
        model, scale = known
        weight = square_metre_days(file, area, here)[:, inside]
        months = file["time"].values[inside]
        where = regions_of(here, "cell")
        std = std_of_total(
            model, scale[:, inside], weight, where, month_number(months), model.waves(scale), novelty_of(file)
        )
        values = file["prediction"].sel(flux=list(exchange.names)).transpose("cell", "time", "flux").values[:, inside]
        means.append((np.nan_to_num(values) * weight[..., None]).sum((0, 1))[at] * unit)
        variances.append((std[at] * unit) ** 2)
    between = np.var(means, axis=0, ddof=1) if len(means) > 1 else 0.0
    total, std_total = np.mean(means, axis=0), np.sqrt(np.mean(variances, axis=0) + between)
    cut = [flux.name in exchange.magnitude for flux in fluxes]
    ends = limits_of_totals(total, std_total, np.array(cut, bool), ((1 - level) / 2, (1 + level) / 2))
    place = "all cells" if box is None else "cells {:g} to {:g} N, {:g} to {:g} E".format(*box)
    about = total, std_total, ends[..., 0], ends[..., 1]
    return _rows(place, [flux.name for flux in fluxes], months, about, [total_unit(exchange)] * len(fluxes))


def _rows(
    place: str,
    names: Sequence[str],
    months: NDArray[np.datetime64],
    numbers: tuple[Array, Array, Array, Array],
    units: Sequence[str],
) -> pd.DataFrame:
    total, std, low, high = numbers
    ends = months[[0, -1]].astype("datetime64[M]").astype(str)
    about = {"place": place, "flux": list(names), "first": ends[0], "last": ends[1], "months": len(months)}
    return pd.DataFrame({**about, "total": total, "std": std, "low": low, "high": high, "unit": list(units)})


def _months(file: xr.Dataset, predicted: NDArray[np.bool_], span: Span, place: str) -> NDArray[np.int64]:
    """Positions of the months asked for.

    Raises
    ------
    ValueError
        When a month is none, or is not predicted.
    """
    there = file["time"].values.astype("datetime64[M]")
    known = np.flatnonzero(predicted)
    if not len(known):
        raise ValueError(f"{place} has no predicted month in the run; ask for another place")
    ends = [there[known[0]], there[known[-1]]]
    for index, given in enumerate(span):
        if given is None:
            continue
        try:
            ends[index] = np.datetime64(given, "M")
        except ValueError:
            raise ValueError(f"{given} is no month; give one like 2005-01") from None
    if ends[1] < ends[0]:
        raise ValueError(f"the last month, {ends[1]}, lies before the first, {ends[0]}; exchange them")
    wanted = np.arange(ends[0], ends[1] + 1)
    rows = np.flatnonzero(np.isin(there, wanted) & predicted)
    if len(rows) != len(wanted):
        raise ValueError(
            f"{place} is predicted in {len(rows)} of the {len(wanted)} months from {ends[0]} to {ends[1]} (its record "
            f"runs from {there[known[0]]} to {there[known[-1]]}); ask for months within it"
        )
    return rows


def _inside(file: xr.Dataset, drivers: xr.Dataset, box: Box | None) -> NDArray[np.int64]:
    """Positions of the cells in a box, by their centres.

    Raises
    ------
    ValueError
        When the box is none, or holds no cell.
    """
    here = drivers[["lat", "lon"]].sel(cell=file["cell"])
    lat, lon = here["lat"].values, here["lon"].values
    if box is None:
        return np.arange(len(lat))
    south, north, west, east = box
    if not (-90 <= south < north <= 90):
        raise ValueError(
            f"box: south {south:g} and north {north:g} are no latitudes in order; give south north west east"
        )
    if east == west:
        raise ValueError(
            f"box: west {west:g} and east {east:g} are the same, so that it has no width; give south north west east "
            "(-180 180 for all longitudes)"
        )
    width = (east - west) % 360.0 or 360.0
    found = np.flatnonzero((lat >= south) & (lat <= north) & ((lon - west) % 360.0 <= width))
    if not len(found):
        raise ValueError(
            f"box {south:g} {north:g} {west:g} {east:g} holds the centre of no predicted cell; widen it (degrees "
            "south, north, west, east)"
        )
    return found
