"""Predict by tuned tree models, without (``gbm``) or with (``gbm_sim``) the simulated fluxes and states."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dere.config.evaluation import TreesConfig
from dere.evaluation.trees import tree_method
from dere.io import read_netcdf, write_netcdf, write_table
from dere.workflow.members import read_roles


def predict_trees(
    files: Mapping[str, Path],
    output: Path,
    settings: Path,
    config: TreesConfig,
    fold: int,
    seed: int,
    minimum_quality: float,
    simulated: bool,
) -> None:
    """Write the prediction and the table of all settings tried; ``files`` are ``towers`` and ``splits``."""
    result = tree_method(
        read_netcdf(files["towers"]),
        read_roles(files["splits"], fold),
        config,
        minimum_quality=minimum_quality,
        fold=fold,
        seed=seed,
        simulated=simulated,
    )
    write_table(result.settings, settings)
    write_netcdf(result.prediction, output)
