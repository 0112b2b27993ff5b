"""Which of the many fits of a method predict: at sites of its run, and at any other."""

from __future__ import annotations

from collections.abc import Sequence

from dere.api.place import place_of
from dere.api.run import Run
from dere.methods import Method
from dere.workflow import targets

Fit = tuple[str, int, int]
"""Backbone, fold and seed."""
ALL_TOWERS = "all towers"
"""What the models of other sites have learned from, in a run with ``all_towers``."""
EACH_FOLD = "training and validation towers of each fold"


def fits_of(
    run: Run, method: Method, backbone: str | None = None, fold: int | None = None, seed: int | None = None
) -> tuple[list[Fit], list[Fit]]:
    """Return the fits whose stored predictions count at sites of the run, and those that predict any other site.

    They differ in a run with ``all_towers``: its own sites have the predictions of the folds that test them, any other
    site is predicted by what was fitted on all towers.

    Parameters
    ----------
    run, method
        Whose fits.
    backbone
        The first of the run by default.
    fold, seed
        One fold or seed for both; default all.

    Raises
    ------
    ValueError
        When the run has no such backbone, fold or seed.
    """
    tree = run.tree
    place = place_of(tree, method, backbone, fold, seed)
    if method.per_backbone and place["backbone"] not in tree["backbones"]:
        raise ValueError(
            f"backbone: {place['backbone']} is none of the run's ({', '.join(tree['backbones'])}); choose one"
        )
    on_all = [targets.fold_of_all(tree)] if tree["all_towers"] else []
    seeds = list(tree["seeds"]) if seed is None else [int(place["seed"])]
    folds = list(tree["folds"]) if fold is None else [int(place["fold"])]
    for name, value, known in (("fold", folds[0], [*tree["folds"], *on_all]), ("seed", seeds[0], tree["seeds"])):
        if value not in known:
            raise ValueError(f"{name}: {value} is none of the run's ({', '.join(map(str, known))})")
    judged = [(str(place["backbone"]), int(number), int(start)) for number in folds for start in seeds]
    if fold is not None or not on_all:
        return judged, judged
    return judged, [(str(place["backbone"]), on_all[0], int(start)) for start in seeds]


def listed(fits: Sequence[Fit], part: int) -> str:
    """Return the folds (part 1) or seeds (part 2) of some fits as a text."""
    return " ".join(map(str, dict.fromkeys(fit[part] for fit in fits)))
