"""What a reader under test is: how its undamaged files are written, what of them is damaged, and how they are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, eq=False)
class Target:
    """A file that is damaged.

    Parameters
    ----------
    file
        Its path below the folder.
    kind
        ``table``, ``workbook``, ``netcdf``, ``npy``, ``npz``, ``text``, ``json``, ``yaml``, ``database`` or ``store``.
    about
        What it holds: a `fuzz_tables.Table`, `fuzz_grids.Grid` or `fuzz_arrays.Array`; the members of an npz.
    place
        ``towers`` where a file may come compressed or in an archive, ``optional`` where it may be missing.
    separator, encoding
        Of a table.
    without
        Damages that its readers cannot see or that are none for it.
    """

    file: str
    kind: str
    about: Any = None
    place: str = ""
    separator: str = ","
    encoding: str = "utf-8"
    without: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Reader:
    """A reader under test.

    Parameters
    ----------
    name
        For the command line and the summary.
    build
        Writes the undamaged files into a folder; called once with the seed of the run.
    read
        Reads the folder.
    targets
        Files of which a case damages one.
    names
        What a sentence may name beside the files.
    """

    name: str
    build: Callable[[Path, int], object]
    read: Callable[[Path], Any]
    targets: tuple[Target, ...]
    names: tuple[str, ...] = ()
