"""What a run shows of itself in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dere.workflow import layout

if TYPE_CHECKING:
    from dere.api.run import Run


def overview(run: Run) -> str:
    """Lines that say what a run has: methods, networks, data, predictions and tables that are there."""
    known = layout.canonical(run.exchange.name)
    data = [name for name in known if (run.folder / known[name].format(fold=0, seed=0)).exists()]
    files = layout.predictions(run.exchange.name, "*").format(backbone="*", fold="*", seed="*")
    predicted = {path.parts[-4:-2] for path in run.folder.glob(files)}
    lines = {
        "methods": run.methods,
        "backbones": run.tree["backbones"],
        "folds": run.tree["folds"],
        "seeds": run.tree["seeds"],
        "data": data,
        "predictions": sorted({method for method, _ in predicted}),
        "on": sorted({backbone for _, backbone in predicted}),
        "tables": list(run.tables),
    }
    told = [f"  {name + ':':13}{', '.join(map(str, found)) or 'none yet'}" for name, found in lines.items()]
    return "\n".join([f"<dere run {run.name}, {run.exchange.name}, in {run.folder}>", *told])
