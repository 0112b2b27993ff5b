"""Whether what a plug-in declares can stand in a room; members of the package are held to it by tests."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from dere import rooms
from dere.backbones import BackboneRoom
from dere.methods import Method, Stage

KINDS: dict[str, type] = {"METHODS": Method, "STAGES": Stage, "BACKBONE": BackboneRoom}
"""What is declared, and of what kind it is or, in the plural, what it is a tuple of."""


def require_sound(what: str, name: str, declarations: Mapping[str, Any]) -> None:
    """Check that what is declared is what a room holds, under names that rules and paths can have.

    Parameters
    ----------
    what
        Name for messages.
    name
        Name of the member, which is that of a network.
    declarations
        What it declares, by marker.

    Raises
    ------
    ValueError
        When it is something else, or has another name.
    """
    for marker, declared in declarations.items():
        kind = KINDS[marker]
        items = [declared] if marker == "BACKBONE" else declared
        if not isinstance(items, (list, tuple)) or not all(isinstance(item, kind) for item in items):
            expected = f"a {kind.__name__}" if marker == "BACKBONE" else f"a tuple of {kind.__name__}"
            raise ValueError(f"{what}: {marker} is {declared!r:.80}, but {expected} is expected; correct it")
        for each in [name] if marker == "BACKBONE" else [item.name for item in items]:
            if not str(each).isidentifier():
                raise ValueError(
                    f"{what}: {each!r} is the name of a {kind.__name__.lower()}, but letters, digits and _ are "
                    "expected, since rules and folders are called so; rename it"
                )


def require_functions(module: ModuleType) -> None:
    """Check that the texts ``module:function`` of a declaration name something; no module but their packages is loaded.

    Raises
    ------
    ValueError
        When one names nothing.
    """
    texts = [method.predict or method.combine for method in getattr(module, "METHODS", ())]
    texts += [stage.fit for stage in getattr(module, "STAGES", ())]
    texts += [room.network for room in [getattr(module, "BACKBONE", None)] if room is not None]
    for text in texts:
        if not rooms.holds(*text.partition(":")[::2]):
            raise ValueError(
                f"{module.__name__} names {text}, but module:function of a module that Python finds and a name in it "
                "are expected; correct it"
            )
