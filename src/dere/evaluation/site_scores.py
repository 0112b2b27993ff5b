"""``site_skill``: one row per tower (or cell of a map), flux, scale and kind of rows; the base of every other table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.evaluation.clusters import tower_clusters, virtual_clusters
from dere.evaluation.completeness import check_prediction
from dere.evaluation.metrics import SCORES, pairs_of, scores_of
from dere.evaluation.scales import pairs_at_scales
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange, Flux
from dere.exchange.co2 import EXCHANGE as CO2
from dere.variables import convert

if TYPE_CHECKING:
    from dere.config.evaluation import EvaluationConfig

_MONTHLY_ONLY = ("cold", "odd")
IDENTITY = ("method", "backbone", "fold", "seed")
COLUMNS = (
    "site",
    *IDENTITY,
    "flux",
    "scale",
    "rows",
    "quality",
    "igbp",
    "koppen",
    "cluster",
    "months",
    "observed_mean",
    *SCORES,
)


def site_skill(
    prediction: xr.Dataset,
    towers: xr.Dataset,
    members: pd.DataFrame,
    config: EvaluationConfig,
    truth: xr.Dataset | None = None,
    name: str = "prediction",
    exchange: Exchange = CO2,
    found: Sequence[Reference] | None = None,
) -> pd.DataFrame:
    """Scores of one prediction file at every test tower and, with truth, every virtual tower.

    Parameters
    ----------
    prediction
        One file of the predictions contract; complete, or it is refused.
    towers
        Canonical towers.
    members
        Result of ``dere.harmonise.splits.roles`` for the file's fold.
    config
        Thresholds and minimum counts.
    truth
        The world's ``data/truth.nc``.
    name
        File name for messages.
    exchange
        What is predicted.
    found
        The references of the fold, where they are at hand.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS``. ``rows`` is measured, daytime, cold, odd, with_odd or virtual; ``months`` the scored months
        of the tower; a scale that a tower's months do not reach has no row. Bias is predicted minus observed.
        ``cluster`` is what the bootstrap draws: neighbouring towers, and for virtual towers the block of their cell.

    Raises
    ------
    ValueError
        When the file is incomplete.
    """
    check_prediction(prediction, towers, members, name, exchange)
    identity = {key: str(prediction.attrs[key]) for key in IDENTITY}
    frames = [
        score_reference(reference, prediction["prediction"], config, identity, exchange)
        for reference in (references(towers, members, config, truth, exchange) if found is None else found)
    ]
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    return described(table, towers, members)


def described(table: pd.DataFrame, towers: xr.Dataset, members: pd.DataFrame) -> pd.DataFrame:
    """Add class, climate and cluster to the scores of towers; columns ``COLUMNS``."""
    table = table.copy()
    for key in ("igbp", "koppen"):
        classes = dict(zip(towers["site"].values.astype(str), towers[key].values.astype(str), strict=True))
        table[key] = table["site"].map(classes).fillna("")
    by_tower, by_block = (table["site"].map(names(members)) for names in (tower_clusters, virtual_clusters))
    table["cluster"] = by_tower.where(table["rows"] != "virtual", by_block).fillna("")
    return table[list(COLUMNS)]


def score_reference(
    reference: Reference,
    prediction: xr.DataArray,
    config: EvaluationConfig,
    identity: Mapping[str, str],
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Score one set of values; returns ``COLUMNS`` without the classes and the cluster."""
    sites = reference.values["site"].values.astype(str)
    order = ("site", "flux", "time")
    names = list(exchange.names)
    observed = reference.values.sel(flux=names).transpose(*order).values.astype("float64")
    predicted = prediction.sel(site=sites, flux=names).transpose(*order).values.astype("float64")
    time = prediction["time"].values
    months = (np.isfinite(observed) & np.isfinite(predicted)).sum(-1)
    enough = months >= reference.minimum_months
    frames = []
    for scale, (o, p) in pairs_at_scales(observed, predicted, time, config).items():
        if reference.rows in _MONTHLY_ONLY and scale != "monthly":
            continue
        pairs = pairs_of(o, p)
        result: dict[str, NDArray] = {**scores_of(pairs), "observed_mean": pairs.mean_observed}
        keep = enough & (pairs.count >= (1 if scale == "site_mean" or reference.rows == "odd" else 2))
        site, flux = np.nonzero(keep)
        frame = pd.DataFrame({key: value[keep] for key, value in result.items()})
        frame = frame.assign(site=sites[site], flux=np.asarray(names)[flux], scale=scale, months=months[keep])
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    return table.assign(**identity, rows=reference.rows, quality=reference.quality)


def map_skill(
    products: Mapping[str, xr.Dataset],
    truth: xr.Dataset,
    cells: xr.Dataset,
    config: EvaluationConfig,
    *,
    method: str,
    backbone: str,
    fold: str = "all",
    seed: str = "all",
    exchange: Exchange = CO2,
) -> pd.DataFrame:
    """Scores of the product maps in every vegetated cell of the world.

    Parameters
    ----------
    products
        Flux to its product dataset: variable over (time, lat, lon), per land area, in the public unit.
    truth
        The world's ``data/truth.nc``: ``cell_flux(cell, time, flux)`` and the share of the land that it is per
        (``vegetated_fraction(cell[, year])`` for CO2); both sides are compared per land area.
    cells
        ``data/drivers.nc``: coordinates ``lat`` and ``lon`` of the cells.
    method, backbone, fold, seed
        As in the tables.
    exchange
        What the maps show.

    Returns
    -------
    DataFrame
        Columns ``COLUMNS`` with ``rows`` = map and the cell id as ``site``; classes and cluster are empty.

    Raises
    ------
    ValueError
        When the maps lack cells or months of the truth.
    """
    observed = true_land_flux(truth, exchange)
    parts = [_at_cells(products[flux.name], flux, observed, cells) for flux in exchange.fluxes]
    predicted = xr.concat(parts, pd.Index(exchange.names, name="flux"))
    if bool((predicted.isnull() & observed.notnull()).any()):
        holes = (predicted.isnull() & observed.notnull()).any(["time", "flux"])
        raise ValueError(
            f"products are empty in {int(holes.sum())} of {holes.size} cells of the truth (first: cell "
            f"{holes['cell'].values[holes.values.argmax()]}); write the products for all land cells"
        )
    names = observed["cell"].values.astype(str)
    observed = observed.rename(cell="site").assign_coords(site=names)
    predicted = predicted.rename(cell="site").assign_coords(site=names)
    reference = Reference("map", float("nan"), observed, config.minimum_months)
    identity = {"method": method, "backbone": backbone, "fold": fold, "seed": seed}
    table = score_reference(reference, predicted, config, identity, exchange)
    return table.assign(igbp="", koppen="", cluster="")[list(COLUMNS)]


def true_land_flux(truth: xr.Dataset, exchange: Exchange = CO2) -> xr.DataArray:
    """True flux per land area of the cells that have any, (cell, time, flux) in the units of the exchange."""
    share = truth[exchange.area]
    if "year" in share.dims:
        share = share.mean("year")
    covered = share.values > 0
    values = truth["cell_flux"].sel(flux=list(exchange.names)) * share
    return values.isel(cell=np.flatnonzero(covered)).transpose("cell", "time", "flux").reset_coords(drop=True)


def _at_cells(product: xr.Dataset, flux: Flux, observed: xr.DataArray, cells: xr.Dataset) -> xr.DataArray:
    """Product values at the cells' centres on the months of the truth, (cell, time) in the unit of the flux."""
    step = float(np.abs(np.diff(product["lat"].values)).min())
    here = cells[["lat", "lon"]].sel(cell=observed["cell"])
    at = {
        name: xr.DataArray(here[name].values, dims="cell", coords={"cell": observed["cell"]}) for name in ("lat", "lon")
    }
    values = product[flux.stem].sel(at, method="nearest", tolerance=step / 4)
    months = pd.DatetimeIndex(values["time"].values).to_period("M").to_timestamp()
    wanted = pd.DatetimeIndex(observed["time"].values).to_period("M").to_timestamp()
    values = values.assign_coords(time=months).reindex(time=wanted).assign_coords(time=observed["time"].values)
    data = convert(values.values.astype("float64"), flux.public_unit, flux.unit)
    return values.copy(data=data).transpose("cell", "time").drop_vars(["lat", "lon"], errors="ignore")
