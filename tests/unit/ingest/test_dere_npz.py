"""Members of npz files: read alone and in slabs, like numpy reads them; what is damaged ends in a sentence."""

import zipfile

import numpy as np
import pytest

from dere.ingest.arrays.dere_npz import Npz

RNG = np.random.default_rng(0)


@pytest.fixture
def arrays(tmp_path):
    values = {
        "a": RNG.normal(size=(7, 3, 2)).astype(np.float32),
        "b": RNG.normal(size=(4, 5)),
        "f": np.asfortranarray(RNG.normal(size=(5, 4, 2))),
        "i": np.arange(6),
        "none": np.zeros((0, 3)),
    }
    np.savez_compressed(tmp_path / "x.npz", **values)
    np.savez(tmp_path / "plain.npz", **values)
    return tmp_path, values


@pytest.mark.parametrize("name", ["x.npz", "plain.npz"])
@pytest.mark.parametrize("rows", [None, 1, 2, 100])
def test_slabs_are_what_numpy_loads(arrays, name, rows):
    folder, values = arrays
    file = Npz(folder / name)
    assert set(file.keys) == set(values)
    for key, expected in values.items():
        parts = list(file.slabs(key, expected.shape, np.float64, rows))
        joined = np.concatenate([part for _, part in parts]) if parts else np.empty((0, 3))
        np.testing.assert_array_equal(joined, expected)
        assert all(len(part) == where.stop - where.start for where, part in parts)
        np.testing.assert_array_equal(file.read(key, expected.shape, np.float64), expected)
        assert file.shape(key) == expected.shape and file.read(key, expected.shape).dtype == np.float32


def test_only_one_slab_is_held(tmp_path):
    """A first slab comes although the member is cut off behind it: nothing was read ahead."""
    np.savez(tmp_path / "x.npz", a=np.arange(4000.0).reshape(4, 1000))
    content = (tmp_path / "x.npz").read_bytes()
    with zipfile.ZipFile(tmp_path / "y.npz", "w") as archive:
        with zipfile.ZipFile(tmp_path / "x.npz") as whole:
            member = whole.read("a.npy")
        archive.writestr("a.npy", member[: len(member) - 8000])
    slabs = Npz(tmp_path / "y.npz").slabs("a", (4, 1000), rows=1)
    where, first = next(slabs)
    assert where == slice(0, 1) and first[0, -1] == 999 and len(content) > 32000
    with pytest.raises(ValueError, match=r"y\.npz: array a ends after 0 of 8000 further bytes; it is truncated"):
        list(slabs)


def test_missing_file_and_no_archive(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"x\.npz does not exist; correct sources\.simulation\.path"):
        Npz(tmp_path / "x.npz")
    (tmp_path / "x.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"x\.npz \(19 bytes\) cannot be read as npz .* delete it"):
        Npz(tmp_path / "x.npz")


def test_missing_key_and_other_shape(arrays):
    file = Npz(arrays[0] / "x.npz")
    with pytest.raises(ValueError, match=r"x\.npz has no array c among its 5 \(a, b, f, i, none\)"):
        file.read("c", (None,))
    with pytest.raises(ValueError, match=r"array a has shape \(7, 3, 2\), but \(n, 3, 4\) is expected"):
        file.read("a", (None, 3, 4))
    with pytest.raises(ValueError, match=r"\(n, 3\) is expected"):
        file.read("a", (None, 3))


def test_objects_are_never_unpickled(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([{"evil": 1}], object), t=np.array(["text"]))
    for key in "at":
        with pytest.raises(ValueError, match=rf"array {key} holds .*, but numbers are needed \(objects are never"):
            Npz(tmp_path / "x.npz").read(key, (None,))


def test_damaged_members(tmp_path):
    np.savez_compressed(tmp_path / "x.npz", a=RNG.normal(size=(50, 40)))
    content = bytearray((tmp_path / "x.npz").read_bytes())
    content[200:260] = bytes(60)
    (tmp_path / "x.npz").write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"x\.npz.*(cannot be read as npz \(array a:|a cannot be read as an array)"):
        Npz(tmp_path / "x.npz").read("a", (None, 40))
    with zipfile.ZipFile(tmp_path / "h.npz", "w") as archive:
        archive.writestr("a.npy", b"no header at all")
    with pytest.raises(ValueError, match=r"h\.npz: a cannot be read as an array"):
        Npz(tmp_path / "h.npz").shape("a")


def test_names_of_members_are_no_paths(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("../../escape.npy", b"")
    assert Npz(tmp_path / "x.npz").keys == ("../../escape",) and not (tmp_path.parent / "escape.npy").exists()
