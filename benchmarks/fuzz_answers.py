"""What a reader answers, laid over what it answers to the undamaged file: by coordinates, never by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

RELATIVE, ABSOLUTE = 2e-5, 1e-5
"""Rounding: a float32 or a text of six digits is no other number."""
SAYS_NOTHING = {
    "source",
    "processing",
    "variant",
    "partitioning",
    "network",
    "in_record",
    "time_bnds",
    "cell",
    "impossible",
}
"""Variables that may follow the name of a file or the order of its rows, or that count what was taken out."""


@dataclass(frozen=True)
class Field:
    """Values with a label for every place of every axis.

    Parameters
    ----------
    values
        Numbers (NaN = missing) or texts ('' = missing).
    labels
        One array of texts per axis: site, month, place, name.
    """

    values: np.ndarray
    labels: tuple[np.ndarray, ...]

    @property
    def is_text(self) -> bool:
        """Whether the values are no numbers."""
        return self.values.dtype.kind in "OUS"

    def at(self, place: tuple[int, ...]) -> str:
        """Labels of a place, for people."""
        return " ".join(str(axis[index]) for axis, index in zip(self.labels, place, strict=True))


Answer = Mapping[str, Field]


@dataclass
class Comparison:
    """How an answer differs from the expected one.

    Attributes
    ----------
    wrong, lost
        Number of values that are another number, and that are missing.
    examples
        The first of each, in words.
    """

    wrong: int = 0
    lost: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    def add(self, kind: str, count: int, example: str) -> None:
        """Count values of a kind, ``wrong`` or ``lost``."""
        if count:
            setattr(self, kind, getattr(self, kind) + count)
            self.examples.setdefault(kind, example)


def answer_of(given: Any, prefix: str = "") -> dict[str, Field]:
    """Return every value of datasets, tables, mappings or sequences of them, by variable."""
    found: dict[str, Field] = {}
    if isinstance(given, xr.Dataset):
        for name, variable in given.variables.items():
            if name in SAYS_NOTHING or name in given.dims or variable.dtype.kind == "M":
                continue
            labels = tuple(labels_of(given, str(dim)) for dim in variable.dims)
            found[f"{prefix}{name}"] = Field(plain(variable.to_numpy()), labels)
    elif isinstance(given, pd.DataFrame):
        index = given.index.astype(str).to_numpy()
        for name in given.columns:
            if name not in SAYS_NOTHING:
                found[f"{prefix}{name}"] = Field(plain(given[name].to_numpy()), (index,))
    elif isinstance(given, Mapping):
        for key, part in given.items():
            found |= answer_of(part, f"{prefix}{key}.")
    elif isinstance(given, (tuple, list)) and any(isinstance(part, (xr.Dataset, pd.DataFrame)) for part in given):
        for number, part in enumerate(given):
            found |= answer_of(part, f"{prefix}{number}.")
    elif given is not None:
        found[prefix.rstrip(".")] = Field(plain(np.asarray(given if np.isscalar(given) else str(given))), ())
    return found


def plain(values: np.ndarray) -> np.ndarray:
    """Numbers in double precision, all else as text."""
    if values.dtype.kind in "fiub":
        return values.astype(float)
    texts = values.astype(str)
    return np.where(np.isin(texts, ("nan", "None", "<NA>")), "", texts)


def labels_of(dataset: xr.Dataset, dim: str) -> np.ndarray:
    """Labels of an axis: places by latitude and longitude, times by month, else the coordinate or the position."""
    if all(name in dataset.variables and dataset[name].dims == (dim,) for name in ("lat", "lon")) and dim != "site":
        pairs = zip(dataset["lat"].to_numpy(), dataset["lon"].to_numpy(), strict=True)
        return np.array([f"{lat:.4f},{lon:.4f}" for lat, lon in pairs], dtype=object)
    if dim not in dataset.coords:
        return np.arange(dataset.sizes[dim]).astype(str).astype(object)
    values = dataset[dim].to_numpy()
    if values.dtype.kind == "M":
        return values.astype("datetime64[M]").astype(str).astype(object)
    if values.dtype.kind == "f":
        return np.array([f"{value:.4f}" for value in values], dtype=object)
    return values.astype(str).astype(object)


def aligned(answer: Field | None, sound: Field) -> tuple[np.ndarray, int]:
    """Values of an answer at the places of the sound one, and how many known values it has elsewhere or twice."""
    empty = np.full(sound.values.shape, "" if sound.is_text else np.nan, dtype=object if sound.is_text else float)
    if answer is None or len(answer.labels) != len(sound.labels):
        return empty, 0 if answer is None else int(known(answer.values).sum())
    values = answer.values.astype(object if sound.is_text else float) if answer.is_text == sound.is_text else None
    if values is None:
        return empty, int(known(answer.values).sum())
    chosen, there = [], []
    extra = 0
    for mine, theirs in zip(answer.labels, sound.labels, strict=True):
        index = pd.Index(mine)
        extra += int(index.duplicated().sum())
        places = index[~index.duplicated()].get_indexer(theirs)
        first = np.flatnonzero(~index.duplicated())
        there.append(places >= 0)
        chosen.append(first[np.maximum(places, 0)] if len(first) else np.zeros(len(theirs), int))
    if values.size:
        inside = np.ix_(*there) if there else ()
        taken = values[np.ix_(*(places[known_] for places, known_ in zip(chosen, there, strict=True)))]
        empty[inside] = taken if there else values
        extra += int(known(values).sum() - known(taken).sum()) if there else 0
    return empty, extra


def known(values: np.ndarray) -> np.ndarray:
    """Tell which values are there: finite or infinite numbers, texts that are not empty."""
    return values != "" if values.dtype.kind in "OUS" else ~np.isnan(values)


def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell which values agree but for rounding; a missing one agrees with none."""
    if one.dtype.kind in "OUS":
        return one == other
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(one - other) <= ABSOLUTE + RELATIVE * np.abs(other)


def compare(answer: Answer, sound: Answer, repaired: Answer | None) -> Comparison:
    """Count the values of an answer that agree with neither the sound nor the repaired file.

    Parameters
    ----------
    answer, sound
        What was read from the damaged and from the undamaged file.
    repaired
        What was read from the file in which every spoiled value is a proper missing one: a value that is missing
        there may be missing, and what is computed of the rest may be so.
    """
    found = Comparison()
    for name, wanted in sound.items():
        values, extra = aligned(answer.get(name), wanted)
        allowed = wanted.values if repaired is None else aligned(repaired.get(name), wanted)[0]
        right = same(values, wanted.values) | same(values, allowed)
        wrong = known(values) & ~right
        lost = ~known(values) & known(wanted.values) & known(allowed)
        for kind, places in (("wrong", wrong), ("lost", lost)):
            if places.any():
                where = tuple(int(axis) for axis in np.argwhere(places)[0])
                text = f"{name} {wanted.at(where)}: {wanted.values[where]} became {values[where]}"
                found.add(kind, int(places.sum()), text)
        found.add("wrong", extra, f"{name} has {extra} values at places that the undamaged file lacks, or twice")
    return found


def examples(found: Comparison) -> Iterator[str]:
    """Yield what differs, in words."""
    for kind in ("wrong", "lost"):
        if count := getattr(found, kind):
            yield f"{count} values {'differ' if kind == 'wrong' else 'are gone'} ({found.examples[kind]})"
