"""Damage to the small JSON files beside arrays and tables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from fuzz_changes import Change, Damage, damage, pick

Tree = dict[str, Any]


def dumped(tree: Tree) -> bytes:
    return json.dumps(tree).encode()


@damage("harmless", 0.5)
def keys_in_another_order(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    return Change(dumped({key: tree[key] for key in rng.permutation(list(tree)).tolist()}))


@damage("hostile")
def leaf_of_another_kind(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    key = str(pick(rng, tree))
    odd = pick(rng, ("many", [], {"a": 1}, True, [["x"]], 1e30, float("nan"), -(10**40)))
    return Change(dumped({**tree, key: odd}), None, (key,))


@damage("hostile", 0.5)
def key_gone(tree: Tree, rng: np.random.Generator, about: object) -> Change:
    key = str(pick(rng, tree))
    return Change(dumped({name: value for name, value in tree.items() if name != key}), None, (key,), lacks=True)


@damage("hostile", 2)
def year_of_another_file(tree: Tree, rng: np.random.Generator, about: object) -> Change | None:
    """The first year is not that of the monthly drivers beside it."""
    if "start_year" not in tree:
        return None
    other = tree["start_year"] + int(pick(rng, (-100, -1, 1, 10)))
    return Change(dumped({**tree, "start_year": other}), None, ("start_year",))


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
