"""Methods, one room each; what a run can train, predict and judge follows from their declarations.

To add one, add a file or folder here that declares ``METHODS`` (docs/extending.md). Modules that declare nothing serve
the rooms beside them. A job loads the room that its rule names and no other, so that a new room reruns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from dere.methods.base import Method, Stage
from dere.rooms import declared, remembered


@remembered
def methods() -> dict[str, Method]:
    """All methods by name, simple ones first.

    Raises
    ------
    ValueError
        When two rooms declare a method of one name.
    """
    found = [(room, method) for room, group in declared(__name__, "METHODS").items() for method in group]
    owner: dict[str, str] = {}
    for room, method in found:
        if owner.setdefault(method.name, room) != room:
            raise ValueError(f"method '{method.name}' is declared in {owner[method.name]} and in {room}; rename one")
    return {method.name: method for _, method in sorted(found, key=lambda pair: (pair[1].rank, pair[1].name))}


@remembered
def stages() -> dict[str, Stage]:
    """All stages by name, in the order of the methods that need them.

    Raises
    ------
    ValueError
        When two rooms declare a stage of one name, or a method needs a stage that none declares.
    """
    known: dict[str, Stage] = {}
    for room, group in declared(__name__, "STAGES").items():
        for stage in group:
            if stage.name in known:
                raise ValueError(f"stage '{stage.name}' of {room} is declared by another room too; rename one")
            known[stage.name] = stage
    wanted = dict.fromkeys(name for method in methods().values() for name in method.stages)
    for name in wanted:
        if name not in known:
            raise ValueError(f"a method needs the stage '{name}', which no room declares; declare it in STAGES")
    return {name: known[name] for name in wanted}


def rooms() -> tuple[dict[str, str], dict[str, str]]:
    """Return the module that declares each method, and each stage."""
    of_methods = {m.name: room for room, group in declared(__name__, "METHODS").items() for m in group}
    of_stages = {s.name: room for room, group in declared(__name__, "STAGES").items() for s in group}
    return of_methods, of_stages


def stages_of(names: Iterable[str]) -> list[Stage]:
    """Stages that some methods need, each once, in order."""
    wanted = dict.fromkeys(stage for name in names for stage in methods()[name].stages)
    return [stages()[name] for name in wanted]


__all__ = ["Method", "Stage", "methods", "rooms", "stages", "stages_of"]
