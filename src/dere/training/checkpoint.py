"""Checkpoints: safetensors for the arrays, JSON for what they are, csv for how they were reached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from dere import __version__, versions
from dere.exchange import Exchange
from dere.io import content_hash, file_sha256, read_json, write_atomically, write_json, write_table
from dere.training.compact import compacted, restored
from dere.training.fitted import Fitted
from dere.variables import PLANT_TYPES

MODEL, MANIFEST, HISTORY = "model.safetensors", "manifest.json", "history.csv"
FOLDER = "folder"
"""Fact of a checkpoint that was read: where it lies."""
VALIDATED = "validated."
"""Prefix of arrays that never saw the validation towers, in the file of a stage fitted to them too."""


def variables_hash(exchange: Exchange) -> str:
    """Hash of the names and order of all that a checkpoint's arrays stand for."""
    return content_hash({"targets": exchange.outputs, "fluxes": exchange.names, "plant_types": PLANT_TYPES})


def save(folder: Path, fitted: Fitted, exchange: Exchange) -> None:
    """Write ``model.safetensors``, ``history.csv`` and, last, ``manifest.json`` into ``folder``.

    The manifest gets the code version, the versions of Python and the packages that compute, the hash of the variable
    table and the hash of the weights.
    """
    unseen = {VALIDATED + name: value for name, value in (fitted.unseen or {}).items()}
    # The format stores an array as its memory lies, so a view must become one of its own.
    arrays = {name: np.array(value, order="C") for name, value in {**fitted.arrays, **unseen}.items()}
    model = write_atomically(folder / MODEL, lambda temporary: save_file(arrays, temporary))
    write_table(fitted.history, folder / HISTORY)
    about = {
        **fitted.facts,
        "code_version": __version__,
        "versions": versions.here(),
        "variables": variables_hash(exchange),
        "sha256": file_sha256(model),
    }
    write_json(about, folder / MANIFEST)


def save_compact(folder: Path, arrays: Mapping[str, NDArray[Any]], manifest: Mapping[str, Any]) -> None:
    """Write what predicts of a checkpoint that was read before, in less room and without its history.

    Parameters
    ----------
    folder
        Where to.
    arrays
        Those that predict.
    manifest
        Facts of the checkpoint, as `read` gives them; they stay, but for the checksum.
    """
    small, notes = compacted(arrays)
    model = write_atomically(folder / MODEL, lambda temporary: save_file(small, temporary))
    # it is given away, and the format writes for its owner alone
    model.chmod(0o644)
    facts = {name: value for name, value in manifest.items() if name != FOLDER}
    write_json({**facts, **notes, "sha256": file_sha256(model)}, folder / MANIFEST)


def read(folder: Path, exchange: Exchange, expect: Mapping[str, Any] | None = None) -> Fitted:
    """Read what `save` wrote.

    Parameters
    ----------
    folder
        Written by `save`.
    exchange
        Must be the one it was saved for.
    expect
        Manifest entries that must be equal, such as the split hash.

    Raises
    ------
    FileNotFoundError
        When the weights are gone.
    ValueError
        When the variable table, an expected entry or the checksum differs; says which.
    """
    manifest = read_json(folder / MANIFEST)
    for key, value in {"variables": variables_hash(exchange), **(expect or {})}.items():
        if manifest.get(key) != value:
            raise ValueError(
                f"{folder}: '{key}' of the checkpoint is {manifest.get(key)!r}, this run has {value!r}; "
                "train the stage again"
            )
    model = folder / MODEL
    if not model.is_file():
        raise FileNotFoundError(
            f"{model} does not exist beside {MANIFEST}; delete the folder and train the stage again"
        )
    if file_sha256(model) != manifest.get("sha256"):
        raise ValueError(
            f"{model} has another checksum than manifest.json beside it; it is damaged or of another training: "
            "delete the folder and train the stage again"
        )
    arrays, unseen = _two_sets(restored(load_file(model), manifest))
    history = folder / HISTORY
    table = pd.read_csv(history) if history.exists() else pd.DataFrame()
    return Fitted(arrays, {**manifest, FOLDER: str(folder)}, table, unseen or None)


def _two_sets(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The arrays that predict, and those that never saw the validation towers, under their own names."""
    unseen = {name.removeprefix(VALIDATED): value for name, value in arrays.items() if name.startswith(VALIDATED)}
    return {name: value for name, value in arrays.items() if not name.startswith(VALIDATED)}, unseen
