"""Write the public files: maps on the run's grid and the table of the towers; and the list of the run's sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere import __version__
from dere.config.products import ProductsConfig
from dere.exchange import DEFAULT, get
from dere.exchange.base import Exchange
from dere.harmonise.origin import Origin, source_attributes
from dere.ingest.alignment import require_same_axes
from dere.io import content_hash, file_sha256, read_json, read_netcdf, write_table
from dere.products.annual import annual_means
from dere.products.attributes import NOT_STATED, Provenance
from dere.products.files import ANNUAL, write_products
from dere.products.sites import dropped_sites, site_table
from dere.products.total_intervals import std_of_totals, totals_of_cells, with_intervals
from dere.products.totals import TOTALS, totals
from dere.products.towers import tower_table
from dere.workflow.members import read_splits


def products(
    cells: Sequence[Path],
    manifests: Sequence[Path],
    files: Mapping[str, Path],
    folder: Path,
    config: ProductsConfig,
    code: str = "",
    exchange: str = DEFAULT,
) -> None:
    """Write one NetCDF file per flux (where there are cells) and ``towers.csv.gz``.

    Parameters
    ----------
    cells
        Predictions in cells, one per fold and seed; empty = the run has no map.
    manifests
        Manifests of the networks that made them; empty = the method has none.
    files
        ``ensemble`` (predictions at sites), ``towers``, ``cover``, ``drivers``, ``provenance`` (table of the sources).
    folder
        Where the files go.
    config
        The section products.
    code
        Digest of the rule's code, which every file states.
    exchange
        Name of what is predicted.
    """
    folder.mkdir(parents=True, exist_ok=True)
    predicted = get(exchange)
    if cells:
        provenance = provenance_of([read_json(path) for path in manifests], files, code, cells)
        runs = [read_netcdf(path) for path in cells]
        cover, drivers = (read_netcdf(files[name]) for name in ("cover", "drivers"))
        paths = write_products(mean_of_runs(runs), cover, drivers, folder, config, provenance, predicted)
        annual = [annual_means(run, predicted) for run in runs]
        if annual[0].sizes["time"]:
            about = cover, drivers, folder / ANNUAL, config, provenance, predicted
            write_products(mean_of_runs(annual), *about, frequency="yr")
        write_table(total_rows(paths, runs, cover[predicted.area], drivers, predicted), folder / TOTALS)
    table = tower_table(read_netcdf(files["ensemble"]), read_netcdf(files["towers"]), predicted)
    write_table(table, folder / "towers.csv.gz")


def total_rows(
    paths: Sequence[Path], runs: Sequence[xr.Dataset], area: xr.DataArray, drivers: xr.Dataset, exchange: Exchange
) -> pd.DataFrame:
    """Annual totals of the maps with their intervals; columns ``dere.evaluation.total_columns.columns``."""
    maps = dict(zip(exchange.names, (read_netcdf(path) for path in paths), strict=True))
    stds = [std_of_totals(run, area, drivers, exchange) for run in runs]
    means = [totals_of_cells(run, area, drivers, exchange) for run in runs] if len(runs) > 1 else []
    return with_intervals(totals(maps, exchange), stds, means, exchange)


def write_sites(files: Mapping[str, Path], table: Path, folds: Sequence[int], exchange: str = DEFAULT) -> None:
    """Write the table of all sites, each with its role.

    Parameters
    ----------
    files
        ``ensemble`` (predictions at sites), ``towers``, ``splits``, ``provenance``.
    table
        Where it goes.
    folds
        Folds that the run tests.
    exchange
        Name of what is predicted.
    """
    towers = read_netcdf(files["towers"])
    rows = pd.read_csv(files["provenance"], dtype={"site": str, "role": str, "dropped": str})
    lost = dropped_sites(rows, towers["site"].values.astype(str).tolist())
    predictions, splits = read_netcdf(files["ensemble"]), read_splits(files["splits"])
    write_table(site_table(predictions, towers, splits, folds, lost, get(exchange)), table)


def provenance_of(
    manifests: Sequence[Mapping[str, Any]], files: Mapping[str, Path], code: str, cells: Sequence[Path] = ()
) -> Provenance:
    """Where the maps of the run come from: code, settings and checkpoints of the networks, and sources.

    A method without networks has no manifests; its maps are named by the predictions ``cells`` that they were made of.
    """
    if manifests:
        configuration = content_hash([manifest["params"] for manifest in manifests])
        origin = {"models": content_hash([manifest["sha256"] for manifest in manifests])}
    else:
        configuration = NOT_STATED
        origin = {"predictions": content_hash([file_sha256(path) for path in cells])}
    return Provenance(
        version=__version__,
        configuration=configuration,
        inputs={
            **origin,
            "drivers": file_sha256(files["drivers"]),
            "provenance": file_sha256(files["provenance"]),
        },
        code=code,
        sources=about_sources(files["provenance"]),
    )


def about_sources(provenance: Path) -> dict[str, str]:
    """Attributes that name the source files of the run with checksums, versions, licences and citations."""
    origin = Origin("products", "", "", pd.read_csv(provenance), file_sha256(provenance))
    about = source_attributes(origin, ("simulation", "cover", "towers"))
    return {f"source_data_{name.removeprefix('source_')}": text for name, text in about.items()}


def mean_of_runs(runs: Sequence[xr.Dataset]) -> xr.Dataset:
    """Average map predictions over folds and seeds; means keep the closure.

    Variances are combined by the law of total variance; quantiles are averaged level by level and lie as much farther
    from the mean as the scatter of the runs widens the standard deviation. What only some of the runs have is left out.
    """
    first = runs[0]
    if len(runs) == 1:
        return first
    require_same_axes(
        {f"map {number}": run for number, run in enumerate(runs, start=1)}, ("cell", "time", "flux", "quantile")
    )
    shared = [name for name in first.data_vars if all(name in run for run in runs)]
    result = first[shared].copy()
    means = np.stack([run["prediction"].values for run in runs])
    result["prediction"] = first["prediction"].copy(data=means.mean(0))
    for name in ("quantile_value", "plant_fraction", "extrapolation_index"):
        if name in shared:
            result[name] = first[name].copy(data=np.mean([run[name].values for run in runs], axis=0))
    if "std" in shared:
        within = np.mean(np.stack([run["std"].values for run in runs]) ** 2, axis=0)
        total = within + means.var(0, ddof=1)
        result["std"] = first["std"].copy(data=np.sqrt(total))
        if "quantile_value" in shared:
            wider = np.sqrt(total / np.where(within > 0, within, np.nan))[..., None]
            centre = result["prediction"].values[..., None]
            ends = centre + (result["quantile_value"].values - centre) * np.where(np.isfinite(wider), wider, 1.0)
            # what is never negative in any run is not in their mean
            positive = np.min([run["quantile_value"].values for run in runs], axis=0) >= 0
            result["quantile_value"] = result["quantile_value"].copy(
                data=np.where(positive, np.maximum(ends, 0.0), ends)
            )
    return result.assign_attrs(fold="all", seed="ensemble")
