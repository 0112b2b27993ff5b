"""What differs between the results of two runs: tables, NetCDF files and checkpoints, bit for bit.

Left out is what may differ between two runs of one commit, or states which code ran: times, memory, hashes, versions
and dates (`UNSTABLE_COLUMNS`, `UNSTABLE_ATTRIBUTES`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pandas as pd
from safetensors.numpy import load_file

UNSTABLE_COLUMNS = {"seconds", "cpu_seconds", "max_rss_mb", "sha256"}
UNSTABLE_ATTRIBUTES = {
    "code_hash",
    "code_version",
    "configuration_hash",
    "creation_date",
    "history",
    "input_data_versions",
    "provenance_table",
    "source",
    "source_data_provenance_table",
    "source_versions",
    "tracking_id",
}
"""Attributes of files; hashes inside the text of other attributes do not count either."""
ORDERED_BY_TIME = {"tables/cost.csv"}
"""Tables whose rows stand in an order that differs from run to run."""
LEFT_OUT = {"logs", "benchmarks"}
"""Folders of a run that hold times and nothing else."""
HASH = re.compile(r"\b[0-9a-f]{16,64}\b")
BEFORE_RUN = re.compile(r"^.*?results/[^/]+/")
"""What stands before the path of a file below its run."""


@dataclass(frozen=True)
class Difference:
    """One difference: the file below the run's folder, its column, variable or tensor, and what is found."""

    file: str
    part: str
    text: str

    def __str__(self) -> str:
        return f"{self.part}: {self.text}" if self.part else self.text


Parts = Iterator[tuple[str, str]]
"""Part of a file and what differs there."""
Comparison = Callable[[str, Path, Path, Mapping[str, str]], Parts]
"""Compares a file, named below the run, in two runs; paths inside it follow renames."""


def compare(base: Path, head: Path, renames: Mapping[str, str]) -> tuple[list[Difference], dict[str, int]]:
    """Return the differences between two runs, sorted by file, and how many files of each kind are equal.

    Parameters
    ----------
    base, head
        Folders of the two runs.
    renames
        Old to new path of files and folders, below the run.

    Raises
    ------
    FileNotFoundError
        When a run holds no file.
    """
    ours, theirs = {renamed(name, renames): path for name, path in files_of(base).items()}, files_of(head)
    found = [Difference(name, "", "only BASE has this file") for name in ours.keys() - theirs.keys()]
    found += [Difference(name, "", "only HEAD has this file") for name in theirs.keys() - ours.keys()]
    equal = {kind: 0 for kind, _ in KINDS.values()}
    for name in sorted(ours.keys() & theirs.keys()):
        kind, differing = kind_of(name)
        if differing:
            here = [Difference(name, part, text) for part, text in differing(name, ours[name], theirs[name], renames)]
            found += here
            equal[kind] += not here
    return sorted(found, key=lambda difference: difference.file), equal


def files_of(run: Path) -> dict[str, Path]:
    """Return the files of a run by their path below it, without logs and hidden ones.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    paths = {path.relative_to(run).as_posix(): path for path in sorted(run.rglob("*")) if path.is_file()}
    kept = {name: path for name, path in paths.items() if name.split("/")[0] not in LEFT_OUT and path.name[0] != "."}
    if not kept:
        raise FileNotFoundError(f"{run} holds no results; give the folder of a finished run")
    return kept


def renamed(name: str, renames: Mapping[str, str]) -> str:
    """Return the new path of a file that moved, itself or with its folder."""
    for old, new in renames.items():
        if name == old or name.startswith(f"{old}/"):
            return new + name[len(old) :]
    return name


def kind_of(name: str) -> tuple[str, Comparison | None]:
    """Return kind and comparison of a file by its suffix; of other files only the presence is compared."""
    suffix = "".join(Path(name).suffixes[-2:]) if name.endswith(".gz") else Path(name).suffix
    if name.startswith("raw/") and suffix != ".nc":
        return KINDS[""]
    return KINDS.get(suffix, ("", None))


def table_differences(name: str, base: Path, head: Path, renames: Mapping[str, str]) -> Parts:
    """Yield differences of columns, rows and values of two tables, whose values are compared as text."""
    old, new = read_table(base), read_table(head)
    yield from only_in_one(old.columns, new.columns, "column")
    columns = [column for column in old.columns if column in set(new.columns) - UNSTABLE_COLUMNS]
    if columns != [column for column in new.columns if column in columns]:
        yield "", "the columns stand in another order"
    old, new = old[columns], new[columns]
    if "file" in columns:
        old = old.assign(file=[renamed(below_run(path), renames) for path in old["file"]])
        new = new.assign(file=[below_run(path) for path in new["file"]])
    if name in ORDERED_BY_TIME:
        old, new = (table.sort_values(columns, ignore_index=True) for table in (old, new))
    yield from row_differences(old, new)


def row_differences(old: pd.DataFrame, new: pd.DataFrame) -> Parts:
    """Yield how the rows of two tables of equal columns differ: by column, or which rows only one has."""
    rows = [Counter(table.itertuples(index=False, name=None)) for table in (old, new)]
    if len(old) != len(new):
        for part, who, more in (("-rows", "BASE", rows[0] - rows[1]), ("+rows", "HEAD", rows[1] - rows[0])):
            if more:
                yield part, f"only {who} has {more.total()} of its rows, the first is {','.join(next(iter(more)))}"
    elif rows[0] == rows[1]:
        if not old.equals(new):
            yield "", "the same rows stand in another order"
    else:
        for column in old:
            changed = np.flatnonzero(old[column].to_numpy() != new[column].to_numpy())
            if changed.size:
                first = changed[0]
                example = f"{old[column].iloc[first]} -> {new[column].iloc[first]}"
                yield str(column), f"{changed.size} of {len(old)} rows differ, the first is row {first}: {example}"


def read_table(path: Path) -> pd.DataFrame:
    """Read a table as text, so that every digit counts; an empty file has no column."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def below_run(path: str) -> str:
    """Return a path without the folders down to its run's."""
    return BEFORE_RUN.sub("", path)


def dataset_differences(name: str, base: Path, head: Path, renames: Mapping[str, str]) -> Parts:
    """Yield differences of attributes, variables and their values as they are stored."""
    with netCDF4.Dataset(base) as old, netCDF4.Dataset(head) as new:
        for dataset in (old, new):
            dataset.set_auto_maskandscale(False)
        yield from attribute_differences("", old, new)
        yield from only_in_one(old.variables, new.variables, "variable")
        for variable in old.variables.keys() & new.variables.keys():
            one, other = old[variable], new[variable]
            yield from attribute_differences(variable, one, other)
            if one.dimensions != other.dimensions:
                yield variable, f"its dimensions are {one.dimensions} and {other.dimensions}"
            yield from array_differences(variable, one[...], other[...])


def attribute_differences(part: str, old: Any, new: Any) -> Parts:
    """Yield the attributes of a file or variable that differ."""
    ours, theirs = ({key: thing.getncattr(key) for key in thing.ncattrs()} for thing in (old, new))
    keys = dict.fromkeys([*ours, *theirs])
    for key in keys.keys() - UNSTABLE_ATTRIBUTES:
        one, other = (stable(values.get(key)) for values in (ours, theirs))
        if one != other:
            yield part, f"attribute {key}: {one} -> {other}"


def stable(value: Any) -> str:
    """Return the text of an attribute without the hashes in it; None is an attribute that is not there."""
    return "nothing" if value is None else HASH.sub("<hash>", repr(np.asarray(value).tolist()))


def array_differences(part: str, old: np.ndarray, new: np.ndarray) -> Parts:
    """Yield how two arrays differ in kind, shape or bits; a NaN equals one of the same bits only."""
    old, new = np.asarray(old), np.asarray(new)
    if (old.dtype, old.shape) != (new.dtype, new.shape):
        yield part, f"{old.dtype}{list(old.shape)} -> {new.dtype}{list(new.shape)}"
    elif old.dtype == object:
        if changed := int(np.sum(old != new)):
            yield part, f"{changed} of {old.size} values differ"
    elif old.tobytes() != new.tobytes():
        bits = (np.frombuffer(values.tobytes(), np.uint8).reshape(old.size, -1) for values in (old, new))
        changed = int(np.not_equal(*bits).any(1).sum())
        largest = ""
        if np.issubdtype(old.dtype, np.number):
            with np.errstate(invalid="ignore"):
                apart = np.abs(new.astype(float) - old.astype(float))
            largest = f", the largest difference is {np.nanmax(apart):.3g}" if np.isfinite(apart).any() else ""
        yield part, f"{changed} of {old.size} values differ{largest}"


def checkpoint_differences(name: str, base: Path, head: Path, renames: Mapping[str, str]) -> Parts:
    """Yield the tensors that differ."""
    old, new = load_file(base), load_file(head)
    yield from only_in_one(old, new, "tensor")
    for tensor in sorted(old.keys() & new.keys()):
        yield from array_differences(tensor, old[tensor], new[tensor])


def byte_differences(name: str, base: Path, head: Path, renames: Mapping[str, str]) -> Parts:
    """Yield whether two files differ at all; raw files have formats, encodings and faults of their own."""
    if base.read_bytes() != head.read_bytes():
        yield "", "its bytes differ"


def only_in_one(old: Any, new: Any, kind: str) -> Parts:
    """Yield the names that only one of two files holds."""
    for one, other, who in ((old, new, "BASE"), (new, old, "HEAD")):
        yield from ((str(name), f"only {who} has this {kind}") for name in one if name not in set(other))


KINDS: dict[str, tuple[str, Comparison]] = {
    ".csv": ("tables", table_differences),
    ".csv.gz": ("tables", table_differences),
    ".nc": ("NetCDF files", dataset_differences),
    ".safetensors": ("checkpoints", checkpoint_differences),
    "": ("raw files", byte_differences),
}
