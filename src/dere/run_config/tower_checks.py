"""Whether a run has the towers that its splits ask for, as far as that is known before any file is read."""

from __future__ import annotations

import csv
from typing import Any

from dere.config.tower_groups import named_groups
from dere.resources import TOWERS


def require_towers(config: Any) -> None:
    """Check the towers that splits leave out or keep; harmonise counts those that have labels.

    Parameters
    ----------
    config
        The whole configuration.

    Raises
    ------
    ValueError
        When ``splits.left_out`` names what is no class or climate, or ``splits.training_towers`` is more than the
        built-in world or the package has beside the test towers.
    """
    named_groups(config.splits.protocol, config.splits.left_out)
    asked = config.splits.training_towers
    if asked is None or (known := known_towers(config)) is None:
        return
    count, where = known
    most = config.splits.towers_to_learn_from(count)
    if asked > most:
        raise ValueError(
            f"splits.training_towers: it is {asked}, but {where} {count} towers, of which a fold learns from {most} at "
            f"most (splits.folds: {config.splits.folds}); lower it, or choose null for all of them"
        )


def known_towers(config: Any) -> tuple[int, str] | None:
    """Return how many towers a run has and whose they are; None where its files say so."""
    source = config.sources.towers
    if source.provider == "bundled" and not source.paths:
        # the rooms of sources load numpy, which reading a configuration does without
        from dere.ingest.tower.bundled import SITES

        with (TOWERS / SITES).open(encoding="utf-8", newline="") as table:
            return sum(1 for _ in csv.DictReader(table)), "the package has"
    if source.provider == "files" and not source.paths and config.world is not None:
        return config.world.towers, "the built-in world has"
    return None
