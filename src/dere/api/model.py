"""A fitted method in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dere.config.windows import WindowConfig
from dere.exchange import Exchange
from dere.methods import Method
from dere.training import checkpoint
from dere.training.fitted import Fitted


@dataclass(frozen=True)
class Model:
    """A fitted method: what `dere.predict` takes.

    Parameters
    ----------
    method, exchange, backbone
        What predicts what, on which sequence network (``none`` without one).
    stages
        What the stages that it predicts from left behind, by name: arrays, facts and history.
    windows
        How windows are cut, and which channels they have.
    parts
        Of a method over methods: the fitted methods that it combines, by name; it has no stages.
    split
        Hash of the split table that it was fitted with.
    fold, seed
        Fold and seed.
    """

    method: Method
    exchange: Exchange
    backbone: str
    stages: Mapping[str, Fitted]
    windows: WindowConfig
    split: str
    fold: int
    seed: int
    parts: Mapping[str, Model] = field(default_factory=dict)

    def __repr__(self) -> str:
        of = f"{self.method.name}/{self.backbone}, fold {self.fold}, seed {self.seed}"
        if self.parts:
            return f"<dere model {of}: over {', '.join(self.parts)}>"
        arrays = [value for fitted in self.stages.values() for value in fitted.arrays.values()]
        return f"<dere model {of}: {', '.join(self.stages) or 'no stage'}, {sum(a.size for a in arrays)} numbers>"


def read_model(
    method: Method,
    exchange: Exchange,
    place: Mapping[str, str | int],
    tree: Mapping[str, Any],
    split: str,
    folders: Mapping[str, Path],
) -> Model:
    """Read the checkpoints that a method predicts from.

    Parameters
    ----------
    method, exchange
        What predicts what.
    place
        ``backbone``, ``fold``, ``seed``.
    tree
        Complete configuration; its section harmonise says how windows are cut.
    split
        Hash of the split table.
    folders
        Stage to the folder of its checkpoint.

    Raises
    ------
    ValueError
        When a checkpoint is damaged, or belongs to another split, fold or exchange.
    """
    expect = {"split": split, "fold": place["fold"]}
    return Model(
        method=method,
        exchange=exchange,
        backbone=str(place["backbone"]),
        stages={stage: checkpoint.read(folder, exchange, expect) for stage, folder in folders.items()},
        windows=WindowConfig(**{key: tree["harmonise"][key] for key in WindowConfig.model_fields}),
        split=split,
        fold=int(place["fold"]),
        seed=int(place["seed"]),
    )


def over_parts(method: Method, exchange: Exchange, place: Mapping[str, str | int], parts: Mapping[str, Model]) -> Model:
    """Return the model of a method over methods from its fitted parts, of one fold and seed."""
    first = next(iter(parts.values()))
    return Model(
        method=method,
        exchange=exchange,
        backbone=str(place["backbone"]),
        stages={},
        windows=first.windows,
        split=first.split,
        fold=int(place["fold"]),
        seed=int(place["seed"]),
        parts=parts,
    )
