"""One case: a reader, one or two damages drawn from the seed, and the verdict on what the reader makes of it."""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fuzz_arrays
import fuzz_axes
import fuzz_bytes
import fuzz_databases
import fuzz_json
import fuzz_netcdf
import fuzz_netcdf_files
import fuzz_rows
import fuzz_settings
import fuzz_sheets
import numpy as np
import pandas as pd
from fuzz_answers import Answer, answer_of
from fuzz_changes import Change, Damage, pick
from fuzz_readers import Reader, Target
from fuzz_verdict import Verdict, listening, of_answer, of_error

from mutations.arrays import npy
from mutations.tables import Sheet, parse_sheet

HARMLESS_SHARE = 0.35
SECOND = 0.35
"""Share of cases with a second damage, a harmless one, to the bytes or the place of the file."""
CONTENTS = {
    "table": fuzz_rows.DAMAGES,
    "workbook": (*fuzz_rows.DAMAGES, *fuzz_sheets.DAMAGES),
    "database": fuzz_rows.DAMAGES,
    "netcdf": (*fuzz_axes.DAMAGES, *fuzz_netcdf.DAMAGES),
    "npy": fuzz_arrays.DAMAGES,
    "npz": fuzz_arrays.DAMAGES,
    "yaml": fuzz_settings.YAML,
    "json": fuzz_json.DAMAGES,
}
BYTES = {
    "table": "text",
    "text": "text",
    "netcdf": "netcdf",
    "npy": "npy",
    "yaml": "yaml",
    "json": "yaml",
    "database": "database",
}
"""What the bytes of a kind of file are."""
STORE = (fuzz_bytes.cut, fuzz_bytes.of_another_kind, fuzz_bytes.gone, fuzz_bytes.something_else_in_its_place)


@dataclass(frozen=True)
class Plan:
    """What a case does: its reader and target, a damage to the content, and one to the bytes or the place."""

    number: int
    reader: Reader
    target: Target
    content: Damage | None
    outside: Damage | None

    def __str__(self) -> str:
        damages = " + ".join(found.name for found in (self.content, self.outside) if found)
        return f"{self.reader.name} {self.target.file}: {damages}"


def plan(seed: int, number: int, attempt: int, readers: Sequence[Reader]) -> tuple[Plan, np.random.Generator]:
    """Draw a case; equal seeds, numbers and readers give equal cases."""
    rng = np.random.default_rng([seed, number, attempt])
    reader = readers[number % len(readers)]
    target = pick(rng, reader.targets)
    content, outside = fitting(target)
    family = "harmless" if rng.random() < HARMLESS_SHARE else "hostile"
    every = [*content, *outside]
    drawn = weighted(rng, [found for found in every if found.family == family] or every)
    first, second = (drawn, None) if drawn in content else (None, drawn)
    if first and rng.random() < SECOND:
        harmless = [found for found in outside if found.family == "harmless"]
        second = weighted(rng, harmless) if harmless else None
    return Plan(number, reader, target, first, second), rng


def fitting(target: Target) -> tuple[tuple[Damage, ...], tuple[Damage, ...]]:
    """Damages to the content, and to the bytes and the place, of a target."""
    outside = STORE if target.kind == "store" else (*fuzz_bytes.BYTES, *fuzz_bytes.PLACES)

    def kept(group: Sequence[Damage]) -> tuple[Damage, ...]:
        return tuple(found for found in group if found.name not in target.without)

    return kept(CONTENTS.get(target.kind, ())), kept(outside)


def weighted(rng: np.random.Generator, damages: Sequence[Damage]) -> Damage:
    """Draw by how often a damage is wanted."""
    share = np.array([found.often for found in damages])
    return damages[int(rng.choice(len(damages), p=share / share.sum()))]


@functools.cache
def sound_files(reader: Reader, seed: int) -> dict[str, bytes]:
    """The undamaged files of a reader by their path."""
    with tempfile.TemporaryDirectory() as made:
        reader.build(Path(made), seed)
        return {p.relative_to(made).as_posix(): p.read_bytes() for p in sorted(Path(made).rglob("*")) if p.is_file()}


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


_SOUND: dict[tuple[str, int], tuple[Answer, list[str]]] = {}


def sound_answer(reader: Reader, seed: int, folder: Path) -> tuple[Answer, list[str]]:
    """What is read of the undamaged files, and the warnings of it; read once."""
    if (reader.name, seed) not in _SOUND:
        write_files(sound_files(reader, seed), folder)
        with listening() as listener:
            answer = answer_of(reader.read(folder))
        _SOUND[reader.name, seed] = (answer, listener.lines)
        shutil.rmtree(folder)
    return _SOUND[reader.name, seed]


def load(target: Target, path: Path) -> Any:
    """Content of a file in the form that damages change."""
    if target.kind == "table":
        return parse_sheet(path.read_bytes(), target.separator, target.encoding)
    if target.kind == "workbook":
        table = pd.read_excel(path, dtype=str, keep_default_na=False)
        return Sheet(tuple(map(str, table.columns)), tuple(map(tuple, table.to_numpy().tolist())))
    if target.kind == "netcdf":
        return fuzz_netcdf_files.load(path)
    if target.kind == "database":
        return fuzz_databases.load(path)
    if target.kind == "npy":
        return np.load(path)
    if target.kind == "json":
        return json.loads(path.read_text())
    if target.kind == "npz":
        with np.load(path) as opened:
            return dict(opened)
    return fuzz_settings.sound_tree() if target.kind == "yaml" else path.read_bytes()


def save(target: Target, content: Any, path: Path) -> None:
    """Write a content that damages have changed."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif target.kind == "workbook":
        fuzz_sheets.save(content, path)
    elif target.kind == "database":
        fuzz_databases.save(content, path)
    elif isinstance(content, Sheet):
        path.write_bytes(content.encode())
    elif target.kind == "netcdf":
        path.unlink()
        fuzz_netcdf_files.save(content, path)
    elif target.kind == "npz":
        path.write_bytes(fuzz_arrays.packed(content))
    else:
        path.write_bytes(npy(content, pickled=content.dtype.kind == "O"))


def damaged(planned: Plan, folder: Path, rng: np.random.Generator) -> Change | None:
    """Damage the files in a folder; None where the damage does not fit the content."""
    target = planned.target
    path = folder / target.file
    change = Change(None)
    if planned.content:
        content, about = load(target, path), target.about
        if target.kind == "npz":
            found = of_member(planned.content, content, rng, about)
        else:
            found = planned.content.apply(content, rng, about)
        if found is None:
            return None
        change = found
        save(target, change.content, path)
    if planned.outside:
        if target.kind == "store":
            path = Path(pick(rng, sorted(file for file in path.rglob("*") if file.is_file())))
        if planned.outside in fuzz_bytes.BYTES:
            further = planned.outside.apply(path.read_bytes(), rng, BYTES.get(target.kind, ""))
            if further is not None:
                path.write_bytes(further.content)
        else:
            further = planned.outside.apply(path, rng, target.place)
        if further is None:
            return change if planned.content else None
        change = replace(
            change,
            names=(*change.names, *further.names),
            lacks=change.lacks or further.lacks,
            excused=change.excused or further.excused,
        )
        if target.kind == "store":
            change = replace(change, lacks=True)
    return change


def of_member(
    found: Damage, members: dict[str, np.ndarray], rng: np.random.Generator, names: Sequence[str]
) -> Change | None:
    """Damage one member of an npz; its name is what a sentence may name."""
    name = str(pick(rng, names))
    change = found.apply(members[name], rng, fuzz_arrays.Array())
    if change is None:
        return None
    repaired = None if change.repaired is None else {**members, name: change.repaired}
    return replace(change, content={**members, name: change.content}, repaired=repaired, names=(name,))


def judged(planned: Plan, seed: int, rng: np.random.Generator, folder: Path) -> Verdict | None:
    """Verdict of one case whose files are written below ``folder``; None where the damage does not fit."""
    reader = planned.reader
    sound, usual = sound_answer(reader, seed, folder / "sound")
    inside = folder / "input"
    write_files(sound_files(reader, seed), inside)
    change = damaged(planned, inside, rng)
    if change is None:
        return None
    (folder / "plan").write_text(str(planned))
    files = [path for path in inside.rglob("*") if path.is_symlink() or not path.is_dir()]
    names = {*reader.names, *change.names, *(path.name for path in files), Path(planned.target.file).name, str(inside)}
    names |= {Path(planned.target.file).stem}
    try:
        with listening() as listener:
            answer = answer_of(reader.read(inside))
    except (Exception, RecursionError) as error:
        return of_error(error, names)
    repaired = repaired_answer(planned, change, seed, folder / "repaired")
    warnings = [line for line in listener.lines if line not in usual]
    return of_answer(answer, sound, repaired, warnings, names, change.lacks, change.excused)


def repaired_answer(planned: Plan, change: Change, seed: int, folder: Path) -> Answer | None:
    """What is read of the file with proper missing values; None where there is no such file or it is refused."""
    if change.repaired is None:
        return None
    write_files(sound_files(planned.reader, seed), folder)
    save(planned.target, change.repaired, folder / planned.target.file)
    try:
        with listening():
            return answer_of(planned.reader.read(folder))
    except (ValueError, FileNotFoundError):
        return None
    finally:
        shutil.rmtree(folder)


def drawn(seed: int, number: int, readers: Sequence[Reader], folder: Path) -> tuple[Plan, Verdict]:
    """Run a case; a damage that does not fit the content is drawn again, from the same stream."""
    for attempt in range(20):
        planned, rng = plan(seed, number, attempt, readers)
        verdict = judged(planned, seed, rng, folder)
        if verdict is not None:
            return planned, verdict
        shutil.rmtree(folder)
        folder.mkdir()
    raise ValueError(f"case {number}: no damage fits {planned.target.file} of {planned.reader.name}; give it one")
