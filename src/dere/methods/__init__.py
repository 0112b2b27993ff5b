"""Methods, one room each; what a run can train, predict and judge follows from their declarations.

To add one, add a file or folder here that declares ``METHODS`` (docs/extending.md). Modules that declare nothing serve
the rooms beside them. A job loads the room that its rule names and no other, so that a new room reruns nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dere import exchange
from dere.methods.base import Method, Stage
from dere.rooms import declared, remembered


@remembered
def methods() -> dict[str, Method]:
    """All methods by name, simple ones first; those over methods with the parts that they are shipped with.

    Raises
    ------
    ValueError
        When two rooms declare a method of one name, or a method has a part that is none or is over methods itself.
    """
    known = _as_declared()
    for method in known.values():
        for part in method.parts:
            if part not in known or known[part].parts:
                wrong = "is over methods itself" if part in known else "no room declares"
                raise ValueError(f"method '{method.name}' has the part '{part}', which {wrong}; name another")
    return {name: over(method, [known[part] for part in method.parts]) for name, method in known.items()}


@remembered
def _as_declared() -> dict[str, Method]:
    found = [(room, method) for room, group in declared(__name__, "METHODS").items() for method in group]
    owner: dict[str, str] = {}
    for room, method in found:
        if owner.setdefault(method.name, room) != room:
            raise ValueError(f"method '{method.name}' is declared in {owner[method.name]} and in {room}; rename one")
    ordered = sorted(found, key=lambda pair: (pair[1].rank, pair[1].name))
    return {method.name: _served(method) for _, method in ordered}


def _served(method: Method) -> Method:
    """Return a method with the exchanges that it serves: of one that learns from a simulation those that have one."""
    if not method.simulated:
        return method
    have = exchange.simulated()
    return replace(method, exchanges=tuple(name for name in method.exchanges or have if name in have))


def over(method: Method, parts: Sequence[Method]) -> Method:
    """Return a method over some parts: on networks if any of them is, for the exchanges that all of them serve."""
    if not parts:
        return method
    limited = [part.exchanges for part in (method, *parts) if part.exchanges]
    common = tuple(name for name in limited[0] if all(name in others for others in limited)) if limited else ()
    return replace(
        method,
        parts=tuple(part.name for part in parts),
        per_backbone=any(part.per_backbone for part in parts),
        exchanges=common,
        references=tuple(dict.fromkeys(text for each in (method, *parts) for text in each.references)),
    )


def in_run(name: str, config: Mapping[str, Any]) -> Method:
    """Return a method as it is in a run: one over methods has the parts that the complete configuration names."""
    known = methods()
    if not known[name].parts or name not in config:
        return known[name]
    return over(_as_declared()[name], [known[part] for part in config[name]["methods"]])


def foremost(of_run: Iterable[Method]) -> Method:
    """Return the method of some that stands for them: the last by rank that is not over others, if there is one."""
    return max(of_run, key=lambda method: (not method.parts, method.rank))


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


__all__ = ["Method", "Stage", "foremost", "in_run", "methods", "over", "rooms", "stages", "stages_of"]
