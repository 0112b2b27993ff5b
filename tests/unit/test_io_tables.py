"""Tables on disk: equal tables are equal files, compressed ones too."""

import os

import pandas as pd
import pytest

from dere.io import write_table

TABLE = pd.DataFrame({"site": ["A", "B"], "nee": [1 / 3, -2.5]})


def test_equal_tables_make_equal_files(tmp_path, monkeypatch):
    first = write_table(TABLE, tmp_path / "one" / "t.csv.gz").read_bytes()
    # another process at another time
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert write_table(TABLE, tmp_path / "two" / "t.csv.gz").read_bytes() == first
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["t.csv.gz"]


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_numbers_are_whole_unless_a_format_is_given(tmp_path, name):
    pd.testing.assert_frame_equal(pd.read_csv(write_table(TABLE, tmp_path / name)), TABLE, check_exact=True)
    short = pd.read_csv(write_table(TABLE, tmp_path / name, float_format="%.3g"))
    assert short["nee"].tolist() == [0.333, -2.5]
