"""Which of the many fits of a method is meant: its backbone, fold and seed."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from dere.backbones import names
from dere.config.base import LARGEST
from dere.config.splits import SplitsConfig, folds_told
from dere.methods import Method
from dere.workflow import targets


def place_of(
    tree: Mapping[str, Any],
    method: Method,
    backbone: str | None = None,
    fold: int | None = None,
    seed: int | None = None,
) -> dict[str, str | int]:
    """Return ``backbone``, ``fold`` and ``seed`` of a method in a run; what is None is the first of the run.

    Raises
    ------
    ValueError
        When there is no such backbone or fold, fold or seed is no whole number, or the seed is none.
    """
    chosen = targets.backbones_of(method, tree)[0] if backbone is None else backbone
    if not method.per_backbone and chosen != targets.NO_BACKBONE:
        raise ValueError(f"backbone: {method.name} has no network, but {chosen} is asked for; leave it out")
    if method.per_backbone and chosen not in names():
        raise ValueError(f"backbone: {chosen} is not a known backbone; choose from {', '.join(names())}")
    tested = fold_of(tree, tree["folds"][0] if fold is None else fold)
    return {"backbone": chosen, "fold": tested, "seed": seed_of(tree["seeds"][0] if seed is None else seed)}


def fold_of(tree: Mapping[str, Any], fold: object) -> int:
    """Return a fold of a run.

    Raises
    ------
    ValueError
        When there is none of that number.
    """
    splits, tested = SplitsConfig(**tree["splits"]), whole("fold", fold)
    if tree["all_towers"] and tested == splits.without_test:
        return tested
    if not 0 <= tested < splits.all_folds:
        raise ValueError(f"fold: {tested} is not a fold; {folds_told(splits)}")
    return tested


def seed_of(seed: object) -> int:
    """Return a seed that every library behind the methods takes.

    Raises
    ------
    ValueError
        When it is no whole number, negative or too large.
    """
    given = whole("seed", seed)
    if not 0 <= given < LARGEST:
        raise ValueError(f"seed: {given} is no seed; give a whole number from 0 to {LARGEST - 1}")
    return given


def whole(name: str, value: object) -> int:
    """Return a whole number.

    Raises
    ------
    ValueError
        When it is none.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise ValueError(f"{name}: {value!r} is no whole number; give one, without quotes or a decimal point")
    return int(value)
