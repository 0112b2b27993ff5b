"""Predict by the raw process model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dere.evaluation.simulation_method import simulation_method
from dere.io import read_netcdf, write_netcdf
from dere.workflow.members import read_roles


def predict_simulation(files: Mapping[str, Path], output: Path, fold: int, seed: int) -> None:
    """Write the prediction; ``files`` are ``towers`` and ``splits``."""
    towers, members = read_netcdf(files["towers"]), read_roles(files["splits"], fold)
    write_netcdf(simulation_method(towers, members, fold=fold, seed=seed), output)
