"""Exchanges: what is predicted. Each is one file that declares ``EXCHANGE``; a run names those it wants.

An exchange carries its fluxes with their units and ranges, what its simulation gives, how the fluxes close, and which
tower months are labels. Nothing else in the package names a flux. Importable without torch.
"""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dere.exchange.base import Exchange, Flux, LabelRule
from dere.rooms import members, remembered

DEFAULT = "co2"
"""The exchange whose files lie directly in the folder of a run; others have a folder of their own there."""


def names() -> list[str]:
    """Names of all exchanges, without loading them: an exchange is called as its file."""
    return [module.rpartition(".")[2] for module in members(__name__, "EXCHANGE")]


@remembered
def simulated() -> tuple[str, ...]:
    """Names of the exchanges that state what a simulation gives of them (``states``).

    They are read as text: loading one loads numpy, which reading a configuration does not.
    """
    return tuple(module.rpartition(".")[2] for module in members(__name__, "EXCHANGE") if _states(module))


def _states(module: str) -> bool:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    nodes = ast.walk(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    given = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "states"]
    return any(not (isinstance(value, ast.Tuple) and not value.elts) for value in given)


def get(name: str) -> Exchange:
    """Return an exchange by name.

    Raises
    ------
    ValueError
        When there is none of that name; lists the known ones.
    """
    known = names()
    if name not in known:
        raise ValueError(f"exchange '{name}' is unknown; choose from {', '.join(known)}")
    found: Exchange = import_module(f"dere.exchange.{name}").EXCHANGE
    if found.name != name:
        raise ValueError(
            f"dere.exchange.{name} declares the exchange '{found.name}'; call it as its file, or rename the file"
        )
    return found


__all__ = ["DEFAULT", "Exchange", "Flux", "LabelRule", "get", "names", "simulated"]
