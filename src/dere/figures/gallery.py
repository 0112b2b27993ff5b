"""All figures of a run in one process: read the inputs once, write the numbers, draw, save."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from dere.config.figures import FiguresConfig
from dere.figures import (
    closure_histogram,
    label_weights,
    plant_fractions,
    product_maps,
    seasonal_cycles,
    series,
    training_history,
    world_map,
)
from dere.figures.catalogue import CATALOGUE, possible
from dere.figures.registry import FIGURES
from dere.figures.save import write_figure
from dere.figures.style import house_style
from dere.io import read_netcdf, write_table

log = logging.getLogger(__name__)

Inputs = Mapping[str, Any]
Files = Mapping[str, Path | str | Sequence[Path | str]]

_TABLES = ("skill", "paired", "calibration", "comparison", "roles")
_ONE_BACKBONE = ("skill", "paired", "calibration")


def read_inputs(files: Files) -> dict[str, Any]:
    """Open every input under its name in the catalogue.

    Parameters
    ----------
    files
        Input name to its file; ``predictions``, ``products`` and ``history`` to a list of files. Predictions are keyed
        by their attribute ``method``, products by ``variable_id``, histories by the folder of the stage.

    Raises
    ------
    FileNotFoundError, ValueError
        When a file is missing or cannot be read.
    """
    inputs: dict[str, Any] = {}
    for name, found in files.items():
        paths = [Path(found)] if isinstance(found, (str, Path)) else [Path(path) for path in found]
        if not paths:
            continue
        if name == "history":
            inputs[name] = {k: t for path in paths for k, t in training_history.parts(path, pd.read_csv(path)).items()}
        elif name in ("predictions", "products"):
            key = "method" if name == "predictions" else "variable_id"
            datasets = [read_netcdf(path) for path in paths]
            inputs[name] = {str(dataset.attrs[key]): dataset for dataset in datasets}
        elif name in _TABLES:
            inputs[name] = pd.read_csv(paths[0], dtype={"fold": str, "seed": str, "id": str})
        else:
            # Drivers and cover can be large; a figure takes a few coordinates of them.
            inputs[name] = read_netcdf(paths[0], load=name not in ("drivers", "cover"))
    return inputs


def of_backbone(table: pd.DataFrame, backbone: str) -> pd.DataFrame:
    """Rows of one backbone and of the methods without a network; other tables are returned as they are.

    Examples
    --------
    >>> list(of_backbone(pd.DataFrame({"backbone": ["none", "a", "b"]}), "b")["backbone"])
    ['none', 'b']
    """
    columns = [name for name in ("backbone", "against_backbone") if name in table]
    return table[table[columns].isin([backbone, "none"]).all(axis=1)]


def _degrees(dataset: xr.Dataset) -> float:
    return float(abs(dataset["lat"].values[1] - dataset["lat"].values[0]))


def _world_map(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    if "truth" not in inputs or "drivers" not in inputs:
        return {"towers": inputs["towers"]}
    drivers = inputs["drivers"]
    table = world_map.tabulate(drivers, inputs["truth"])
    return {"towers": inputs["towers"], "table": table, "degrees": float(drivers.attrs["grid_degrees"])}


def _skill(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    return {"skill": inputs["skill"], "paired": inputs["paired"], "reference": config.reference}


def _series(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    predictions = inputs["predictions"]
    method = config.method if config.method in predictions else next(iter(predictions))
    return {
        "table": series.tabulate(
            inputs["towers"], predictions[method], inputs.get("labels"), config.series_flux, config.series_towers
        )
    }


def _cycles(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    return {"table": seasonal_cycles.tabulate(inputs["towers"], inputs["predictions"], config.compared)}


def _closure(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    return {"table": closure_histogram.tabulate(inputs["predictions"], inputs.get("products"))}


def _fractions(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    table = plant_fractions.tabulate(inputs["learned"], inputs["cover"], inputs.get("roles"))
    return {"table": table, "drivers": inputs.get("drivers")}


def _maps(inputs: Inputs, config: FiguresConfig) -> dict[str, Any]:
    table = product_maps.tabulate(inputs["products"], inputs.get("truth"), inputs.get("cover"))
    return {"table": table, "degrees": _degrees(inputs["products"]["gpp"])}


ARGUMENTS: dict[str, Callable[[Inputs, FiguresConfig], dict[str, Any]]] = {
    "world_map": _world_map,
    "skill_comparison": _skill,
    "comparison": lambda inputs, config: {"comparison": inputs["comparison"]},
    "series": _series,
    "seasonal_cycles": _cycles,
    "calibration": lambda inputs, config: {"calibration": inputs["calibration"]},
    "label_weights": lambda inputs, config: {"table": label_weights.tabulate(inputs["labels"])},
    "closure_histogram": _closure,
    "plant_fractions": _fractions,
    "product_maps": _maps,
    "training_history": lambda inputs, config: {"history": inputs["history"]},
}
"""Figure name to the arguments of its draw function."""


def draw_all(files: Files, folder: Path, config: FiguresConfig, backbone: str | None = None) -> list[Path]:
    """Draw every figure that the files allow and write it with the table of its numbers.

    Parameters
    ----------
    files
        As for ``read_inputs``.
    folder
        Where ``<name>.png``, ``<name>.svg`` and, for figures with numbers of their own, ``<name>.csv`` go.
    config
        Presentation.
    backbone
        Backbone that figures of one backbone show, of runs with several.

    Returns
    -------
    list of Path
        Every written file.
    """
    inputs = read_inputs(files)
    if backbone is not None:
        inputs |= {name: of_backbone(inputs[name], backbone) for name in _ONE_BACKBONE if name in inputs}
    written: list[Path] = []
    with house_style():
        for name in possible(inputs, config.skip):
            start = time.perf_counter()
            arguments = ARGUMENTS[name](inputs, config)
            if arguments.get("table") is not None:
                written.append(write_table(arguments["table"], Path(folder) / f"{name}.csv"))
            figure = Figure(figsize=CATALOGUE[name].size, layout="constrained")
            FIGURES[name](figure, **arguments)
            written += write_figure(figure, folder, name, config.formats, config.dpi)
            log.info("%s drawn in %.1f s", name, time.perf_counter() - start)
    return written
