"""Write the public files: maps on the run's grid and the table of the towers; and the list of the run's sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from dere import __version__
from dere.config.products import ProductsConfig
from dere.exchange import DEFAULT, get
from dere.harmonise.origin import Origin, source_attributes
from dere.io import content_hash, file_sha256, moved_at_once, read_json, read_netcdf, working_folder, write_table
from dere.products.attributes import NOT_STATED, Provenance
from dere.products.grid_files import write_maps
from dere.products.map_blocks import blocks_of_runs
from dere.products.sites import dropped_sites, site_table
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
    """Write one NetCDF file per flux (where there are cells), their totals, and ``towers.csv.gz``.

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
        runs = {path.name: read_netcdf(path, load=False) for path in cells}
        cover, drivers = (read_netcdf(files[name], load=False) for name in ("cover", "drivers"))
        work = working_folder(folder)
        with moved_at_once(work, folder) as maps:
            blocks = blocks_of_runs(runs, cover, drivers, work / "blocks", predicted)
            write_maps(blocks, maps, config, provenance, predicted)
    table = tower_table(read_netcdf(files["ensemble"]), read_netcdf(files["towers"]), predicted)
    write_table(table, folder / "towers.csv.gz")


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
