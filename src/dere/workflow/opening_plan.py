"""What the rule of a run's first page tells its job: how methods are called, and which files there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dere.exchange import DEFAULT
from dere.workflow import targets
from dere.workflow.runs_on import mixed, reads

READ = ("paired", "comparison", "calibration", "site_skill", "roles", "cost")
"""Tables of an exchange beside that of scores."""
TABLES = ("skill", *READ, "site_calibration", "closure", "totals", "transfers", "sites", "changes")
EXPLORER = "explorer/index.html"
"""Explorer of an exchange, from its folder."""
OF_RUN = ("provenance", "citations", "sources", "sources_cover", "merged", "odd_months")


def facts(config: Mapping[str, Any], exchange: str = DEFAULT) -> dict[str, Any]:
    """Return what the page must know beside its tables, as `dere.opening.facts.Facts` takes it."""
    method, backbone = targets.product_member(config, exchange).split("/")
    members = sorted(targets.methods_of(config, exchange), key=lambda one: one.rank)
    return {
        "run": config["run"],
        "exchange": exchange,
        "method": method,
        "backbone": backbone,
        "methods": {one.name: {"label": one.label, "simple": not (one.per_backbone or one.parts)} for one in members},
        "backbones": targets.backbone_labels(config),
        "reads": reads(config),
        "invented": bool(targets.built_in(config)),
        "mixed": mixed(config),
        "references": list(targets.product_method(config, exchange).references),
    }


def links(config: Mapping[str, Any], figures: Sequence[str], exchange: str = DEFAULT) -> dict[str, list[str]]:
    """Return title to files, by their paths from the folder of the exchange.

    Parameters
    ----------
    config
        The complete configuration.
    figures
        Names of the files of the figures, which are of the default exchange.
    exchange
        Whose page it is.
    """
    first = exchange == DEFAULT
    tables = [*TABLES, *(OF_RUN if first else ())]
    if first and targets.has_imputation(config):
        tables.append("imputation")
    if targets.with_neighbours(config, exchange):
        tables.append("neighbours")
    top = _top(exchange)
    suffix = config["figures"]["formats"][0]
    return {
        "Run": [EXPLORER, f"{top}report.html", f"{top}config.html", "changes.html"],
        "Figures": [f"figures/{name}" for name in figures if first and name.endswith(f".{suffix}")],
        "Tables": [f"tables/{name}.csv" for name in tables],
    }


def others(config: Mapping[str, Any], exchange: str = DEFAULT) -> dict[str, str]:
    """Return the other exchanges of a run to the path of their pages from the folder of this one."""
    names = [name for name in config["exchanges"] if name != exchange]
    return {name: f"{_top(exchange)}{targets.prefix(name)}index.html" for name in names}


def _top(exchange: str) -> str:
    """Path from the folder of an exchange to that of the run."""
    return "" if exchange == DEFAULT else "../"
