"""Provenance of files that are no towers."""

import pytest

from dere.ingest.provenance import provenance_of, provenance_row
from dere.io import file_sha256


def test_every_file_with_checksum_and_licence(tmp_path):
    paths = [tmp_path / name for name in ("b.nc", "a.nc")]
    for path in paths:
        path.write_text(path.name)
    table = provenance_of({"esacci-pft": paths}, rows={"a.nc": 7})
    assert table["file"].tolist() == ["a.nc", "b.nc"] and table["rows"].tolist() == [7, 0]
    assert table["sha256"].tolist() == [file_sha256(tmp_path / "a.nc"), file_sha256(tmp_path / "b.nc")]
    assert table["citation"].str.contains("Harper").all()


def test_unknown_product(tmp_path):
    with pytest.raises(ValueError, match="product 'x' has no licence on record"):
        provenance_row(tmp_path, "x", 0)
