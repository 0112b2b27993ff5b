"""Sequence networks behind one encode/decode interface; each is a file or folder that declares ``BACKBONE``.

A declaration is read without torch, for the configuration and the figures. The network's module is loaded when it is
built, so that an edit of one network retrains only its own runs. What several networks share lies beside them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dere.backbones.declaration import BackboneRoom, Sizes
from dere.config.network import NetworkConfig
from dere.rooms import declared, members

if TYPE_CHECKING:
    from dere.backbones.base import Backbone


def names() -> list[str]:
    """Names of all backbones in the order of their ranks; a backbone is called as its file or folder.

    Raises
    ------
    ValueError
        When two modules declare a backbone of one name.
    """
    rooms: dict[str, BackboneRoom] = {}
    for module, room in declared(__name__, "BACKBONE").items():
        name = module.rpartition(".")[2]
        if name in rooms:
            raise ValueError(f"backbone '{name}' is declared by {module} and by another module; rename one")
        rooms[name] = room
    return sorted(rooms, key=lambda name: (rooms[name].rank, name))


def module_of(name: str) -> str:
    """Return the module that declares a backbone; none is loaded.

    Raises
    ------
    ValueError
        When there is none of that name; lists the known ones.
    """
    known = {module.rpartition(".")[2]: module for module in members(__name__, "BACKBONE")}
    if name not in known:
        raise ValueError(f"backbone '{name}' is unknown; choose one of {', '.join(known)}")
    return known[name]


def declaration(name: str) -> BackboneRoom:
    """Return what a backbone declares; no other is loaded. `module_of` says what is raised."""
    room: BackboneRoom = import_module(module_of(name)).BACKBONE
    return room


def make_backbone(name: str, sizes: Sizes, config: NetworkConfig, branches: int = 1) -> Backbone:
    """Build a backbone; `declaration` says what is raised."""
    backbone: Backbone = declaration(name).network_class()(sizes, config, branches)
    return backbone


__all__ = ["BackboneRoom", "Sizes", "declaration", "make_backbone", "module_of", "names"]
