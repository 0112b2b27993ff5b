"""Damage to arrays of NumPy, alone or as members of an archive."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from fuzz_changes import Change, Damage, code, damage, pick

from mutations.arrays import npy


@dataclass(frozen=True)
class Array:
    """What an array holds; ``cells`` is the axis of its cells or members."""

    cells: int = 0


@damage("harmless")
def in_the_order_of_Fortran(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change:
    return Change(np.asfortranarray(array))


@damage("harmless")
def in_another_byte_order(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change:
    return Change(array.astype(array.dtype.newbyteorder(">")))


@damage("harmless")
def in_double_precision(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change | None:
    return Change(array.astype("f8")) if array.dtype.kind == "f" else None


@damage("hostile", 4)
def missing_code(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change | None:
    if array.dtype.kind != "f":
        return None
    places = np.flatnonzero(np.isfinite(array))
    if not places.size:
        return None
    spoiled, proper, number = array.copy(), array.copy(), code(rng)
    chosen = rng.choice(places, size=int(rng.integers(1, 4)), replace=False)
    spoiled.flat[chosen], proper.flat[chosen] = number, np.nan
    return Change(spoiled, proper)


@damage("hostile")
def axis_of_another_length(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change:
    axis = int(rng.integers(array.ndim))
    if rng.random() < 0.5 and array.shape[axis] > 1:
        return Change(np.ascontiguousarray(np.delete(array, -1, axis)))
    return Change(np.concatenate([array, array.take([0], axis)], axis))


@damage("hostile")
def axes_exchanged(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change | None:
    if array.ndim < 2:
        return None
    one, other = rng.choice(array.ndim, size=2, replace=False)
    if array.shape[one] == array.shape[other]:
        return None
    return Change(np.ascontiguousarray(np.swapaxes(array, int(one), int(other))))


@damage("hostile")
def of_another_type(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change:
    kinds = ("U8", "datetime64[D]", object, [("a", "f4"), ("b", "f4")], "c8")
    made = np.zeros(array.shape, kinds[int(rng.integers(len(kinds)))])
    return Change(made)


@damage("hostile", 3)
def turned_upside_down(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change | None:
    """A mask whose rows or columns lie elsewhere than the coordinates beside it say."""
    return Change(np.flip(array, int(rng.integers(2))).copy()) if array.dtype.kind == "b" else None


@damage("hostile")
def scaled(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change | None:
    """Every value in another unit, which no simulation can have."""
    return Change(array * array.dtype.type(pick(rng, (1e4, -1e3, 1e6)))) if array.dtype.kind == "f" else None


@damage("hostile", 0.7)
def claims_a_huge_shape(array: np.ndarray, rng: np.random.Generator, about: Array) -> Change:
    content = npy(array)
    header = content[10 : 10 + int.from_bytes(content[8:10], "little")].decode("latin-1")
    first = str(array.shape[0] if array.shape else 1)
    other = header.replace(f"({first},", f"({10 ** int(rng.integers(7, 15))},", 1).rstrip() + "\n"
    other = other.rstrip().ljust(len(header) + 16 - 1) + "\n"
    return Change(
        content[:8] + len(other).to_bytes(2, "little") + other.encode("latin-1") + content[10 + len(header) :]
    )


def packed(members: dict[str, np.ndarray | bytes]) -> bytes:
    """The bytes of an npz file; members that are bytes already are stored as they are."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, value in members.items():
            content = value if isinstance(value, bytes) else npy(value, pickled=value.dtype.kind == "O")
            archive.writestr(f"{name}.npy", content)
    return written.getvalue()


DAMAGES = tuple(found for found in globals().values() if isinstance(found, Damage))
