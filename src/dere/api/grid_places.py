"""Cells of fields of one's own as places that the models of a run read, and why some of them are none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from dere.api.own_site_models import NO_SPLIT, places_of, reads_simulation
from dere.api.own_sites import settings_of
from dere.api.run import Run
from dere.harmonise import known_cells
from dere.harmonise.axis import calendar_years
from dere.harmonise.cover import SUM_TOLERANCE
from dere.harmonise.field_axes import COVER
from dere.harmonise.fields import NEEDED, Fields
from dere.harmonise.interim import Cover
from dere.harmonise.own_sites import own_sites
from dere.intervals.neighbours import CLIMATE
from dere.methods import Method
from dere.products.map_blocks import about_cells
from dere.training.places import Places
from dere.training.read_places import cell_places
from dere.variables import SATELLITE


class Cells(NamedTuple):
    """Cells of a block.

    Parameters
    ----------
    number, lat, lon
        (cell,) of all cells of the block.
    land
        (cell,) whether any driver is there and any of it is land.
    lost
        Cell number to the sentence that says why it is not predicted.
    places
        Those that are; None = none.
    about
        Of these: coordinates `ABOUT`, the share of the land that fluxes are per (cell, year), and the mean annual cycle
        of `CLIMATE` (cell, 12).
    filled
        What was taken from elsewhere: text to number of cells.
    """

    number: NDArray[np.int64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    land: NDArray[np.bool_]
    lost: dict[int, str]
    places: Places | None
    about: xr.Dataset | None
    filled: dict[str, int]


def cells_of(run: Run, method: Method, fields: Fields, rows: slice, unseen: bool) -> Cells:
    """Make a block of fields ready.

    Parameters
    ----------
    run, method
        Whose models read the places.
    fields
        Of one's own.
    rows
        One of ``fields.blocks``.
    unseen
        Cells without any satellite month are predicted although the models have learned from no such tower.

    Raises
    ------
    ValueError
        When the run's models cannot predict such fields at all.
    """
    block = fields.block(rows)
    number = block["cell"].values.astype(np.int64)
    lat, lon = block["lat"].values.astype(float), block["lon"].values.astype(float)
    if fields.canonical:
        places, about, lost = _final(run, method, block)
        return Cells(number, lat, lon, np.ones(len(number), bool), lost, places, about, {})
    there = np.any([np.isfinite(block[name].values).any(1) for name in NEEDED], axis=0)
    land = there & (block["land_fraction"].values > 0)
    lost = {
        int(
            number[cell]
        ): f"cell {number[cell]} lacks {name} in {int(gaps[cell])} of {block.sizes['time']} months, but "
        "drivers of cells are complete; fill the field"
        for name in reversed(NEEDED)
        for gaps in [np.isnan(block[name].values).sum(1)]
        for cell in np.flatnonzero(land & (gaps > 0))
    }
    lost |= {int(number[cell]): f"cell {number[cell]} {text}" for text, bad in _unfit(block) for cell in
             np.flatnonzero(land & bad)}  # fmt: skip
    ready = land & ~np.isin(number, list(lost))
    if not ready.any():
        return Cells(number, lat, lon, land, lost, None, None, {})
    places, about, refused, filled = _as_sites(run, method, block.isel(cell=ready), unseen)
    return Cells(number, lat, lon, land, lost | refused, places, about, filled)


def _final(run: Run, method: Method, block: xr.Dataset) -> tuple[Places | None, xr.Dataset | None, dict[int, str]]:
    """Cells of a run's own canonical set, read as its maps read them; states before windows go with the models."""
    settings, known, lost = settings_of(run), run.known_sites, {}
    config, simulated = settings.harmonise, reads_simulation(method)
    if simulated and settings.simulation.provider == "builtin":
        raise ValueError(
            f"cells of a run are given, but {run.name} has none: its process model runs on each place's own drivers; "
            "give fields over time, lat and lon, or choose a --method without a simulation (gbm, gp)"
        )
    if simulated:
        known_cells.require_states(known)
        kept, refused = known_cells.placed(block.rename(cell="site"), known)
        lost = {int(cell): text.replace("site ", "cell ", 1) for cell, text in refused.items()}
        block = kept.rename(site="cell")
    if not block.sizes["cell"]:
        return None, None, lost
    places = cell_places(
        block,
        None,
        block,
        NO_SPLIT,
        satellites=config.satellites,
        channels=config.channels,
        window=config.window,
        stride=config.window_stride,
        exchange=run.exchange,
    )
    if simulated:
        windows = xr.Dataset(
            {"window_site": ("window", places.window_place), "window_start": ("window", places.window_start)},
            coords={"lat": ("site", places.lat), "lon": ("site", places.lon), "time": places.time},
        )
        series, before = known_cells.states_at(windows, known)
        chosen = [known["target"].values.astype(str).tolist().index(name) for name in run.exchange.states]
        places = replace(places, initial=before[..., chosen], simulated=series[..., chosen])
    return places, about_cells(block, run.exchange), lost


def _as_sites(
    run: Run, method: Method, block: xr.Dataset, unseen: bool
) -> tuple[Places | None, xr.Dataset | None, dict[int, str], dict[str, int]]:
    """Cells made ready as sites of one's own are."""
    settings, known = settings_of(run), run.known_sites
    sites = block.rename(cell="site").assign_coords(site=block["cell"].values.astype(str).astype(object))
    sites["in_record"] = (("site", "time"), np.ones((sites.sizes["site"], sites.sizes["time"]), bool))
    if "igbp" not in sites.coords:
        sites = sites.assign_coords(igbp=("site", np.full(sites.sizes["site"], "", object)))
    if settings.harmonise.satellites:
        nothing = np.full((sites.sizes["site"], sites.sizes["time"]), np.nan)
        sites = sites.assign({name: (("site", "time"), nothing) for name in SATELLITE if name not in sites})
    own = _own_cover(sites)
    drivers = sites.drop_vars([*COVER, "age_weight", "year", "plant_type", "age"], errors="ignore")
    made = own_sites(drivers, known, settings, simulated=reads_simulation(method), unseen=unseen, own=own)
    refused = {int(site): text.replace(f"site {site}", f"cell {site}") for site, text in made.dropped.items()}
    if made.towers is None:
        return None, None, refused, {}
    towers = made.towers
    places = places_of(run, method, towers, settings.harmonise)
    counts = made.counts[~made.counts["reason"].str.endswith(": tower")]
    filled = counts.groupby("reason")["site"].nunique().to_dict()
    for source, many in zip(*np.unique(towers["cover_source"].values.astype(str), return_counts=True), strict=True):
        filled[f"plant types: {source}"] = int(many)
    for name in SATELLITE if settings.harmonise.satellites else ():
        if never := int((~(towers[f"{name}_mask"].transpose("site", "time").values > 0).any(1)).sum()):
            filled[f"{name}: mean annual cycle of the class"] = never
    inside = towers.assign({name: towers[name].where(towers["record"]) for name in CLIMATE})
    cells = inside.rename(site="cell").assign_coords(cell=towers["site"].values.astype(np.int64))
    return places, about_cells(cells, run.exchange), refused, {str(name): int(count) for name, count in filled.items()}


def _unfit(block: xr.Dataset) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Why cells (cell,) with a cover or stand ages cannot be read; what is not stated is no reason."""
    if COVER[0] in block:
        total = block[COVER[0]].sum("plant_type", skipna=False)
        green = block[COVER[1]].fillna(0.0)
        beyond = (green < 0) | (green > 1 + SUM_TOLERANCE)
        odd = (green > 0) & ~((abs(total - 1) <= SUM_TOLERANCE) & (block[COVER[0]].min("plant_type") >= 0))
        text = "has a vegetated_fraction beyond 0 to 1, or plant fractions there that are no shares with the sum 1"
        yield f"{text}; correct the cover (is it in percent?)", _any(beyond | odd)
    if "age_weight" in block:
        total = block["age_weight"].sum("age", skipna=False)
        odd = ((abs(total - 1) > SUM_TOLERANCE) | (block["age_weight"].min("age") < 0)) & total.notnull()
        yield "has an age_weight that is no shares with the sum 1; correct it", _any(odd)


def _any(found: xr.DataArray) -> NDArray[np.bool_]:
    """Whether anything along the other dimensions, (cell,)."""
    return np.asarray(found.transpose("cell", ...).values.reshape(found.sizes["cell"], -1).any(1))


def _own_cover(sites: xr.Dataset) -> Cover | None:
    """Plant types and stand ages that the fields bring."""
    found = {}
    if COVER[0] in sites:
        table = sites[list(COVER)]
        if "year" not in table.dims:
            table = table.expand_dims(year=[int(calendar_years(sites["time"].values)[0])])
        # what is not stated is land without plants, whose types are unknown
        green = table[COVER[1]].fillna(0.0).clip(0.0, 1.0)
        table = table.assign({COVER[0]: table[COVER[0]].where(green > 0), COVER[1]: green})
        found["sites"] = _bare(table, "site", "year", "plant_type")
    if "age_weight" in sites:
        stated = sites[["age_weight"]].isel(site=sites["age_weight"].notnull().all("age").values)
        if stated.sizes["site"]:
            found["site_ages"] = _bare(stated, "site", "age")
    return Cover(**found) if found else None


def _bare(table: xr.Dataset, *dims: str) -> xr.Dataset:
    """Table over some dimensions without further coordinates."""
    return table.drop_vars([name for name in table.coords if name not in dims]).transpose(*dims, missing_dims="ignore")
