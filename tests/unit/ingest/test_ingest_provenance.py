"""Provenance of files that are no towers."""

from declared_products import PRODUCTS
from dere.ingest import provenance
from dere.ingest.provenance import COLUMNS, checksum, provenance_of, provenance_row
from dere.io import file_sha256


def test_every_file_with_checksum_and_licence(tmp_path):
    paths = [tmp_path / name for name in ("b.nc", "a.nc")]
    for path in paths:
        path.write_text(path.name)
    table = provenance_of({PRODUCTS["esacci-pft"]: paths}, rows={"a.nc": 7})
    assert table["file"].tolist() == ["a.nc", "b.nc"] and table["rows"].tolist() == [7, 0]
    assert table["sha256"].tolist() == [file_sha256(tmp_path / "a.nc"), file_sha256(tmp_path / "b.nc")]
    assert table["citation"].str.contains("Harper").all()


def test_every_row_begins_with_the_same_columns(tmp_path):
    (tmp_path / "a.nc").write_text("a")
    row = provenance_row(tmp_path / "a.nc", PRODUCTS["esacci-pft"], 1, cells=3)
    assert (*row,)[: len(COLUMNS) - 1] == COLUMNS[1:] and row["cells"] == 3
    assert row["version"] == "2.0.8" and row["url"].startswith("https://doi.org/") and row["role"] == "data"


def test_what_a_file_states_itself_comes_before_the_product(tmp_path):
    (tmp_path / "a.csv").write_text("a")
    row = provenance_row(
        tmp_path / "a.csv", PRODUCTS["fluxnet2015"], 1, processing="fluxnet2015 FULLSET 1-4", role="metadata"
    )
    assert row["version"] == "fluxnet2015 FULLSET 1-4" and row["role"] == "metadata"
    stated = provenance_row(tmp_path / "a.csv", PRODUCTS["esacci-pft"], 1, version="", url="https://doi.org/10.1/x")
    assert stated["version"] == "2.0.8" and stated["url"] == "https://doi.org/10.1/x"


def test_a_file_is_hashed_once_until_it_changes(tmp_path, monkeypatch):
    path = tmp_path / "large.npy"
    path.write_bytes(b"x" * 100)
    passes = []
    monkeypatch.setattr(provenance, "file_sha256", lambda file: passes.append(file) or file_sha256(file))
    assert checksum(path) == checksum(path) == file_sha256(path)
    assert len(passes) == 1
    path.write_bytes(b"y" * 101)
    assert checksum(path) == file_sha256(path) and len(passes) == 2


def test_a_folder_has_one_checksum_of_names_and_contents(tmp_path):
    store = tmp_path / "store.zarr"
    (store / "nee").mkdir(parents=True)
    (store / "nee" / "0").write_text("chunk")
    (store / ".zattrs").write_text("{}")
    first = checksum(store)
    (store / "nee" / "0").rename(store / "nee" / "1")
    renamed = checksum(store)
    (store / "nee" / "1").write_text("other chunk")
    assert len({first, renamed, checksum(store)}) == 3


def test_addresses_are_dois():
    for key, product in PRODUCTS.items():
        assert product.title and product.licence and product.citation, key
        assert not product.url or product.url.startswith("https://"), key
