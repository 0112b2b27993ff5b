"""Put the page together from the tables of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from dere.exchange.base import Exchange, Flux
from dere.opening import cost, origin, skill, sure, where
from dere.opening.facts import NO_BACKBONE, Facts
from dere.opening.grids import coverage_grid, method_grid, source_grid, tower_grid
from dere.opening.model import Card, Cell, Link, Page
from dere.opening.words import NONE, between, counted, number, percent
from dere.words import listed

SOFTWARE = "this software (CITATION.cff) and the data that the run read (below)"
"""What is cited beside the method."""


class Tables(NamedTuple):
    """Tables of a run; None where it has none."""

    skill: pd.DataFrame
    paired: pd.DataFrame | None = None
    comparison: pd.DataFrame | None = None
    calibration: pd.DataFrame | None = None
    site_skill: pd.DataFrame | None = None
    roles: pd.DataFrame | None = None
    cost: pd.DataFrame | None = None
    citations: pd.DataFrame | None = None


NEEDED: dict[str, tuple[str, ...]] = {
    "skill": skill.SKILL,
    "paired": skill.PAIRED,
    "comparison": ("method", "backbone", "grouping", "flux", "cpu_seconds", "tried"),
    "calibration": sure.CALIBRATION,
    "site_skill": where.SITE_SKILL,
    "roles": where.ROLES,
    "cost": cost.COST,
    "citations": origin.CITATIONS,
}
"""Table to the columns that the page reads."""


def build(
    facts: Facts,
    tables: Tables,
    exchange: Exchange,
    pictures: Mapping[str, str],
    links: Mapping[str, Sequence[Link]],
    others: Sequence[Link] = (),
) -> Page:
    """Return the page of an exchange of a run.

    Parameters
    ----------
    facts
        What the tables do not say.
    tables
        What they say; fold, seed, site and id as text.
    exchange
        What is predicted.
    pictures
        Flux to its map of the towers, as a ``data:`` address.
    links
        Title to files of the run.
    others
        Pages of the other exchanges of the run.
    """
    place, rows = skill.pooled(tables.skill)
    scores = skill.scores(rows)
    ratios = skill.ratios(tables.paired, place)
    simple = {name: skill.best_simple(scores, name, facts) for name in exchange.names}
    held = sure.coverages(tables.calibration, place, facts)
    table = where.towers(tables.site_skill, place, facts, exchange.names)
    mine = {flux: scores.get((facts.method, facts.backbone, flux)) for flux in exchange.names}
    grids = {
        "All methods": method_grid(facts, exchange, scores, ratios, simple, tables.comparison),
        "Intervals": coverage_grid(exchange, held),
        "Every tower": tower_grid(table, exchange),
        "Data to cite": source_grid(tables.citations),
    }
    return Page(
        run=facts.run,
        exchange=facts.exchange,
        origin=origin.origin(facts),
        invented=facts.invented,
        lead=_lead(facts, tables.skill, place, [score.sites for score in mine.values() if score]),
        cards=[
            Card(
                title=flux.name.upper(),
                name=flux.long_name,
                nse=number(score.nse) + between(score.low, score.high) if score else NONE,
                rmse=f"{number(score.rmse)} {flux.unit}" if score else NONE,
                versus=_versus(flux, facts, simple[flux.name], ratios),
                sure=_sure(flux, held),
                picture=pictures.get(flux.name, ""),
                about=f"Map of {counted(len(table), skill.PLACES[place])} by the NSE of {flux.name.upper()}",
            )
            for flux, score in zip(exchange.fluxes, mine.values(), strict=True)
        ],
        cost=cost.sentence(tables.cost, _training(facts, tables.comparison)),
        cite=[*(Cell(text, href=origin.web_address(text)) for text in facts.references), Cell(SOFTWARE)],
        grids={title: grid for title, grid in grids.items() if grid.rows},
        links=dict(links),
        others=others,
    )


def _lead(facts: Facts, table: pd.DataFrame, place: str, sites: list[int]) -> str:
    """Say which method is shown, and on how many places that no stage has seen."""
    runs = table[(table["fold"] != "all") & (table["seed"] != "all")]
    times = [counted(max(runs[name].nunique(), 1), name) for name in ("fold", "seed")] if len(runs) else []
    behind = "".join(f", {text}" for text in times)
    towers = counted(max(sites, default=0), skill.PLACES[place])
    return f"{facts.shown}: monthly fluxes at {towers} whose labels no stage has seen{behind}."


def _versus(flux: Flux, facts: Facts, simple: str, ratios: Mapping[skill.Pair, skill.Ratio]) -> str:
    """Say how the shown method stands to the best simple one."""
    if not simple:
        return "The run has no other simple method to compare with."
    found = ratios.get((facts.method, facts.backbone, simple, NO_BACKBONE, flux.name), skill.Ratio())
    name = facts.label(simple)
    if not found.value > 0:
        return f"No pair with {name}, the best simple method."
    verdict = f": {found.verdict}" if found.verdict else ""
    interval = between(found.low, found.high)
    return f"RMSE {number(found.value)}{interval} times that of {name}, the best simple method{verdict}."


def _sure(flux: Flux, held: Mapping[tuple[str, str], sure.Coverage]) -> str:
    """Say what the intervals hold."""
    found = {name: held[flux.name, scale] for scale, name in sure.SCALES.items() if (flux.name, scale) in held}
    if not found:
        return "This method states no intervals."
    most = [f"{percent(one.most)}{between(one.low, one.high, 0, 100)} of {name}" for name, one in found.items()]
    half = [percent(one.half) for one in found.values()]
    return f"{percent(0.9)} intervals hold {listed(most)}; {percent(0.5)} intervals {listed(half)}."


def _training(facts: Facts, comparison: pd.DataFrame | None) -> float:
    """Processor seconds of one training of the shown method; NaN where nothing is recorded."""
    if comparison is None:
        return float("nan")
    mine = (comparison["method"] == facts.method) & (comparison["backbone"] == facts.backbone)
    found = comparison.loc[mine, "cpu_seconds"].dropna()
    return float(found.iloc[0]) if len(found) else float("nan")
