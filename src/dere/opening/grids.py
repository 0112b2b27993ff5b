"""The tables of the page; the meaning of a column is that of `dere.tables`."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import pandas as pd

from dere.exchange.base import Exchange
from dere.opening.facts import NO_BACKBONE, Facts
from dere.opening.model import Cell, Grid, Head
from dere.opening.origin import web_address
from dere.opening.skill import NAN, Pair, Ratio, Score
from dere.opening.sure import SCALES, Coverage
from dere.opening.words import NONE, between, cell, duration, number, percent
from dere.tables.declared import FLUX, plain, tables


def head(text: str, table: str, column: str, flux_unit: str = "") -> Head:
    """Return the head of a column with the meaning and unit that are declared of it."""
    declared = tables()[table].column(column)
    if declared is None:
        return Head(text)
    unit = flux_unit if declared.unit == FLUX else declared.unit
    return Head(text, plain(declared.meaning) + (f" ({unit})" if unit not in ("", "1") else ""))


def method_grid(
    facts: Facts,
    exchange: Exchange,
    scores: Mapping[tuple[str, str, str], Score],
    ratios: Mapping[Pair, Ratio],
    simple: Mapping[str, str],
    comparison: pd.DataFrame | None,
) -> Grid:
    """One row per method: efficiency, error and ratio of each flux, cost and number of trials."""
    heads = [head("method", "skill", "method")]
    for flux in exchange.fluxes:
        name, bar = flux.name.upper(), facts.label(simple[flux.name]) if simple[flux.name] else ""
        heads += [
            head(f"{name} NSE", "comparison", "nse"),
            head(f"{name} RMSE", "comparison", "rmse", flux.unit),
            Head(f"{name} ratio", f"RMSE over that of {bar}. {head('', 'paired', 'rmse_ratio').meaning}".strip()),
        ]
    heads += [head("CPU time", "comparison", "cpu_seconds"), head("tried", "comparison", "tried")]
    spent = _spent(comparison)
    members = list(dict.fromkeys((method, backbone) for method, backbone, _ in scores))
    order = {name: place for place, name in enumerate(facts.methods)}
    members.sort(key=lambda member: order.get(member[0], len(order)))
    rows = []
    for member in members:
        cells = [Cell(facts.label(*member))]
        for of in exchange.names:
            score, bar = scores.get((*member, of)), simple[of]
            ratio = ratios.get((*member, bar, NO_BACKBONE, of), Ratio())
            cells += [
                Cell(number(score.nse) + between(score.low, score.high), score.nse) if score else Cell(NONE),
                cell(score.rmse) if score else Cell(NONE),
                Cell("1", 1.0)
                if member == (bar, NO_BACKBONE)
                else cell(ratio.value, 2, between(ratio.low, ratio.high)),
            ]
        seconds, tried = spent.get(member, (NAN, NAN))
        rows.append((*cells, Cell(duration(seconds), seconds if isfinite(seconds) else None), cell(tried, 0)))
    strong = frozenset(n for n, member in enumerate(members) if member == (facts.method, facts.backbone))
    note = (
        "Medians over towers, of the NSE with quartiles; ratios of RMSE at the same towers with 95 % intervals, below "
        "1 the row is better. The simple method of the highest NSE is chosen at these towers, so that it is a high bar."
    )
    return Grid(tuple(heads), tuple(rows), note, strong)


def _spent(comparison: pd.DataFrame | None) -> dict[tuple[str, str], tuple[float, float]]:
    """Return processor seconds of a training and number of trials of each (method, backbone)."""
    if comparison is None:
        return {}
    records: list[dict[str, Any]] = comparison.to_dict("records")  # type: ignore[assignment]
    return {(str(r["method"]), str(r["backbone"])): (float(r["cpu_seconds"]), float(r["tried"])) for r in records}


def coverage_grid(exchange: Exchange, held: Mapping[tuple[str, str], Coverage]) -> Grid:
    """One row per flux and scale: what the intervals hold, and how wide they are."""
    heads = [head("flux", "calibration", "flux"), head("of", "calibration", "scale")]
    heads += [head("50 %", "calibration", "coverage_50"), head("90 %", "calibration", "coverage_90")]
    heads += [Head("verdict", "whether 90 % lies in the interval of the coverage over towers")]
    heads += [head("width", "calibration", "width_90", exchange.fluxes[0].unit)]
    heads += [head("towers", "calibration", "sites"), head("values", "calibration", "periods")]
    rows = [
        (
            Cell(flux.upper()),
            Cell(name),
            Cell(percent(found.half), found.half),
            Cell(percent(found.most) + between(found.low, found.high, 0, 100), found.most),
            Cell(found.verdict or NONE),
            cell(found.width),
            cell(found.sites, 0),
            cell(found.periods, 0),
        )
        for flux in exchange.names
        for scale, name in SCALES.items()
        if (found := held.get((flux, scale)))
    ]
    return Grid(
        tuple(heads), tuple(rows), "Of the method shown above, at the same towers; width is that of the 90 % intervals."
    )


def tower_grid(towers: pd.DataFrame, exchange: Exchange) -> Grid:
    """One row per tower: its class, and its scores."""
    heads = [head(name, "site_skill", name) for name in ("site", "igbp", "koppen", "months")]
    for flux in exchange.fluxes:
        name = flux.name.upper()
        heads += [
            Head(f"{name} NSE", "of the method shown above"),
            Head(f"{name} RMSE", f"of the method ({flux.unit})"),
        ]
    rows = [
        (
            *(Cell(text(row[name])) for name in ("site", "igbp", "koppen")),
            cell(float(row["months"]), 0),
            *(cell(float(row[f"{score}_{flux}"])) for flux in exchange.names for score in ("nse", "rmse")),
        )
        for row in towers.to_dict("records")
    ]
    return Grid(tuple(heads), tuple(rows), "Of the method shown above; scores are averaged over folds and seeds.")


def source_grid(citations: pd.DataFrame | None) -> Grid:
    """One row per product or site that asks to be cited."""
    heads = [head(name, "citations", name) for name in ("product", "version", "licence", "citation", "sites")]
    if citations is None:
        return Grid(tuple(heads), ())
    rows = [
        (
            Cell(text(row["product"]), href=web_address(text(row["url"]))),
            *(Cell(text(row[name])) for name in ("version", "licence", "citation")),
            cell(float(row["sites"]), 0),
        )
        for row in citations.to_dict("records")
    ]
    return Grid(tuple(heads), tuple(rows))


def text(value: object) -> str:
    """Return a cell of a table as text; an empty one is empty."""
    return "" if value is None or value != value else str(value)
