"""Judge every prediction file of a run by the same rows and write all tables of scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.judge import judge
from dere.evaluation.scored import require_scores
from dere.evaluation.total_columns import columns
from dere.evaluation.totals import true_totals
from dere.exchange import DEFAULT, get
from dere.exchange.base import Exchange
from dere.io import read_netcdf, write_table
from dere.products.files import ANNUAL
from dere.products.totals import TOTALS
from dere.workflow.members import read_roles, read_splits

Maps = dict[str, xr.Dataset]


def evaluate(
    predictions: Sequence[Path],
    files: Mapping[str, Path],
    tables: Mapping[str, Path],
    config: EvaluationConfig,
    product: str,
    fold: int,
    exchange: str = DEFAULT,
    ranks: Mapping[str, int] | None = None,
) -> None:
    """Score all files and write the tables.

    Parameters
    ----------
    predictions
        One file per method, backbone, fold and seed, and the ensembles; a file with missing rows is refused.
    files
        ``towers``, ``splits``, ``drivers`` and, where the run has them, ``products`` (folder of the public maps) and
        ``truth``.
    tables
        Files to write: ``skill``, ``site_skill``, ``paired``, ``calibration``,
        ``site_calibration``, ``closure``, ``totals``, ``roles``.
    config
        The section evaluation.
    product
        ``method/backbone`` of the public maps.
    fold
        Fold whose roles are written for the figures.
    exchange
        Name of what is predicted.
    ranks
        Method to its rank.

    Raises
    ------
    ValueError
        When a prediction file is not complete or does not close, or no tower can be scored.
    """
    predicted = get(exchange)
    truth = read_netcdf(files["truth"]) if "truth" in files else None
    drivers = read_netcdf(files["drivers"], load=False)
    maps = read_maps(files["products"], predicted) if "products" in files else {}
    yearly = read_maps(files["products"] / ANNUAL, predicted) if maps else {}
    method, backbone = product.split("/")
    results = judge(
        {str(path): read_netcdf(path) for path in predictions},
        read_netcdf(files["towers"]),
        read_splits(files["splits"]),
        config,
        truth=truth,
        cells=drivers if truth is not None else None,
        products={(method, backbone): maps} if maps else None,
        annual={(method, backbone): yearly},
        exchange=predicted,
        ranks=ranks,
    )
    require_scores(results["skill"], config)
    table = pd.read_csv(files["products"] / TOTALS) if maps else None
    results["totals"] = total_table(table, truth, drivers, predicted)
    results["roles"] = read_roles(files["splits"], fold)
    for name, path in tables.items():
        write_table(results[name], path)


def read_maps(folder: Path, exchange: Exchange) -> Maps:
    """Open the public maps of a folder, by flux; lazily, because they may be larger than memory."""
    datasets = [read_netcdf(path, load=False) for path in sorted(folder.glob("*.nc"))]
    names = {flux.stem: flux.name for flux in exchange.fluxes}
    return {names[str(dataset.attrs["variable_id"])]: dataset for dataset in datasets}


def total_table(
    table: pd.DataFrame | None, truth: xr.Dataset | None, drivers: xr.Dataset, exchange: Exchange
) -> pd.DataFrame:
    """Annual totals of the maps with intervals and, where it is known, of the truth; ``source`` tells them apart."""
    parts = [] if table is None else [table.assign(source="product")]
    if table is not None and truth is not None:
        parts.append(true_totals(truth, drivers, exchange).assign(source="truth"))
    if not parts:
        return pd.DataFrame(columns=["source", *columns(exchange)])
    return pd.concat(parts, ignore_index=True)
