"""Where the files of a run lie below its folder; the rules and the library read it here.

Paths hold ``{backbone}``, ``{fold}`` and ``{seed}`` where a file is one of many.
"""

from __future__ import annotations

from dere import exchange as exchanges
from dere.workflow.targets import prefix

PLACE = "{backbone}/fold{fold}/seed{seed}"
CONFIGURATION = "config.yaml"
TRUTH = "data/truth.nc"
"""What only the built-in world has."""
KNOWN_SITES = "models/known_sites.nc"
"""What goes with the models, so that they predict other sites without the data of the run."""
SHARED = ("drivers", "simulation", "cover")
"""Canonical files that all exchanges have in common, but for the simulation of one that makes its states itself."""
CHECKPOINT = {"model": "model.safetensors", "manifest": "manifest.json", "history": "history.csv"}


def canonical(exchange: str) -> dict[str, str]:
    """Return the canonical files by name, those that stages read."""
    own = prefix(exchange)
    made = {"simulation": f"{own}data/simulation.nc"} if exchanges.get(exchange).simulate else {}
    return {
        **{name: f"data/{name}.nc" for name in SHARED},
        **made,
        "towers": f"{own}data/towers.nc",
        "splits": f"{own}data/splits.csv",
        "statistics": f"{own}data/statistics/fold{{fold}}.nc",
        "labels": f"{own}labels/fold{{fold}}/seed{{seed}}/labels.nc",
    }


def checkpoint(exchange: str, stage: str) -> str:
    """Return the folder of what a stage leaves behind."""
    return f"{prefix(exchange)}models/{PLACE}/{stage}"


def predictions(exchange: str, method: str, cells: bool = False) -> str:
    """Return the file of a method's predictions at sites, or in cells."""
    return f"{prefix(exchange)}predictions/{method}/{PLACE}{'_cells' if cells else ''}.nc"


def ensemble(exchange: str, member: str) -> str:
    """Return the mean prediction of all folds and seeds of ``method/backbone``."""
    return f"{prefix(exchange)}predictions/{member}/ensemble.nc"


def table(exchange: str, name: str) -> str:
    """Return a table."""
    return f"{prefix(exchange)}tables/{name}.csv"
