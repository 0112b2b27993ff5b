"""Predict by the mean seasonal cycle of each site's class and climate."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dere.evaluation.climatology import climatology_method
from dere.io import read_netcdf, write_netcdf
from dere.workflow.members import read_roles


def predict_climatology(files: Mapping[str, Path], output: Path, fold: int, seed: int, minimum_quality: float) -> None:
    """Write the prediction; ``files`` are ``towers`` and ``splits``."""
    towers, members = read_netcdf(files["towers"]), read_roles(files["splits"], fold)
    prediction = climatology_method(towers, members, minimum_quality=minimum_quality, fold=fold, seed=seed)
    write_netcdf(prediction, output)
