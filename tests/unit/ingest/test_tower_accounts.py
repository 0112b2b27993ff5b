"""No file of the tower folders vanishes: each has a row that says what became of it, and a warning where it is data.

Public reports of the kind: fluxnet/shuttle#70, PecanProject/pecan#1709, EarthyScience/REddyProc#37 (archives whose
metadata are read and whose data are not), geco-bern/ingestr#10, geco-bern/FluxDataKit#69 (files of other types).
"""

import io
import logging
import os
from pathlib import Path

import pytest
from ingest_samples import flx_name, put, synthetic_monthly, text, write_bif

from dere.config.towers import TowerSource
from dere.ingest.accounts import Account, accounts_of_folder, report, table_of
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.towers import read_and_account
from dere.ingest.unread import ending_of, is_companion
from dere.workflow.ingest_towers import ingest_towers

BIF = "FLX_AA-Flx_BIF_MM_20260101.csv"
OWN = flx_name("AA-Syn")
BETA = "TERN_AU-Xox_FLUXNET_2014-2016_v1.3_rbeta.zip"
MEMBER = "TERN_AU-Xox_FLUXNET_FLUXMET_MM_2014-2016_v1.3_rbeta.csv"


@pytest.fixture
def folder(tmp_path):
    """A tower that is read, and its place."""
    (tmp_path / "towers").mkdir()
    (tmp_path / "towers" / OWN).write_text(text(synthetic_monthly()))
    write_bif(tmp_path / "towers" / BIF, {"AA-Syn": (50.0, 10.0, "ENF")})
    return tmp_path / "towers"


def read(folder, caplog, **config):
    with caplog.at_level(logging.INFO):
        towers, accounts = read_and_account([folder], TowerSource(**config))
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    return towers, table_of(accounts), warned


def test_an_archive_whose_metadata_alone_are_read_is_named_with_its_member(folder, caplog):
    bif = "SITE_ID,VARIABLE,DATAVALUE\nAU-Xox,LOCATION_LAT,-34\nAU-Xox,LOCATION_LONG,140\n"
    files = {MEMBER: text(synthetic_monthly(2014, 3)), "TERN_AU-Xox_FLUXNET_BIF_2014-2016_v1.3_rbeta.csv": bif}
    put(folder / BETA, files)
    towers, table, warned = read(folder, caplog)
    assert towers.dataset["site"].values.tolist() == ["AA-Syn"]
    assert warned == [f"{BETA}/{MEMBER}: format not recognised, ignored"]
    rows = table[table["file"] == BETA].set_index("member")
    assert rows["what"].tolist() == ["ignored", "metadata"] and rows["site"].tolist() == ["AU-Xox"] * 2
    assert rows.loc[MEMBER, "bytes"] == len(files[MEMBER])
    ignored = towers.provenance[towers.provenance["role"] == "ignored"]
    assert ignored["file"].tolist() == [f"{BETA}/{MEMBER}"]


def test_types_that_are_data_are_warned_of_one_line_per_kind(folder, caplog):
    names = [
        "a.parquet", "FLX_US-Xa1_FLUXNET2015_FULLSET_MM_1991-2012_1-4.txt", "b.tar.gz", "c.nc", "d.h5", "e.RData",
        "f.dat", "g.zip.part", "notes",
    ]  # fmt: skip
    for name in (*names, *(f"more{number}.parquet" for number in range(6))):
        (folder / name).write_bytes(b"own")
    towers, table, warned = read(folder, caplog)
    assert len(warned) == len(names) and all(sum(name in line for line in warned) == 1 for name in names)
    assert any(line.startswith("7 files of type .parquet (a.parquet, more0.parquet, ") and ", ...)" in line
               for line in warned)  # fmt: skip
    assert "b.tar.gz: archive of a type that is not opened, ignored; unpack it into the folder" in warned
    assert "g.zip.part: unfinished download, ignored; finish the download, or remove the file" in warned
    assert (table["what"] == "ignored").sum() == (towers.provenance["role"] == "ignored").sum() == 15
    lines = [line for line in caplog.messages if line.startswith("towers: ")]
    assert lines[:2] == ["towers: 1 read", "towers: 1 metadata"] and len(lines) == 5
    assert "towers: 1 ignored, unfinished download (g.zip.part)" in lines
    assert any(line.startswith("towers: 13 ignored, format not recognised (FLX_US-Xa1_") for line in lines)


def test_the_mark_of_a_rule_that_made_the_folder_is_no_file_of_it(folder, caplog):
    (folder / ".snakemake_timestamp").write_text("")
    _, table, _ = read(folder, caplog)
    assert ".snakemake_timestamp" not in set(table["file"]) and len(table)


def test_companions_and_hidden_files_have_a_row_and_no_warning(folder, caplog):
    names = ["README", "README.md", "LICENSE.txt", "DATA_POLICY_AND_INSTRUCTIONS.txt", "SHA256SUMS.txt", "a.md5",
             "paper.pdf", ".DS_Store"]  # fmt: skip
    for name in names:
        (folder / name).write_text("own")
    (folder / ".git").mkdir()
    (folder / ".git" / "x.csv").write_text("own")
    put(
        folder / "a.zip",
        {flx_name("BB-Syn"): text(synthetic_monthly()), "__MACOSX/._x.csv": "own", "read me.txt": "own"},
    )
    _, table, warned = read(folder, caplog)
    assert not [line for line in warned if "coordinates" not in line]
    over = table[table["what"] == "passed over"]
    assert sorted(over["file"] + over["member"]) == sorted(
        [*names, ".git", "a.zip__MACOSX/._x.csv", "a.zipread me.txt"]
    )
    assert set(over["why"]) == {"hidden file", "hidden folder", "beside the data, for people"}


def test_every_file_and_member_has_exactly_one_row(folder, caplog):
    """Sub-folders, archives in archives, folders that a source reads whole, links back to a folder above."""
    (folder / "sub" / "deeper").mkdir(parents=True)
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "sub" / "other.zarr").mkdir()
    (folder / "sub" / "other.zarr" / "0.0").write_text("own")
    for name in ("site_plant_types.csv", "notes.csv", flx_name("AA-Syn").replace("_MM_", "_DD_"), "x.csv.gz"):
        (folder / "sub" / "deeper" / name).write_text("x\n1\n")
    buffer = io.BytesIO()
    put(buffer, {"b/notes.csv": "x", flx_name("BB-Syn").replace("_MM_", "_WW_"): "x"})
    put(folder / "sub" / "a.zip", {"inner.zip": buffer.getvalue(), flx_name("CC-Syn"): text(synthetic_monthly())})
    put(folder / "sub" / "unknown.zip", {"a.csv": "1", "b.txt": "2"})
    _, table, warned = read(folder, caplog)
    found = {(row.folder, row.file, row.member) for row in table.itertuples()}
    assert len(found) == len(table)
    on_disk = {
        (path.parent.relative_to(folder.parent).as_posix(), path.name)
        for path in folder.rglob("*")
        if path.is_file() and ".zarr" not in str(path.parent)
    } | {("towers/sub", "up"), ("towers/sub", "other.zarr")}
    assert {row[:2] for row in found} == on_disk
    assert {row[2] for row in found if row[1] == "a.zip"} == {
        "inner.zip/b/notes.csv", f"inner.zip/{flx_name('BB-Syn').replace('_MM_', '_WW_')}", flx_name("CC-Syn")
    }  # fmt: skip
    reasons = table.set_index(["file", "member"])["why"]
    assert reasons["up", ""] == "link to a folder above" and reasons["other.zarr", ""] == "store that no source knows"
    assert reasons[flx_name("AA-Syn").replace("_MM_", "_DD_"), ""] == "step MM of the same processing is read"
    assert any("other.zarr" in line for line in warned) and any("unknown.zip: format not" in line for line in warned)
    assert not table["folder"].str.startswith("/").any()


def test_sites_of_which_nothing_is_read_are_warned_of(folder, caplog):
    put(folder / "FLX_BB-Syn_FLUXNET2015_FULLSET_2001-2002_1-4.zip",
        {flx_name("BB-Syn").replace("_MM_", "_YY_"): "x\n1\n"})  # fmt: skip
    (folder / flx_name("CC-Syn").replace("_MM_", "_DD_")).write_text("x\n1\n")
    _, table, warned = read(folder, caplog, resolution=("MM",))
    (line,) = warned
    assert (
        line.startswith("2 sites have files here of which none is read: ")
        and "change sources.towers.resolution" in line
    )
    assert "BB-Syn (FLX_BB-Syn" in line and "CC-Syn (FLX_CC-Syn" in line and "step DD is not in sources" in line
    assert set(table.loc[table["what"] == "passed over", "site"]) == {"BB-Syn", "CC-Syn"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: path.symlink_to("nowhere.zip"), r"a\.zip is a link to nowhere\.zip, which does not exist"),
        (lambda path: path.write_bytes(b""), r"a\.zip is an empty file, but a zip archive is expected"),
        (lambda path: path.write_bytes(put(path, {OWN: os.urandom(9000)}).read_bytes()[:5000]),
         r"a\.zip \(5000 bytes\) cannot be read.*download that stopped half-way; delete it and download it"),
        (lambda path: path.write_text("<!DOCTYPE html><p>Log in"), "because it is a web page, perhaps of a login"),
        (lambda path: path.write_bytes(b"\x1f\x8b own"), "because it is compressed with gzip; give it the ending"),
    ],
)  # fmt: skip
def test_what_is_no_archive_says_what_it_is(folder, make, sentence):
    make(folder / "a.zip")
    with pytest.raises(ValueError, match=sentence):
        recognise([folder])


def test_a_damaged_archive_inside_an_archive_is_named(folder):
    put(folder / "a.zip", {"inner.zip": "own", OWN: "x"})
    with pytest.raises(
        ValueError, match=r"a\.zip: 'inner\.zip' cannot be read as a zip archive .*download a\.zip again"
    ):
        recognise([folder])


def test_a_folder_given_as_a_dot(folder, monkeypatch):
    monkeypatch.chdir(folder)
    _, accounts = read_and_account([Path()], TowerSource())
    assert {account.folder for account in accounts} == {"towers"}


def test_all_that_cannot_be_opened_is_listed_at_once(folder):
    """A file of one site costs that site, see test_site_faults.py; these are of several."""
    (folder / "a.zip").write_bytes(b"")
    (folder / "FLX_AA-Flx_BIF_MM_20200501.csv").symlink_to("nowhere")
    with pytest.raises(
        ValueError, match=r"2 files cannot be opened: .*AA-Flx.*is a link to nowhere.*; .*a\.zip is an empty"
    ):
        recognise([folder])


def test_a_link_of_one_site_that_leads_nowhere_costs_that_site(folder, caplog):
    (folder / flx_name("BB-Syn")).symlink_to("nowhere")
    _, table, warned = read(folder, caplog)
    row = table[table["file"] == flx_name("BB-Syn")].iloc[0]
    assert row["what"] == "dropped" and "is a link to nowhere" in row["why"]
    assert any("site BB-Syn is dropped" in line for line in warned)


@pytest.mark.parametrize(
    ("files", "why"), [({}, "archive without files"), ({"a/": ""}, "archive that holds only folders")]
)
def test_archives_without_files_are_named(folder, caplog, files, why):
    put(folder / "a.zip", files)
    _, table, warned = read(folder, caplog)
    assert warned == [f"a.zip: {why}, ignored; put the file there again, or remove it"]
    assert table.set_index("file").loc["a.zip", ["what", "why"]].tolist() == ["ignored", why]


def test_a_link_of_an_unknown_name_that_leads_nowhere(folder, caplog):
    (folder / "x.parquet").symlink_to("nowhere")
    _, table, warned = read(folder, caplog)
    assert len(warned) == 1 and "x.parquet: link to nowhere, which does not exist, ignored" in warned[0]
    assert table.set_index("file").loc["x.parquet", "bytes"] == 0


def test_the_table_is_written_and_the_screen_has_a_line_per_kind(folder, tmp_path, capsys):
    names = [tmp_path / name for name in ("towers.nc", "provenance.csv", "merged.csv", "sources.csv")]
    ingest_towers([folder], TowerSource(), *names)
    lines = names[-1].read_text().splitlines()
    assert lines[0] == "folder,file,member,what,source,product,why,site,bytes" == ",".join(Account._fields)
    assert capsys.readouterr().err.splitlines() == ["towers: 1 read", "towers: 1 metadata"]
    assert lines[2].startswith(f"towers,{OWN},,read,FLUXNET family,FLUXNET2015,,AA-Syn,") and len(lines) == 3


def test_a_folder_whose_reader_looks_for_names_of_its_own(tmp_path, caplog):
    for name in ("a.nc", "b.nc", "README.md", "c.nc", ".x"):
        (tmp_path / name).write_text("own")
    accounts = accounts_of_folder(tmp_path, {"a.nc": ("netcdf", "a model")}, ["c.nc"])
    with caplog.at_level(logging.WARNING):
        report(logging.getLogger("dere"), "simulation", accounts)
    table = table_of(accounts).set_index("file")
    assert table["what"].to_dict() == {
        "a.nc": "read", "b.nc": "ignored", "README.md": "passed over", "c.nc": "passed over", ".x": "passed over"
    }  # fmt: skip
    assert len(caplog.messages) == 1 and caplog.messages[0].startswith(
        "b.nc: no name that the reader looks for, ignored"
    )
    assert table.loc["a.nc", ["source", "product", "bytes"]].tolist() == ["netcdf", "a model", 3]


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.tar.gz", "tar.gz"),
        ("a.CSV", "csv"),
        ("a.csv.gz", "csv.gz"),
        ("x_v1.3_r1", ""),
        ("README", ""),
        ("a.b.nc", "nc"),
    ],
)
def test_endings(name, ending):
    assert ending_of(name) == ending


def test_a_text_is_data_unless_its_name_is_about_data():
    assert [is_companion(name) for name in ("a.txt", "licence.txt", "FLX_US-Xa1_MM.txt", "notes", "CHANGES")] == [
        False, True, False, False, True
    ]  # fmt: skip
