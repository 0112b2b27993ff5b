"""Pack what predicts of a run into a trained bundle."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from dere import __version__
from dere.api.arguments import require
from dere.api.bundles import FORMAT, MANIFEST, verified
from dere.api.fits import Fit, fits_of
from dere.api.model import Model
from dere.api.own_site_models import places_of
from dere.api.predicting import at_places
from dere.api.run import Run, open_run
from dere.config.reference_rows import REFERENCE
from dere.config.windows import WindowConfig
from dere.evaluation.runs import POOLED
from dere.exchange import Exchange
from dere.harmonise.site_roles import COORDINATE, SEEN
from dere.io import content_hash, file_sha256, read_netcdf, unwritable, write_json, write_netcdf, write_table
from dere.methods import Method, stages
from dere.methods.base import resolved
from dere.products.model_card import model_card
from dere.training.checkpoint import FOLDER, save_compact
from dere.workflow import layout, targets

STEP = 2.0**-11
"""gC m-2 d-1: stored predictions are multiples of it, in which fluxes close exactly in single precision."""
ALLOWED = 0.01
"""Most that smaller formats may change predictions by, in their standard deviations."""
COMPARED_SITES = 40
"""Sites at which the change is measured."""
CARD = "README.md"
COMPARED = ("climatology",)
"""Method that a card shows beside the bundle's, where the run has it."""
WHOLE = "all"
GROUPINGS = ("igbp", "koppen")
"""Groups of towers whose scores go with a bundle."""
DIGITS = 4
"""Decimals of its tables."""
TABLES = ("skill", "calibration", "citations", "provenance")
STORED = ("prediction", "std", "quantile_value")


def pack(run: Run, folder: str | Path, *, overwrite: bool = False) -> dict[str, Any]:
    """Pack the product's method of a finished run, fitted on all towers, with its stored predictions and tables.

    Parameters
    ----------
    run
        With ``all_towers: true``, and its data.
    folder
        What becomes the bundle.
    overwrite
        Replace the folder where it is a bundle already.

    Returns
    -------
    dict
        What ``bundle.json`` says.

    Raises
    ------
    FileNotFoundError
        When a part of the run is missing.
    ValueError
        When nothing was fitted on all towers, the folder is there, smaller formats change what is predicted by more
        than `ALLOWED`, or the folder cannot be written.
    """
    require("run", run, Run, "dere.open_run")
    if not run.tree["all_towers"]:
        raise ValueError(
            f"{run.folder}: all_towers is false, so that no model has learned from all towers; set all_towers: true "
            "and finish the run again"
        )
    target = Path(folder)
    if target.exists() and not (overwrite and (target / MANIFEST).is_file()):
        remedy = "choose another folder" if overwrite else "choose another folder, or --overwrite"
        raise ValueError(f"{target} exists{'' if overwrite else ' already'}, and is not replaced; {remedy}")
    method = targets.product_method(run.tree)
    temporary = target.parent / f".{os.getpid()}.partial.{target.name}"
    try:
        temporary.mkdir(parents=True)
        about = _written(run, method, temporary)
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
    except OSError as error:
        if (sentence := unwritable(error)) is None:
            raise
        raise ValueError(sentence) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return about


def _written(run: Run, method: Method, folder: Path) -> dict[str, Any]:
    """Write the bundle."""
    judged, fitted = fits_of(run, method)
    shutil.copyfile(run.folder / layout.CONFIGURATION, folder / layout.CONFIGURATION)
    (folder / layout.KNOWN_SITES).parent.mkdir()
    write_netcdf(run.known_sites, folder / layout.KNOWN_SITES)
    for _, fold, seed in fitted:
        _copy_stages(run.fitted(method.name, fitted[0][0], fold, seed), run.folder, folder)
    for fit in (*judged, *fitted):
        path = folder / _file_of(run, method, fit)
        with run.predictions(method.name, *fit) as made:
            # what is fitted on all towers only states its errors: none of its predictions is of an unseen tower
            write_netcdf(made.drop_dims("site").load() if fit in fitted else _stored(made, run.exchange), path)
    small = open_run(folder)
    about: dict[str, Any] = {
        "name": run.name,
        "format": FORMAT,
        "code_version": __version__,
        "method": method.name,
        "parts": list(method.parts),
        "backbone": fitted[0][0],
        "configuration": content_hash(dict(run.tree)),
        "split": run.split,
        "change": _change(run, small, method, fitted),
    }
    tables = {name: _of_methods(run.tables[name], (method.name, *method.parts)) for name in TABLES}
    for name, table in tables.items():
        write_table(table, folder / layout.table(run.exchange.name, name))
    (folder / CARD).write_text(model_card(about, run.tree, run.known_sites, tables), encoding="utf-8")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    stated = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": file_sha256(path)}
        for path in files
    }
    about |= {"bytes": sum(path.stat().st_size for path in files), "files": stated}
    write_json(about, folder / MANIFEST)
    return verified(folder)


def _file_of(run: Run, method: Method, fit: Fit) -> str:
    backbone, fold, seed = fit
    return layout.predictions(run.exchange.name, method.name).format(backbone=backbone, fold=fold, seed=seed)


def _copy_stages(model: Model, source: Path, folder: Path) -> None:
    """Write the checkpoints of a model and its parts, without what does not predict."""
    for part in model.parts.values():
        _copy_stages(part, source, folder)
    for name, fitted in model.stages.items():
        shorten = stages()[name].shortened
        arrays = resolved(shorten)(fitted.arrays) if shorten else fitted.arrays
        save_compact(folder / Path(str(fitted.facts[FOLDER])).relative_to(source), arrays, fitted.facts)


def _stored(made: xr.Dataset, exchange: Exchange) -> xr.Dataset:
    """Return a file of predictions with those of towers that its models had not seen, in multiples of `STEP`."""
    kept = made[[name for name in STORED if name in made]].load()
    rounded = (kept / STEP).round() * STEP
    rounded["prediction"] = (
        kept["prediction"].dims,
        exchange.close(rounded["prediction"].transpose(..., "flux").values),
    )
    unseen = kept[COORDINATE] != SEEN
    small = rounded.where(unseen).astype(np.float32)
    for name in small.data_vars:
        small[name].attrs = kept[name].attrs
    return small.assign_attrs(made.attrs)


def _change(run: Run, small: Run, method: Method, fits: Sequence[Fit]) -> dict[str, float]:
    """By how much predictions differ between a run and its bundle, largest and as a share of their spread.

    Raises
    ------
    ValueError
        When by more than `ALLOWED`.
    """
    towers = read_netcdf(run.canonical("towers"))
    chosen = np.unique(np.linspace(0, towers.sizes["site"] - 1, COMPARED_SITES).astype(int))
    windows = WindowConfig(**{key: run.tree["harmonise"][key] for key in WindowConfig.model_fields})
    places = places_of(run, method, towers, windows).take(chosen)
    largest, share = 0.0, 0.0
    for backbone, fold, seed in fits:
        own, other = (
            at_places(each.fitted(method.name, backbone, fold, seed), places)["prediction"]
            .transpose(..., "flux")
            .values
            for each in (run, small)
        )
        difference = (other - own).reshape(-1, own.shape[-1])
        spread = np.nanstd(own.reshape(-1, own.shape[-1]), axis=0)
        largest = max(largest, float(np.nanmax(np.abs(difference))))
        share = max(share, float((np.sqrt(np.nanmean(difference**2, axis=0)) / spread).max()))
    if share > ALLOWED:
        raise ValueError(
            f"smaller number formats change the predictions of {method.name} by {share:.1%} of their standard "
            f"deviation, at most {ALLOWED:.0%} is allowed; choose another method (products.method)"
        )
    return {"largest": largest, "share_of_spread": share}


def _of_methods(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of some methods and of what all are compared with, over all folds and seeds; of other tables all."""
    if "method" not in table:
        return table
    compared = table["method"].isin([*names, *COMPARED]) | table["method"].str.startswith(REFERENCE)
    kept = compared & table["fold"].eq(POOLED) & table["seed"].eq(POOLED)
    # of groups of towers those of the whole alone
    groups = table["grouping"].eq(WHOLE) | table["grouping"].isin(GROUPINGS) & table["method"].eq(names[0])
    return table[kept & groups].round(DIGITS)
