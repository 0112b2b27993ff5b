"""Predict fields on a grid by the trained models of a run: maps of one's own, without training, rules or data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere import __version__
from dere.api.arguments import require
from dere.api.fits import Fit, fits_of, listed
from dere.api.grid_places import Cells, cells_of
from dere.api.model import Model
from dere.api.own_sites import method_of
from dere.api.predicting import at_places
from dere.api.run import Run
from dere.cell_files import BLOCK
from dere.config.products import ProductsConfig
from dere.harmonise.axis import month_number
from dere.harmonise.fields import Fields, read_fields
from dere.invented import invented_sources, marked
from dere.io import content_hash, file_sha256, moved_at_once, working_folder
from dere.methods import Method
from dere.products.attributes import NOT_STATED, Provenance
from dere.products.files import product_name
from dere.products.grid import Grid
from dere.products.grid_files import NOT_PREDICTED, PREDICTED, write_maps, write_status
from dere.products.map_blocks import Kept, keep_block, together
from dere.products.own_site_files import require_free
from dere.workflow import layout, targets
from dere.workflow.products import about_sources


@dataclass(frozen=True)
class GridPredictions:
    """What was written of fields of one's own.

    Parameters
    ----------
    folder
        Where the files lie.
    totals
        Annual totals with intervals, as ``totals.csv``.
    cells
        Number of cells of the fields, of those on land, and of those predicted.
    lost
        Cells on land that are not predicted: cell, lat, lon, reason.
    filled
        What the fields lack and was taken from elsewhere: text to number of cells.
    models
        Whose mean the maps are.
    """

    folder: Path
    totals: pd.DataFrame
    cells: tuple[int, int, int]
    lost: pd.DataFrame
    filled: dict[str, int]
    models: str

    @property
    def reasons(self) -> dict[str, int]:
        """Why cells on land are not predicted: text to number of cells, the most frequent first."""
        texts = self.lost["reason"].str.replace(r"^cell \S+ ", "", regex=True)
        return {str(text): int(count) for text, count in texts.value_counts().items()}


def predict_grid(
    run: Run,
    fields: str | Path | Sequence[str | Path],
    folder: str | Path,
    method: str | None = None,
    *,
    backbone: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
    without_satellites: bool = False,
    overwrite: bool = False,
    gpu: int = 0,
) -> GridPredictions:
    """Predict fields on a grid and write maps as those of a run, in blocks of cells.

    Parameters
    ----------
    run
        From `dere.open_run` or `dere.open_trained`; its folder ``data`` is not needed.
    fields
        Files: drivers over time, latitude and longitude with units, or ``drivers.nc`` and ``cover.nc`` of a run
        (``docs/command-line.md``).
    folder
        Where the files go.
    method, backbone, fold, seed, without_satellites, gpu
        As for `dere.predict_sites`.
    overwrite
        Write into a folder that holds files.

    Returns
    -------
    GridPredictions
        Every cell on land is in the maps, or named with the reason why not.

    Raises
    ------
    FileNotFoundError
        When a file or a part of the run is missing.
    ValueError
        When no cell can be predicted, or files, run or options are wrong; one sentence, and nothing is written.

    Examples
    --------
    >>> dere.predict_grid(dere.open_trained("real-towers"), "fields.nc", "maps").totals  # doctest: +SKIP
    """
    require("run", run, Run, "dere.open_run")
    out = Path(folder)
    work = working_folder(out)
    require_free(out, overwrite)
    chosen = method_of(run, method)
    _, fits = fits_of(run, chosen, backbone, fold, seed)
    paths = [Path(fields)] if isinstance(fields, (str, Path)) else [Path(path) for path in fields]
    given = read_fields(paths)
    config = ProductsConfig(**targets.product_settings(run.tree, run.exchange.name))
    _require_one_period(out, given, run.exchange.names, config.name)
    with moved_at_once(work, out) as maps:
        made = _made(run, chosen, fits, given, paths, (maps, work / "blocks"), config, without_satellites, gpu)
    return GridPredictions(out, *made)


def _require_one_period(folder: Path, fields: Fields, fluxes: Sequence[str], name: str) -> None:
    """Refuse a folder with maps of other months: they would stay beside the new ones, whose names differ."""
    first, last = (str(np.datetime64(int(month) - 1970 * 12, "M")) for month in (fields.months[0], fields.months[-1]))
    written = {product_name(flux, first, last, name) for flux in fluxes}
    for flux in fluxes:
        for path in sorted(folder.glob(f"{flux}_mon_{name}_gn_*.nc")):
            if path.name not in written:
                raise ValueError(
                    f"{folder} holds maps of other months ({path.name}), but the fields are of {first} to {last}; "
                    "remove the maps, or give another folder"
                )


def _made(
    run: Run,
    method: Method,
    fits: Sequence[Fit],
    fields: Fields,
    paths: Sequence[Path],
    folders: tuple[Path, Path],
    config: ProductsConfig,
    unseen: bool,
    gpu: int,
) -> tuple[pd.DataFrame, tuple[int, int, int], pd.DataFrame, dict[str, int], str]:
    """Predict block by block, then write the maps, from the files of the blocks: (maps, blocks)."""
    maps, parts = folders
    models = [(run.fitted(method.name, *fit), _error_model(run, method, fit)) for fit in fits]
    grid = Grid(fields.degrees)
    status = np.zeros(grid.shape, np.int8)
    seen, lost = np.zeros(3, int), []
    filled: dict[str, int] = {}
    kept: list[Kept] = []
    abouts = []
    for rows in fields.blocks(BLOCK):
        cells = cells_of(run, method, fields, rows, unseen)
        predicted = np.zeros(len(cells.number), bool)
        if cells.places is not None and cells.about is not None:
            predicted = np.isin(cells.number, cells.about["cell"].values)
            abouts.append(cells.about)
            kept.append(keep_block(_predicted(models, cells, fields, run, gpu), parts / str(len(kept)), run.exchange))
        where = grid.position(cells.lat, cells.lon)
        status[where] = np.where(predicted, PREDICTED, np.where(cells.land, NOT_PREDICTED, status[where]))
        seen += [len(cells.number), int(cells.land.sum()), int(predicted.sum())]
        lost += [(number, cells.lat[at], cells.lon[at], cells.lost.get(int(number), "no driver of it is there"))
                 for at, number in enumerate(cells.number) if cells.land[at] and not predicted[at]]  # fmt: skip
        filled = {name: filled.get(name, 0) + cells.filled.get(name, 0) for name in {**filled, **cells.filled}}
    table = pd.DataFrame(lost, columns=["cell", "lat", "lon", "reason"])
    if not abouts:
        reason = table["reason"].iloc[0] if len(table) else f"{fields.source} has no cell with drivers on land"
        raise ValueError(f"{reason}; no cell is left to predict")
    sources = run.folder / layout.table(run.exchange.name, "provenance")
    inputs = {**_hashes(paths), "split": run.split}
    provenance = Provenance(
        version=__version__,
        configuration=f"run {run.name}, fields {content_hash(inputs)}",
        inputs=inputs,
        code=NOT_STATED,
        sources=about_sources(sources) if sources.exists() else {},
    )
    totals = write_maps(together(kept, abouts, fields.degrees), maps, config, provenance, run.exchange)
    write_status(status, table, fields.degrees, maps)
    means = (
        f"{method.name}/{fits[0][0]}, mean over folds {listed(fits, 1)}, seeds {listed(fits, 2)}, of the run {run.name}"
    )
    total, land, done = (int(count) for count in seen)
    return totals, (total, land, done), table, filled, means


def _hashes(paths: Sequence[Path]) -> dict[str, str]:
    """Hash of each file by its name, or by its path where two have one name."""
    alone = len({path.name for path in paths}) == len(paths)
    return {path.name if alone else str(path): file_sha256(path) for path in paths}


def _error_model(run: Run, method: Method, fit: Fit) -> xr.Dataset:
    """What a prediction file at sites says of its errors, without the predictions."""
    with run.predictions(method.name, *fit) as file:
        return file.drop_dims("site", errors="ignore").load()


def _predicted(
    models: Sequence[tuple[Model, xr.Dataset]], cells: Cells, fields: Fields, run: Run, gpu: int
) -> list[xr.Dataset]:
    """Predict a block by the model of each fold and seed."""
    assert cells.places is not None
    inside = np.isin(month_number(cells.places.time), fields.months)
    made = []
    of_all = [run.known_sites.attrs, fields.data.attrs]
    for model, sites in models:
        one = at_places(model, cells.places, sites, kind="cell", gpu=gpu).isel(time=inside)
        made.append(one.assign_attrs(marked(invented_sources([*of_all, sites.attrs]))))
    return made
