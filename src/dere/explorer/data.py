"""All that the page shows, as one tree of plain values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

import dere.world  # the land polygons are its data; the import makes them part of what the page depends on
from dere.exchange.base import Exchange, Flux
from dere.explorer import series, towers
from dere.explorer.maps import map_data
from dere.opening.facts import Facts
from dere.opening.origin import origin
from dere.opening.skill import PLACES

FORMAT = 1
"""Of the tree; a page compares itself with pages of the same format only."""


class Sources(NamedTuple):
    """What a run has to show; None where it has none.

    Parameters
    ----------
    towers
        Canonical towers.
    predictions
        ``method/backbone`` to what opens its ``ensemble.nc``; one is open at a time.
    site_skill, sites
        Tables, with their names, folds and seeds as text.
    place
        Where the run is judged (`dere.opening.skill.PLACES`).
    products
        Flux to its public map; empty = the run has no map.
    filled
        ``towers_filled/monthly.nc``.
    neighbours
        Table.
    """

    towers: xr.Dataset
    predictions: Mapping[str, Callable[[], xr.Dataset]]
    site_skill: pd.DataFrame
    sites: pd.DataFrame
    place: str
    products: Mapping[str, xr.Dataset]
    filled: xr.Dataset | None = None
    neighbours: pd.DataFrame | None = None


def build(facts: Facts, sources: Sources, exchange: Exchange) -> dict[str, Any]:
    """Return the tree of an exchange of a run.

    Parameters
    ----------
    facts
        How methods are called, what the run reads.
    sources
        What is shown.
    exchange
        What is predicted.
    """
    times = pd.DatetimeIndex(sources.towers["time"].values)
    rows = towers.scored_rows(sources.site_skill, sources.place)
    known = towers.chosen(sources.towers, sources.sites, sources.site_skill, set(rows["site"]))
    fluxes, members = exchange.names, list(sources.predictions)
    count, all_intervals = series.fitting(len(known), len(times), len(fluxes), len(members))
    names = known[:count]
    given = f"{facts.method}/{facts.backbone}"
    predictions = {}
    for member, opened in sources.predictions.items():
        with opened() as file:
            own_interval = all_intervals or member == given
            predictions[member] = series.predicted(file, names, times, exchange, own_interval)
    return {
        "format": FORMAT,
        "run": facts.run,
        "exchange": facts.exchange,
        "origin": origin(facts),
        "invented": facts.invented,
        "tested": PLACES[sources.place],
        "given": given,
        "fluxes": [_flux(flux) for flux in exchange.fluxes],
        "methods": [{"key": member, "label": facts.label(*member.split("/"))} for member in members],
        "months": list(times.strftime("%Y-%m")),
        "map": map_data(sources.products, exchange) if sources.products else None,
        "land": land(),
        "towers": towers.described(names, sources.towers, sources.sites),
        "left_out": len(known) - len(names),
        "all_intervals": all_intervals,
        "observed": series.observed(sources.towers, names, exchange),
        "filled": series.filled(sources.filled, names, times, exchange),
        "predicted": predictions,
        "scores": towers.scores(rows, names, members, fluxes),
        "neighbours": towers.neighbours(sources.neighbours, names),
        "method_labels": {name: one.label for name, one in facts.methods.items()},
    }


def land() -> list[list[list[float]]]:
    """Return the outlines of land as rings of (longitude, latitude) in degrees with two decimals."""
    text = (resources.files(dere.world) / "land.json").read_text(encoding="utf-8")
    return [np.asarray(ring).round(2).tolist() for polygon in json.loads(text)["coordinates"] for ring in polygon]


def _flux(flux: Flux) -> dict[str, Any]:
    """What the page must know of a flux; it is signed where it goes both ways, beyond noise about zero."""
    low, high = flux.valid
    return {"name": flux.name, "long_name": flux.long_name, "unit": flux.unit, "signed": -low > 0.5 * high}
