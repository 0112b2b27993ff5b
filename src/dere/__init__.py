"""DERE: monthly GPP, RECO and NEE from simulations, plant-type maps and flux towers.

``open_run`` opens the folder of a run, ``fit`` and ``predict`` do what its rules do, ``predict_sites`` predicts sites
of your own and ``predict_grid`` fields on a grid, by a run or by the trained models of the package, which
``open_trained`` opens (``pack`` makes such a bundle), ``calibrate_sites`` sharpens sites by months of their own,
``interval`` sums fluxes with an interval, ``evaluate`` judges predictions on the rows of a run, ``compare`` sets two
runs side by side, ``register_method`` and ``register_backbone`` bring in your own (``docs/library.md``). ``Config`` is
the model of a configuration. Each is loaded when it is asked for, so that ``import dere`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dere.api.bundles import open_trained
    from dere.api.calibrating import calibrate_sites
    from dere.api.comparing import compare
    from dere.api.fitting import fit
    from dere.api.grids import predict_grid
    from dere.api.judging import Judgement, evaluate
    from dere.api.model import Model
    from dere.api.own_sites import predict_sites
    from dere.api.packing import pack
    from dere.api.predicting import predict
    from dere.api.registration import register_backbone, register_method
    from dere.api.run import Run, open_run
    from dere.api.sums import interval
    from dere.run_config.run import RunConfig as Config

__version__ = "0.1.0"

_HOMES = {
    "Judgement": "dere.api.judging",
    "Model": "dere.api.model",
    "Run": "dere.api.run",
    "calibrate_sites": "dere.api.calibrating",
    "compare": "dere.api.comparing",
    "evaluate": "dere.api.judging",
    "fit": "dere.api.fitting",
    "interval": "dere.api.sums",
    "open_run": "dere.api.run",
    "open_trained": "dere.api.bundles",
    "pack": "dere.api.packing",
    "predict": "dere.api.predicting",
    "predict_grid": "dere.api.grids",
    "predict_sites": "dere.api.own_sites",
    "register_backbone": "dere.api.registration",
    "register_method": "dere.api.registration",
}
"""Where each name is defined; ``Config`` is composed anew when a method or backbone is registered."""

__all__ = ["Config", "Judgement", "Model", "Run", "calibrate_sites", "compare", "evaluate", "fit", "interval",
           "open_run", "open_trained", "pack", "predict", "predict_grid", "predict_sites", "register_backbone",
           "register_method"]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "Config":
        return import_module("dere.run_config.compose").composed()
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
