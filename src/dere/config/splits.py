"""Configuration of who trains, validates and tests."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from dere.config.base import Section


class SplitsConfig(Section):
    """Who trains, validates and tests."""

    folds: int = Field(5, ge=3)
    """Number of folds; test = fold k, validation = fold k+1, the rest trains."""
    cluster_km: float = Field(50.0, gt=0)
    """Towers closer than this share a fold."""
    block_degrees: float = Field(12.0, gt=0)
    """Cells in one block of this size share a fold."""
    seed: int = Field(0, ge=0)
    """Seed of the assignment of clusters to folds."""
    cell_rule: Literal["blocks", "published_every_fourth"] = "blocks"
    """blocks = cells of one block share a fold; published_every_fourth = the published lattice (fold 0 only)."""
    site_rule: Literal["clusters", "published"] = "clusters"
    """clusters = neighbouring towers share a fold; published = training and test towers of the dere arrays (fold 0)."""
    protocol: Literal["clusters", "class", "climate", "warm"] = "clusters"
    """What a test fold holds: clusters = any towers; class or climate = plant classes (IGBP) or main climates that no
    training tower has; warm = the warmest fifth of the towers (fold 0 only)."""
    left_out: tuple[str, ...] = ()
    """Classes (EBF, CRO, ...) or main climates (tropical, polar, ...) that fold 0 tests under protocol class or
    climate; empty = all are shared out over the folds."""
    assignments: int = Field(1, ge=1)
    """Random assignments of clusters to folds; fold a * folds + k is fold k of assignment a."""
    training_towers: int | None = Field(None, ge=2)
    """Keep the labels of so many towers beside the test towers, whole clusters drawn at random; null = of all."""
    training_draw: int = Field(0, ge=0)
    """Number of that draw; another one keeps other towers."""

    @property
    def all_folds(self) -> int:
        """Number of folds of all assignments."""
        return self.folds * self.assignments

    @property
    def without_test(self) -> int:
        """Number of the fold that tests no tower: the one after the last."""
        return self.all_folds

    @property
    def keeps_towers_apart(self) -> str | None:
        """Leaf and value that leave towers out of every fold, or allow fold 0 alone; None where there is none."""
        plain = {"protocol": "clusters", "site_rule": "clusters", "cell_rule": "blocks", "training_towers": None}
        odd = [name for name, value in plain.items() if getattr(self, name) != value]
        return f"splits.{odd[0]}: {getattr(self, odd[0])}" if odd else None

    def towers_to_learn_from(self, towers: int) -> int:
        """Most towers that the fold with fewest of them can learn from, where there are so many towers in all."""
        return towers - math.ceil(towers / self.folds)

    @property
    def single(self) -> bool:
        """Whether only fold 0 is what the protocol says."""
        return self.protocol == "warm" or bool(self.left_out)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Protocols and assignments regroup clusters of towers, which the published split does not have."""
        if self.left_out and self.protocol not in ("class", "climate"):
            raise ValueError(
                f"splits.left_out: it is {list(self.left_out)}, but splits.protocol is {self.protocol}, which leaves "
                "nothing out; choose protocol class or climate, or empty left_out"
            )
        published = self.site_rule == "published" or self.cell_rule == "published_every_fourth"
        if published and (self.protocol != "clusters" or self.assignments > 1):
            key = "protocol" if self.protocol != "clusters" else "assignments"
            raise ValueError(
                f"splits.{key}: it is {getattr(self, key)}, but the published split is one and fixed; choose "
                "splits.site_rule: clusters and splits.cell_rule: blocks"
            )
        if self.assignments > 1 and self.protocol != "clusters":
            raise ValueError(
                f"splits.assignments: it is {self.assignments}, but splits.protocol is {self.protocol}, whose test "
                "towers do not depend on chance; choose 1, or protocol clusters"
            )
        return self


def folds_told(splits: SplitsConfig) -> str:
    """Say which folds there are.

    Examples
    --------
    >>> folds_told(SplitsConfig(folds=5, assignments=3))
    'splits.folds is 5 and splits.assignments 3, so choose from 0 to 14'
    """
    times = f" and splits.assignments {splits.assignments}" if splits.assignments > 1 else ""
    return f"splits.folds is {splits.folds}{times}, so choose from 0 to {splits.all_folds - 1}"
