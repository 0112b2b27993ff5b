"""Damaged tables end in one sentence that names the file."""

import gzip

import numpy as np
import pandas as pd
import pytest

from dere.ingest.months import days_in_month, mid_months, month_bounds, month_number
from dere.ingest.tables import month_numbers, numeric, read_table


def frame(*stamps):
    return pd.DataFrame({"TIMESTAMP": stamps})


def test_truncated_gzip_is_named(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 5000)[:-20])
    with pytest.raises(ValueError, match=r"a\.csv\.gz.*truncated.*download it again"):
        read_table(path)


def test_no_gzip_behind_the_name(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match="not gzip"):
        read_table(path)


def test_row_cut_short_is_not_padded(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n1,2,3\n4,5")
    with pytest.raises(ValueError, match=r"row of 2 columns, but its header has 3.*truncated"):
        read_table(path)


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_empty_file(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is empty"):
        read_table(path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_table(tmp_path / "a.csv")


def test_byte_order_mark_and_separator(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfa;b\n1;2\n")
    assert list(read_table(path, separator=None).columns) == ["a", "b"]


def test_missing_values_become_nan():
    table = pd.DataFrame({"x": ["1.5", "-9999", "-9999.0", None]})
    assert np.isnan(numeric(table, "x", "f")).tolist() == [False, True, True, True]
    assert np.isnan(numeric(table, "absent", "f")).all()


@pytest.mark.parametrize(("value", "message"), [("n/m", "holds 'n/m' in data row 2"), (np.inf, "infinite")])
def test_unreadable_number(value, message):
    with pytest.raises(ValueError, match=message):
        numeric(pd.DataFrame({"x": [1.0, value]}, dtype=object), "x", "f.csv")


def test_months_pass():
    assert month_numbers(frame(200111, 200112, 200201), "f").tolist() == [24022, 24023, 24024]


@pytest.mark.parametrize(
    ("stamps", "message"),
    [
        ((200101, 200101), "200101 occurs 2 times"),
        ((200101, 200102, 200101), "200101 occurs 2 times"),
        ((200102, 200101), "200101 follows 200102"),
        ((200113,), "200113 is not a month"),
        ((20010101,), "not a month written YYYYMM"),
        ((2001,), "not a month"),
        ((-9999,), "not a month"),
    ],
)
def test_bad_months(stamps, message):
    with pytest.raises(ValueError, match=rf"f\.csv.*{message}"):
        month_numbers(frame(*stamps), "f.csv")


def test_calendar():
    first = month_number(2004, 1)
    assert days_in_month(first, 2).tolist() == [31, 29]
    assert str(mid_months(first, 1)[0]) == "2004-01-16T12:00:00.000000000"
    bounds = month_bounds(first, 12)
    assert (bounds[1:, 0] == bounds[:-1, 1]).all()
    assert str(bounds[-1, 1])[:10] == "2005-01-01"


def test_large_files_are_read_in_pieces_and_equal(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    values = np.random.default_rng(0).normal(size=(40_000, 8))
    pd.DataFrame(values, columns=list("abcdefgh")).to_csv(path, index=False)
    whole = read_table(path, ["b", "h"])
    monkeypatch.setattr("dere.ingest.tables._LARGE", 1)
    pd.testing.assert_frame_equal(read_table(path, ["b", "h"]), whole)
    np.testing.assert_allclose(whole["h"], values[:, 7])


@pytest.mark.parametrize("blank", [b"", b"\n", b"\r\n\r\n  \n"])
def test_blank_lines_around_a_table_hide_no_truncation(tmp_path, blank):
    path = tmp_path / "a.csv"
    path.write_bytes(blank + b"a,b\n1,2\n" + blank)
    assert read_table(path).to_numpy().tolist() == [[1, 2]]
    path.write_bytes(blank + b"a,b\n1,2\n3" + blank)
    with pytest.raises(ValueError, match="row of 1 columns, but its header has 2"):
        read_table(path)
