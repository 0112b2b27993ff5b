"""Arrays read by rows, plain and inside an uncompressed npz, against what NumPy loads."""

import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dere.ingest.simulation.stored_array import member_names, read_member, stored_member, stored_npy

ARRAY = np.random.default_rng(0).normal(size=(7, 3, 2)).astype(np.float32)


@pytest.fixture
def bundle(tmp_path):
    path = tmp_path / "bundle.npz"
    np.savez(path, first=ARRAY.astype(np.float64), second=ARRAY[:, 0])
    return path


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "i2", "?"])
def test_rows_are_what_numpy_loads(tmp_path, dtype):
    np.save(tmp_path / "a.npy", (ARRAY * 10).astype(dtype))
    stored = stored_npy(tmp_path / "a.npy")
    whole = np.load(tmp_path / "a.npy")
    assert stored.shape == whole.shape and stored.dtype == whole.dtype
    for start, stop in ((0, 7), (2, 5), (6, 99), (3, 3)):
        if start < stop:
            np.testing.assert_array_equal(stored.rows(start, stop), whole[start:stop])


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 6), length=st.integers(1, 7), padding=st.integers(0, 40))
def test_members_lie_where_their_local_header_says(tmp_path_factory, start, length, padding):
    """The extra field of the local header may differ from the directory's: Python pads it for zip64 and alignment."""
    path = tmp_path_factory.mktemp("npz") / "x.npz"
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for key in ("before", "x"):
            info = zipfile.ZipInfo(f"{key}.npy")
            info.extra = b"\xfe\xca" + padding.to_bytes(2, "little") + b"\0" * padding if padding else b""
            with archive.open(info, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, ARRAY)
    with np.load(path) as loaded:
        np.testing.assert_array_equal(
            stored_member(path, "x").rows(start, start + length), loaded["x"][start:][:length]
        )


def test_an_age_is_an_array_of_its_own(bundle):
    stored = stored_member(bundle, "first").take(2)
    np.testing.assert_array_equal(stored.rows(1, 3), ARRAY.astype(np.float64)[2, 1:3])
    assert member_names(bundle) == ["first", "second"]
    np.testing.assert_array_equal(read_member(bundle, "second"), ARRAY[:, 0])
    with pytest.raises(IndexError):
        stored_member(bundle, "first").take(7)


def test_a_compressed_member_is_refused_for_blocks_only(tmp_path):
    np.savez_compressed(tmp_path / "c.npz", a=np.zeros(1000))
    with pytest.raises(ValueError, match=r"c\.npz\[a\] is compressed .*numpy\.savez"):
        stored_member(tmp_path / "c.npz", "a")
    assert read_member(tmp_path / "c.npz", "a").shape == (1000,)


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "c.npz", a=np.zeros(1000))
    monkeypatch.setattr("dere.ingest.simulation.stored_array._LARGEST_COMPRESSED", 4000)
    with pytest.raises(ValueError, match=r"unpacks to 8128 bytes, but at most 4000"):
        read_member(tmp_path / "c.npz", "a")


def test_missing_files_and_members(tmp_path, bundle):
    with pytest.raises(FileNotFoundError, match=r"none\.npy does not exist"):
        stored_npy(tmp_path / "none.npy")
    with pytest.raises(FileNotFoundError, match=r"none\.npz does not exist"):
        stored_member(tmp_path / "none.npz", "a")
    with pytest.raises(ValueError, match=r"no array 'third' among first\.npy, second\.npy"):
        stored_member(bundle, "third")


@pytest.mark.parametrize("keep", [0, 5, 40, 130, 200])
def test_truncated_npy(tmp_path, keep):
    path = tmp_path / "a.npy"
    np.save(path, ARRAY)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"a\.npy.*truncated"):
        stored_npy(path)


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_truncated_npz(bundle, keep):
    bundle.write_bytes(bundle.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"bundle\.npz .*cannot be read as npz.*download it again"):
        stored_member(bundle, "first")


def test_damaged_members(bundle):
    content = bytearray(bundle.read_bytes())
    content[0:4] = b"XXXX"
    bundle.write_bytes(content)
    with pytest.raises(ValueError, match=r"bundle\.npz\[first\] has no file header"):
        stored_member(bundle, "first")
    with pytest.raises(ValueError, match=r"bundle\.npz\[first\] cannot be read"):
        read_member(bundle, "first")


def test_unusable_arrays(tmp_path):
    np.save(tmp_path / "f.npy", np.asfortranarray(ARRAY))
    with pytest.raises(ValueError, match=r"f\.npy is stored in column-major order"):
        stored_npy(tmp_path / "f.npy")
    np.save(tmp_path / "t.npy", np.array(["a"]))
    with pytest.raises(ValueError, match=r"t\.npy holds <U1"):
        stored_npy(tmp_path / "t.npy")
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"o\.npy holds object"):
        stored_npy(tmp_path / "o.npy")
