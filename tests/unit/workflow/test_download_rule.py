"""The edge of the downloads: a folder of files and a table of what they are."""

import dataclasses
import hashlib
import shutil
import sys
from collections import namedtuple
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "download"))

from scripted_server import running

from dere.config.download import DownloadsConfig
from dere.download.catalogue import read_datasets, select
from dere.download.client import Client
from dere.download.politeness import DownloadError, Politeness
from dere.download.sums import read_sums
from dere.workflow.download import COLUMNS, download

ROWS = read_datasets()
MAPS = {2001: b"first map", 2002: b"second map"}


@pytest.fixture
def server():
    with running() as found:
        for year, body in MAPS.items():
            found.put(f"/maps/map-{year}.nc", body)
        yield found


@pytest.fixture
def rows(server):
    """The table with a synthetic row at the local server."""
    row = dataclasses.replace(select(ROWS, "gfad")[0], file="map-{2001..2002}.nc", location=f"{server.address}/maps/")
    return [row if other.name == "gfad" else other for other in ROWS]


@pytest.fixture
def call(rows, tmp_path):
    def run(name="gfad", table=rows, **config):
        output = tmp_path / "downloads" / f"{name}.csv"
        settings = DownloadsConfig(**{"folder": str(tmp_path), **config})
        download(name, settings, output, table, Client(Politeness(attempts=1)))
        return pd.read_csv(output, keep_default_na=False)

    return run


def test_a_data_set_arrives_with_its_table(call, tmp_path):
    table = call()
    assert tuple(table.columns) == COLUMNS
    assert list(table["file"]) == ["map-2001.nc", "map-2002.nc"]
    assert list(table["sha256"]) == [hashlib.sha256(body).hexdigest() for body in MAPS.values()]
    assert set(table["checked"]) == {"nothing (first seen)"} and set(table["doi"]) == {"10.1594/PANGAEA.897392"}
    assert sorted(path.name for path in (tmp_path / "gfad").iterdir()) == ["map-2001.nc", "map-2002.nc"]
    assert read_sums(tmp_path / "downloads" / "gfad-v1.1.sha256") == dict(
        zip(table["file"], table["sha256"], strict=True)
    )


def test_a_second_call_only_looks(call, server):
    call()
    server.requests.clear()
    assert set(call()["checked"]) == {"recorded sha256"} and not server.requests


def test_a_file_that_changed_since_is_not_accepted(call, tmp_path):
    call()
    (tmp_path / "gfad" / "map-2001.nc").write_bytes(b"other map")
    with pytest.raises(DownloadError, match="was recorded when it was first seen; it has changed"):
        call()


def test_a_failure_keeps_what_was_recorded(call, server):
    body = server.resources.pop("/maps/map-2002.nc")
    with pytest.raises(DownloadError, match=r"map-2002.nc: the server answered 404"):
        call()
    server.resources["/maps/map-2002.nc"] = body
    server.requests.clear()
    assert list(call()["checked"]) == ["recorded sha256", "nothing (first seen)"]
    assert [path for path, _ in server.requests] == ["/maps/map-2002.nc"]


def test_only_named_files_are_fetched(call, server):
    assert list(call(files={"gfad": ("*-2002*",)})["file"]) == ["map-2002.nc"]
    with pytest.raises(DownloadError, match=r"no file of gfad fits \*.zip; it has map-2001.nc and 1 others"):
        call(files={"gfad": ("*.zip",)})


@pytest.mark.parametrize("key", ["versions", "files"])
def test_a_misspelt_name_in_the_configuration_is_refused(call, key):
    with pytest.raises(ValueError, match=f"downloads.{key}: gfat is not a data set; choose from carbonglobe"):
        call(**{key: {"gfat": "v1.1" if key == "versions" else ("*",)}})


def test_a_full_disk_is_noticed_before_anything_is_asked_for(call, rows, server, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, 5))
    table = [dataclasses.replace(row, file="map-2001.nc", size_bytes=9) if row.name == "gfad" else row for row in rows]
    with pytest.raises(DownloadError, match=r"gfad needs 0.0 MB in .*gfad, but 0.0 MB are free; free space, set"):
        call(table=table)
    assert not server.requests


def test_hostile_names_of_a_listing_write_nothing(call, rows, server, tmp_path, monkeypatch):
    commit = "0" * 40
    server.put_json("/api/datasets/group/set/revision/main", {"sha": commit})
    files = [{"type": "file", "path": path, "size": 4} for path in ("good.csv", "../evil.csv")]
    server.put_json(f"/api/datasets/group/set/tree/{commit}?recursive=true", files)
    monkeypatch.setenv("HF_ENDPOINT", server.address)
    table = [dataclasses.replace(row, location="group/set") if row.name == "dere" else row for row in rows]
    with pytest.raises(DownloadError, match=r"'../evil.csv', which does not stay inside"):
        call("dere", table)
    assert list(tmp_path.rglob("*.csv")) == []


def test_a_login_says_where_to_get_and_where_to_put_the_files(call, tmp_path):
    with pytest.raises(DownloadError) as error:
        call("fluxnet2015")
    text = str(error.value)
    assert "cannot be downloaded without a login: get it at https://fluxnet.org/" in text and "\n" not in text
    assert f"into {tmp_path / 'fluxnet2015'} under names like FLX_*_FLUXNET2015_*.zip" in text
    assert (tmp_path / "fluxnet2015").is_dir() and not (tmp_path / "downloads").exists()


def test_files_that_a_person_brought_are_checked(call, tmp_path, caplog):
    folder = tmp_path / "fluxnet2015"
    folder.mkdir()
    name = "FLX_XX-Syn_FLUXNET2015_FULLSET_2001-2002_1-3.zip"
    (folder / name).write_bytes(b"synthetic")
    (folder / "notes.txt").write_text("mine")
    table = call("fluxnet2015")
    assert list(table["file"]) == [name] and list(table["checked"]) == ["nothing (first seen)"]
    assert "1 other files" in caplog.text
    assert list(call("fluxnet2015")["checked"]) == ["recorded sha256"]
    (folder / name).write_bytes(b"synthetic, replaced")
    with pytest.raises(DownloadError, match="it has changed"):
        call("fluxnet2015")


def test_published_size_and_checksum_hold_for_brought_files_too(call, rows, tmp_path):
    name, body = "Arctic_Boreal_CO2_Flux.csv", b"synthetic"
    digest = hashlib.sha256(body).hexdigest()
    table = [dataclasses.replace(row, size_bytes=len(body), sha256=digest) if row.file == name else row for row in rows]
    (tmp_path / "abcflux").mkdir()
    (tmp_path / "abcflux" / name).write_bytes(body)
    assert list(call("abcflux", table)["checked"]) == ["published sha256"]
    (tmp_path / "abcflux" / name).write_bytes(body[::-1])
    with pytest.raises(DownloadError, match=f"but {digest} is published"):
        call("abcflux", table)
    (tmp_path / "abcflux" / name).write_bytes(body[:-1])
    with pytest.raises(DownloadError, match="has 8 bytes, but 9 are published; it is incomplete: get it again"):
        call("abcflux", table)


def test_a_damaged_file_of_checksums_is_a_sentence(call, tmp_path):
    call()
    path = tmp_path / "downloads" / "gfad-v1.1.sha256"
    path.write_text(path.read_text() + "nonsense\n")
    with pytest.raises(ValueError, match="line 3 is 'nonsense', but 64 hexadecimal digits"):
        call()


def test_the_checksums_are_what_sha256sum_writes(call, tmp_path):
    call()
    lines = (tmp_path / "downloads" / "gfad-v1.1.sha256").read_text().splitlines()
    assert lines[0] == f"{hashlib.sha256(MAPS[2001]).hexdigest()}  map-2001.nc"
