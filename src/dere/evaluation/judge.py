"""All tables of a run from its prediction files: the one call of the evaluation rule."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.bootstrap import paired
from dere.evaluation.calibration import calibration
from dere.evaluation.closure import closure_table
from dere.evaluation.map_coverage import map_coverage
from dere.evaluation.months_known import months_known
from dere.evaluation.own_months import reference_scores
from dere.evaluation.predictions import judged
from dere.evaluation.runs import POOLED
from dere.evaluation.schemas import checked
from dere.evaluation.site_calibration import site_calibration
from dere.evaluation.site_scores import map_skill, site_skill
from dere.evaluation.tables import skill
from dere.evaluation.tower_coverage import tower_coverage
from dere.evaluation.truth import Reference, references
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.splits import fold_columns, roles

log = logging.getLogger(__name__)

Products = Mapping[tuple[str, str], Mapping[str, xr.Dataset]]


def judge(
    predictions: Mapping[str, xr.Dataset],
    towers: xr.Dataset,
    splits: pd.DataFrame,
    config: EvaluationConfig,
    *,
    truth: xr.Dataset | None = None,
    cells: xr.Dataset | None = None,
    products: Products | None = None,
    annual: Products | None = None,
    exchange: Exchange = CO2,
    ranks: Mapping[str, int] | None = None,
    with_references: bool = True,
) -> dict[str, pd.DataFrame]:
    """Score every file on the same rows.

    Parameters
    ----------
    predictions
        File name to prediction dataset; ensembles included. Sites that a file calls seen in training are left out
        first, so that no table of scores, calibration or closure depends on them.
    towers, splits
        ``data/towers.nc`` and ``data/splits.csv`` (types restored by ``dere.harmonise.splits.read_back``).
    config
        Thresholds, minimum counts, bootstrap.
    truth, cells
        The world's ``data/truth.nc`` and ``data/drivers.nc``; None elsewhere.
    products
        (method, backbone) to the product datasets by flux; scored as maps where truth and cells are given.
    annual
        The same of the annual files, of which only the intervals are judged.
    exchange
        What is predicted.
    ranks
        Method to its rank, which orders pairs of methods.
    with_references
        Add the rows of `dere.evaluation.own_months`, which are of no method.

    Returns
    -------
    dict
        Tables ``site_skill``, ``skill``, ``paired``, ``calibration``, ``site_calibration``, ``closure``, checked
        against their schemas.

    Raises
    ------
    ValueError
        When a prediction file is incomplete or does not close.
    """
    predictions = {name: judged(file) for name, file in predictions.items()}
    scored, calibrated, sharpened = [], [], []
    # most files are of the same few folds
    found: dict[tuple[str, ...], list[Reference]] = {}
    for name, file in predictions.items():
        members = members_of(file, splits)
        fold = tuple(members["role"].astype(str))
        if fold not in found:
            found[fold] = references(towers, members, config, truth, exchange)
        scored.append(site_skill(file, towers, members, config, truth, name, exchange, found[fold]))
        calibrated.append(tower_coverage(file, towers, members, config, truth, exchange, found[fold]))
        sharpened.append(months_known(file, towers, members, config, exchange, found[fold]))
        log.info("%s: %d scores", name, len(scored[-1]))
    products = products or {}
    if truth is not None and "cell_flux" in truth and cells is not None:
        for (method, backbone), files in products.items():
            about: dict[str, Any] = {"method": method, "backbone": backbone, "exchange": exchange}
            scored.append(map_skill(files, truth, cells, config, **about))
            calibrated.append(map_coverage(files, truth, cells, scale="monthly", **about))
            yearly = (annual or {}).get((method, backbone), {})
            calibrated.append(map_coverage(yearly, truth, cells, scale="annual", **about))
    per_site = _joined(scored)
    if with_references:
        per_site = _joined([per_site, *reference_scores(per_site, predictions, towers, splits, config, exchange)])
    tables = {
        "site_skill": per_site,
        "skill": skill(per_site),
        "paired": paired(per_site, config, ranks),
        "calibration": calibration(_joined(calibrated), config.bootstrap, config.seed),
        "site_calibration": site_calibration(_joined(sharpened), config.bootstrap, config.seed),
        "closure": closure_table(predictions, {"/".join(key): files for key, files in products.items()}, exchange),
    }
    return {name: checked(table, name, exchange) for name, table in tables.items()}


def members_of(prediction: xr.Dataset, splits: pd.DataFrame) -> pd.DataFrame:
    """Roles for a prediction file; in an ensemble of several folds every tower is a test tower of its own fold.

    Of several assignments of clusters to folds, a tower that any of the ensemble's folds tests is one.
    """
    fold = str(prediction.attrs.get("fold"))
    if fold != POOLED:
        return roles(splits, int(fold))
    table = splits.assign(role="training")
    if len(fold_columns(splits)) > 1 and "folds" in prediction.attrs:
        joined = [roles(splits, int(name))["role"].eq("test") for name in str(prediction.attrs["folds"]).split()]
        table.loc[np.logical_or.reduce(joined), "role"] = "test"
    else:
        pairs = zip(prediction["site"].values, prediction["fold"].values, strict=True)
        tested = {str(site) for site, k in pairs if k >= 0}
        own = (splits["kind"] == "site") & splits["id"].isin(tested) & (splits["fold"] >= 0)
        table.loc[table["fold"].isin(splits.loc[own, "fold"].unique()), "role"] = "test"
    table.loc[table["fold"] < 0, "role"] = "predict"
    return table


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    filled = [table for table in tables if not table.empty]
    return pd.concat(filled, ignore_index=True) if filled else tables[0]
