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
from dere.evaluation.predictions import judged
from dere.exchange.base import Exchange
from dere.exchange.co2 import EXCHANGE as CO2
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
from dere.figures.style import Shown, house_style
from dere.invented import figure_line, invented_sources
from dere.io import read_netcdf, write_table

log = logging.getLogger(__name__)

Inputs = Mapping[str, Any]
Files = Mapping[str, Path | str | Sequence[Path | str]]

_TABLES = ("skill", "paired", "calibration", "site_calibration", "comparison", "roles", "sites")
_ONE_BACKBONE = ("skill", "paired", "calibration", "site_calibration")


def read_inputs(files: Files, exchange: Exchange = CO2) -> dict[str, Any]:
    """Open every input under its name in the catalogue.

    Parameters
    ----------
    files
        Input name to its file; ``predictions``, ``products`` and ``history`` to a list of files. Predictions are keyed
        by their attribute ``method``, products by their flux, histories by the folder of the stage. Of predictions
        the sites that a model has seen in training are left out: figures show skill.
    exchange
        Whose fluxes the products hold.

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
            # maps can be large, and are read as far as a figure shows them
            datasets = [judged(read_netcdf(path, load=name == "predictions")) for path in paths]
            inputs[name] = {str(dataset.attrs[key]): dataset for dataset in datasets}
            if name == "products":
                inputs[name] = {flux.name: inputs[name][flux.stem] for flux in exchange.fluxes}
        elif name in _TABLES:
            inputs[name] = pd.read_csv(paths[0], dtype={"fold": str, "seed": str, "id": str, "site": str})
        else:
            # What there is of every cell can be large; a figure takes a few variables of it.
            inputs[name] = read_netcdf(paths[0], load=name not in ("drivers", "cover", "learned"))
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


def _world_map(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    known = {"towers": inputs["towers"], "sites": inputs.get("sites"), "exchange": exchange}
    if "truth" not in inputs or "drivers" not in inputs:
        return known
    drivers = inputs["drivers"]
    table = world_map.tabulate(drivers, inputs["truth"], exchange)
    return {**known, "table": table, "degrees": float(drivers.attrs["grid_degrees"])}


def _skill(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    tables = {name: inputs[name] for name in ("skill", "paired")}
    return {**tables, "reference": config.reference, "exchange": exchange}


def _comparison(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    return {"comparison": inputs["comparison"], "exchange": exchange}


def _series(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    predictions = inputs["predictions"]
    method = config.method if config.method in predictions else next(iter(predictions))
    flux = config.series_flux if config.series_flux in exchange.names else exchange.names[-1]
    table = series.tabulate(
        inputs["towers"], predictions[method], inputs.get("labels"), flux, config.series_towers, exchange
    )
    return {"table": table, "exchange": exchange}


def _cycles(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    table = seasonal_cycles.tabulate(inputs["towers"], inputs["predictions"], config.compared or (), exchange=exchange)
    return {"table": table, "exchange": exchange}


def _calibration(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    return {"calibration": inputs["calibration"], "exchange": exchange}


def _site_calibration(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    return {"site_calibration": inputs["site_calibration"], "exchange": exchange}


def _weights(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    return {"table": label_weights.tabulate(inputs["labels"]), "exchange": exchange}


def _closure(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    table = closure_histogram.tabulate(inputs["predictions"], inputs.get("products"), exchange)
    return {"table": table, "exchange": exchange}


def _fractions(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    table = plant_fractions.tabulate(inputs["learned"], inputs["cover"], inputs.get("roles"))
    return {"table": table, "drivers": inputs.get("drivers")}


def _maps(inputs: Inputs, config: FiguresConfig, exchange: Exchange) -> dict[str, Any]:
    products = inputs["products"]
    table = product_maps.tabulate(products, inputs.get("truth"), inputs.get("cover"), exchange)
    return {"table": table, "degrees": _degrees(products[exchange.names[0]]), "exchange": exchange}


ARGUMENTS: dict[str, Callable[[Inputs, FiguresConfig, Exchange], dict[str, Any]]] = {
    "world_map": _world_map,
    "skill_comparison": _skill,
    "comparison": _comparison,
    "series": _series,
    "seasonal_cycles": _cycles,
    "calibration": _calibration,
    "pit": _calibration,
    "site_calibration": _site_calibration,
    "label_weights": _weights,
    "closure_histogram": _closure,
    "plant_fractions": _fractions,
    "product_maps": _maps,
    "training_history": lambda inputs, config, exchange: {"history": inputs["history"]},
}
"""Figure name to the arguments of its draw function."""


def _invented(inputs: Inputs) -> list[str]:
    """Invented sources of any file behind the figures."""
    several = [inputs.get(name, {}).values() for name in ("predictions", "products")]
    files = [value for value in inputs.values() if isinstance(value, xr.Dataset)]
    return invented_sources(dataset.attrs for dataset in [*files, *(one for group in several for one in group)])


def draw_all(
    files: Files,
    folder: Path,
    config: FiguresConfig,
    backbone: str | None = None,
    exchange: Exchange = CO2,
    methods: Mapping[str, Shown] | None = None,
    backbones: Mapping[str, str] | None = None,
) -> list[Path]:
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
    exchange
        What is predicted.
    methods, backbones
        How the methods and backbones of the run show, as they declare it (`house_style`).

    Returns
    -------
    list of Path
        Every written file.
    """
    inputs = read_inputs(files, exchange)
    if backbone is not None:
        inputs |= {name: of_backbone(inputs[name], backbone) for name in _ONE_BACKBONE if name in inputs}
    note = figure_line(_invented(inputs))
    written: list[Path] = []
    with house_style(methods, backbones):
        for name in possible(inputs, config.skip, exchange):
            start = time.perf_counter()
            arguments = ARGUMENTS[name](inputs, config, exchange)
            if arguments.get("table") is not None:
                written.append(write_table(arguments["table"], Path(folder) / f"{name}.csv"))
            figure = Figure(figsize=CATALOGUE[name].size, layout="constrained")
            FIGURES[name](figure, **arguments)
            written += write_figure(figure, folder, name, config.formats, config.dpi, note)
            log.info("%s drawn in %.1f s", name, time.perf_counter() - start)
    return written
