"""Headerless split files: every line counts, and the three are a partition."""

import numpy as np
import pytest
from carbonglobe_samples import mask_of, write_split
from hypothesis import given
from hypothesis import strategies as st

from dere.ingest.simulation.carbonglobe_split import lattice_share, parse_indices, parse_split, read_split


def test_the_first_line_is_data(tmp_path):
    split = write_split(tmp_path)
    assert parse_indices((tmp_path / "train.csv").read_bytes(), "train.csv").tolist() == split["train"]
    role = read_split(tmp_path, 24)
    assert all((role[indices] == name).all() for name, indices in split.items())


@given(st.permutations(range(30)), st.integers(1, 28))
def test_any_partition_is_read_back(order, cut):
    cut2 = cut + (30 - cut) // 2
    parts = {"train": order[:cut], "val": order[cut:cut2], "test": order[cut2:]}
    role = parse_split({name: np.array(part, np.int64) for name, part in parts.items()}, 30)
    assert {name: set(np.flatnonzero(role == name)) for name in parts} == {n: set(p) for n, p in parts.items()}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"index\n0\n1\n", "line 1 holds 'index', but every line is one cell index, without a header"),
        (b"0\n1.5\n", r"line 2 holds '1\.5'"),
        (b"0\n-1\n", "line 2 holds '-1'"),
        (b"0\n\n1\n", "line 2 holds ''"),
        (b"0,1\n", "line 1 holds '0,1'"),
        ("0\n²\n".encode(), "line 2 holds"),
        (b"99999999999999999999\n", "line 1 holds"),
        (b"\x00\x01\n", "line 1 holds"),
        (b"\n\n", "is empty"),
    ],
)
def test_lines_that_are_no_index(content, message):
    with pytest.raises(ValueError, match=rf"train\.csv.*{message}"):
        parse_indices(content, "train.csv")


def test_windows_lines_and_byte_order_marks_are_read():
    assert parse_indices(b"\xef\xbb\xbf3\r\n1\r\n", "train.csv").tolist() == [3, 1]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (([0, 1], [2], [3, 4]), r"train\.csv.*4|test\.csv holds index 4, but the arrays have 4 cells"),
        (([0, 0, 1], [2], [3]), r"train\.csv holds index 0 2 times"),
        (([0, 1], [1, 2], [3]), r"val\.csv and train\.csv both hold index 1"),
        (([0], [2], [3]), "index 1 is in none of train"),
    ],
)
def test_no_partition(parts, message):
    indices = {name: np.array(part) for name, part in zip(("train", "val", "test"), parts, strict=True)}
    with pytest.raises(ValueError, match=message):
        parse_split(indices, 4)


def test_all_files_or_none(tmp_path):
    assert read_split(tmp_path, 24) is None
    write_split(tmp_path)
    (tmp_path / "val.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"val\.csv does not exist beside train\.csv"):
        read_split(tmp_path, 24)


def test_lattice(tmp_path, caplog):
    write_split(tmp_path)
    role = read_split(tmp_path, 24)
    row, column = np.nonzero(mask_of())
    assert lattice_share(role, row, column) == 1 and not caplog.text
    assert lattice_share(role, row + 1, column) == 0
    assert "check that split and mask belong together" in caplog.text
