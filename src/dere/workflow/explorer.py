"""Write the explorer of a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from dere.exchange import get
from dere.exchange.base import Exchange
from dere.explorer.data import Sources, build
from dere.explorer.html import html
from dere.explorer.towers import NEIGHBOURS, SITE_SKILL, SITES
from dere.io import read_netcdf, write_atomically
from dere.opening.facts import Facts, Known
from dere.opening.where import ROWS
from dere.workflow.shown_tables import read

log = logging.getLogger(__name__)


def write_explorer(
    files: Mapping[str, Path],
    predictions: Sequence[Path],
    page: Path,
    facts: Mapping[str, Any],
    back: str,
) -> None:
    """Write the page of an exchange.

    Parameters
    ----------
    files
        ``towers``, ``site_skill`` and ``sites``; where the run has them ``products`` (their folder), ``filled`` and
        ``neighbours``.
    predictions
        ``predictions/<method>/<backbone>/ensemble.nc``.
    page
        File to write.
    facts
        From `dere.workflow.opening_plan.facts`.
    back
        Path of the first page from the folder of this one.

    Raises
    ------
    ValueError, FileNotFoundError
        When a file cannot be read, or lacks what the page shows.
    """
    known = Facts(**{**facts, "methods": {name: Known(**one) for name, one in facts["methods"].items()}})
    exchange = get(known.exchange)
    scores = read(files["site_skill"], SITE_SKILL, only=True)
    found = set(scores["rows"])
    with ExitStack() as still:
        sources = Sources(
            towers=still.enter_context(read_netcdf(files["towers"], load=False)),
            predictions={"/".join(path.parts[-3:-1]): partial(read_netcdf, path, load=False) for path in predictions},
            site_skill=scores,
            sites=read(files["sites"], SITES, only=True),
            place=next((place for place, rows in ROWS.items() if rows in found), "all"),
            products=maps_of(files["products"], exchange, still) if "products" in files else {},
            filled=still.enter_context(read_netcdf(files["filled"], load=False)) if "filled" in files else None,
            neighbours=read(files["neighbours"], NEIGHBOURS, only=True) if "neighbours" in files else None,
        )
        data = build(known, sources, exchange)
    text = html(data, back)
    write_atomically(page, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    cells = f"{len(data['map']['cells'])} cells" if data["map"] else "no map"
    log.info("%s: %d towers, %s, %.1f MB", page.name, len(data["towers"]), cells, len(text) / 1e6)


def maps_of(folder: Path, exchange: Exchange, still: ExitStack) -> dict[str, xr.Dataset]:
    """Open the monthly map of each flux; one whose file is not there is left out."""
    found = {flux.name: sorted(folder.glob(f"{flux.stem}_mon_*.nc")) for flux in exchange.fluxes}
    return {
        name: still.enter_context(read_netcdf(paths[0], load=False)) for name, paths in found.items() if len(paths) == 1
    }
