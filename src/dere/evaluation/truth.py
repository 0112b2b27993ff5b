"""What predictions are scored against: good measured months, second opinions, and the built-in world's truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from dere.evaluation.predictions import sites_with_role
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig


@dataclass(frozen=True)
class Reference:
    """One set of values to score against.

    Parameters
    ----------
    rows
        ``measured``, ``daytime``, ``cold``, ``odd``, ``with_odd``, ``virtual`` or ``map``: which rows these are.
    quality
        Quality threshold behind them; NaN for truth.
    values
        (site, time, flux) in the units of the exchange, NaN where nothing is scored.
    minimum_months
        Values a site needs for a score.
    """

    rows: str
    quality: float
    values: xr.DataArray
    minimum_months: int


def references(
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: EvaluationConfig,
    truth: xr.Dataset | None = None,
    exchange: Exchange = CO2,
) -> list[Reference]:
    """All references of one fold.

    Labels count in months of quality >= threshold only, each flux by its own, and at test towers only, never
    gap-filled or imputed ones. Months that do not fit a tower's own record (``dere.harmonise.odd_months``) are in no
    reference but their own and, together with all others, in ``with_odd``.

    Parameters
    ----------
    towers
        Canonical towers.
    members
        Roles of the fold.
    config
        Thresholds and minimum counts; ``testing_quality[0]`` is the main threshold.
    truth
        The world's ``data/truth.nc``; adds the virtual towers.
    exchange
        What is judged. Rows of a second partitioning and of cold months are there where the towers bring them.

    Raises
    ------
    ValueError
        When ``minimum_measured`` is set and no tower file states the share of measured records.
    """
    test = towers.sel(site=[s for s in sites_with_role(members, ("test",)) if s in set(towers["site"].values)])
    names = list(exchange.names)
    labels = test["flux_value"].sel(flux=names).transpose("site", "time", "flux")
    record = test["record"].astype(bool)
    if config.minimum_measured is not None:
        if "flux_measured" not in test:
            raise ValueError(
                f"evaluation.minimum_measured is {config.minimum_measured:g}, but no tower file states the share of "
                "measured records; bring half-hourly files or set it to null"
            )
        record &= test["flux_measured"] >= config.minimum_measured
    main, *_ = config.testing_quality

    quality_of = test["flux_quality"].sel(flux=names)

    def measured(values: xr.DataArray, quality: float) -> xr.DataArray:
        return values.where(record & (quality_of >= quality)).transpose("site", "time", "flux")

    found = [Reference("measured", q, measured(labels, q), config.minimum_months) for q in config.testing_quality]
    if "flux_daytime" in test and bool(test["flux_daytime"].notnull().any()):
        daytime = test["flux_daytime"].sel(flux=names)
        found.append(Reference("daytime", main, measured(daytime, main), config.minimum_months))
    if "flux_odd" in test:
        odd = test["flux_odd"].sel(flux=names)
        found.append(Reference("odd", main, measured(odd, main), 1))
        found.append(Reference("with_odd", main, measured(labels.fillna(odd), main), config.minimum_months))
    if "air_temperature" in test:
        cold = measured(labels, main).where(test["air_temperature"] < config.cold_temperature)
        values = cold.transpose("site", "time", "flux")
        found.append(Reference("cold", main, values, config.minimum_cold_months))
    if truth is not None and truth.sizes.get("site", 0):
        found.append(virtual_reference(towers, members, truth, config, exchange))
    return [reference for reference in found if reference.values.sizes["site"]]


def virtual_reference(
    towers: xr.Dataset,
    members: pd.DataFrame,
    truth: xr.Dataset,
    config: EvaluationConfig,
    exchange: Exchange = CO2,
) -> Reference:
    """True fluxes of the virtual towers, over the months of their records.

    Raises
    ------
    ValueError
        When the truth lacks a month of the towers' axis.
    """
    predicted = set(sites_with_role(members, ("predict",)))
    sites = [s for s in truth["site"].values.astype(str) if s in predicted]
    values = truth["flux_value"].sel(site=sites, flux=list(exchange.names))
    months = values["time"].values.astype("datetime64[M]")
    wanted = towers["time"].values.astype("datetime64[M]")
    aligned = values.assign_coords(time=months.astype("datetime64[ns]")).reindex(time=wanted.astype("datetime64[ns]"))
    aligned = aligned.assign_coords(time=towers["time"].values)
    record = towers["record"].sel(site=sites).astype(bool)
    if bool((aligned.isnull().any("flux") & record).any()):
        raise ValueError(
            f"truth.nc lacks months of the virtual towers' records (truth runs from {months.min()} to {months.max()}); "
            "make truth and towers from one world"
        )
    return Reference(
        "virtual", float("nan"), aligned.where(record).transpose("site", "time", "flux"), config.minimum_months
    )
