"""Damage to files, whatever they hold: bytes cut, turned or of another kind, and how a file lies in its folder."""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import Literal

import numpy as np
from fuzz_changes import Change, Damage, damage, pick

HTML = b"<!DOCTYPE html>\n<html><body>Please log in, then retry</body></html>\n"


@damage("harmless")
def byte_order_mark(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    return Change(b"\xef\xbb\xbf" + content) if about == "text" else None


@damage("harmless")
def line_ends_of_Windows(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    return Change(content.replace(b"\n", b"\r\n")) if about in ("text", "yaml") else None


@damage("harmless")
def fields_in_quotes(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    if about != "text" or b'"' in content:
        return None
    text = content.decode("latin-1")
    rows = list(csv.reader(io.StringIO(text), delimiter=";" if text.split("\n")[0].count(";") else ","))
    written = io.StringIO()
    how: Literal[1, 2] = csv.QUOTE_ALL if rng.random() < 0.5 else csv.QUOTE_NONNUMERIC
    csv.writer(
        written, quoting=how, lineterminator="\n", delimiter=";" if ";" in text.split("\n")[0] else ","
    ).writerows(rows)
    return Change(written.getvalue().encode("latin-1"))


@damage("harmless", 0.5)
def blank_lines_at_the_end(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    return Change(content + b"\n\n") if about == "text" else None


@damage("hostile", 3)
def cut(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    """Cut anywhere; in a table not after a row nor in its last field, of which nothing tells that more followed."""
    for _ in range(20):
        part = content[: int(rng.integers(1, len(content)))]
        if about not in ("text", "yaml"):
            return Change(part)
        header = content.split(b"\n", 1)[0]
        mark = b";" if header.count(b";") > header.count(b",") else b","
        last = part[part.rfind(b"\n") + 1 :]
        if 0 < last.count(mark) < header.count(mark) and last.strip():
            return Change(part)
    return None


@damage("hostile")
def half_a_file(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    return (
        cut.apply(content[: len(content) // 2], rng, about) if about == "text" else Change(content[: len(content) // 2])
    )


@damage("hostile")
def of_another_kind(content: bytes, rng: np.random.Generator, about: str) -> Change:
    return Change(pick(rng, (b"", b"\n\n  \n", HTML, bytes(2000), bytes(range(1, 256)) * 8, b"PK\x05\x06" + bytes(18))))


@damage("hostile")
def text_of_two_bytes(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    if about not in ("text", "yaml"):
        return None
    return Change(content.decode("latin-1").encode(str(pick(rng, ("utf-16", "utf-16-le", "utf-32")))))


@damage("hostile")
def zeros_inside(content: bytes, rng: np.random.Generator, about: str) -> Change | None:
    if about not in ("text", "yaml"):
        return None
    at = int(rng.integers(len(content)))
    return Change(content[:at] + bytes(int(rng.integers(1, 40))) + content[at:])


@damage("hostile", 2)
def bits_turned_in_the_header(content: bytes, rng: np.random.Generator, about: str) -> Change:
    """In what describes the content; a bit of a number would make another number of it."""
    end = {"text": content.find(b"\n"), "npy": 128, "netcdf": 96, "database": 100}.get(about, 60)
    spoiled = bytearray(content)
    for _ in range(int(rng.integers(1, 4))):
        spoiled[int(rng.integers(min(end, len(content))))] ^= 1 << int(rng.integers(8))
    return Change(bytes(spoiled), lacks=True)


@damage("hostile")
def gzip_under_the_name(content: bytes, rng: np.random.Generator, about: str) -> Change:
    return Change(gzip.compress(content, mtime=0))


def renamed(path: Path, other: str) -> None:
    path.rename(path.with_name(other))


@damage("harmless")
def a_link_to_it(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    away = path.parent.parent / "elsewhere"
    away.mkdir()
    shutil.move(path, away / path.name)
    path.symlink_to(away / path.name)
    return Change(None)


@damage("harmless")
def compressed(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    if path.suffix != ".csv" or about != "towers":
        return None
    path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
    path.unlink()
    return Change(None)


@damage("harmless")
def in_an_archive(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    """In a zip, below a folder, or in a zip in a zip."""
    if path.suffix != ".csv" or about != "towers":
        return None
    inside = str(pick(rng, (path.name, f"some/folder/{path.name}", f"a//{path.name}")))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, inside)
    content = written.getvalue()
    if rng.random() < 0.4:
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as archive:
            archive.writestr("inner.zip", content)
        content = outer.getvalue()
    path.with_name("from_a_portal.zip").write_bytes(content)
    path.unlink()
    return Change(None)


@damage("hostile")
def of_another_name(path: Path, rng: np.random.Generator, about: object) -> Change:
    """Under an extension that is not its own, or with one more."""
    stems = [
        f"{path.stem}.{ending}" for ending in ("txt", "nc", "parquet", "xlsx", "tar.gz") if path.suffix != f".{ending}"
    ]
    name = str(pick(rng, (*stems, f"{path.name}.gz", f"{path.name}.bak", f"copy of {path.name}")))
    renamed(path, name)
    # what is a mean over files changes with a file that is left out
    return Change(None, names=(name,), excused=True)


@damage("hostile", 3)
def of_another_year(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    """A map that was renamed: the time in it is that of another year."""
    if about != "years":
        return None
    name = path.name.replace("2001", str(pick(rng, ("1999", "2003", "2010"))))
    renamed(path, name)
    return Change(None, names=(name,))


@damage("hostile")
def gone(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    """A member of a set is missing; one of several towers or years is nothing that anybody could miss."""
    if about in ("towers", "years"):
        return None
    path.unlink()
    return Change(None, lacks=about == "optional")


@damage("hostile")
def something_else_in_its_place(path: Path, rng: np.random.Generator, about: object) -> Change:
    """A pipe without a writer, a folder, a link to nothing, to itself, or to a device without an end."""
    path.unlink()
    # an empty folder beside towers is nothing that anybody could miss
    way = int(pick(rng, (0, 2, 3, 4) if about == "towers" else range(5)))
    if way == 0:
        os.mkfifo(path)
    elif way == 1:
        path.mkdir()
    else:
        path.symlink_to((path.with_name("nothing"), path, Path("/dev/zero"))[way - 2])
    return Change(None)


@damage("hostile", 0.5)
def a_pipe_beside_it(path: Path, rng: np.random.Generator, about: object) -> Change | None:
    name = path.name.replace("Syn", "Sym") if about == "towers" else f"x{path.name}"
    if path.with_name(name).exists():
        return None
    os.mkfifo(path.with_name(name))
    return Change(None, names=(name,))


BYTES = (
    byte_order_mark, line_ends_of_Windows, fields_in_quotes, blank_lines_at_the_end, cut, half_a_file, of_another_kind,
    text_of_two_bytes, zeros_inside, bits_turned_in_the_header, gzip_under_the_name,
)  # fmt: skip
PLACES = (
    a_link_to_it, compressed, in_an_archive, of_another_name, gone, something_else_in_its_place, a_pipe_beside_it,
    of_another_year,
)  # fmt: skip
assert all(isinstance(found, Damage) for found in (*BYTES, *PLACES))
