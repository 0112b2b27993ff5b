"""Hostile files end in a sentence, within a gigabyte of memory and without waiting.

They are read in a process whose address space is limited, so that what is taken counts and not what is touched.
"""

import gzip
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zipfile
from itertools import permutations
from pathlib import Path

import netCDF4
import openpyxl
import pytest

from dere import plugins
from dere.api import foreign
from dere.config.towers import TowerSource
from dere.ingest import archives, zips
from dere.ingest.archives import members
from dere.ingest.arrays.dere_npz import Npz
from dere.ingest.cover.fine_map import open_netcdf
from dere.ingest.limits import Limits
from dere.ingest.rows import require_unique
from dere.ingest.simulation.carbonglobe_states import load_array
from dere.ingest.simulation.process_model_files import open_undecoded
from dere.ingest.simulation.stored_array import read_member, stored_npy
from dere.ingest.tables import read_table
from dere.ingest.tower.carbonsense.database import open_database
from dere.ingest.tower.discovery import wanted
from dere.ingest.tower.fluxnet_zarr.arrays import Store
from dere.ingest.tower.towers import read_towers
from dere.io import read_json, read_netcdf
from dere.run_config.yaml_files import read_yaml

ROOT = Path(__file__).parents[3]
MEMORY = 1 << 30
SECONDS = 30
"""CPU time of one file."""
LIMITED = f"""
import json, resource, sys, time
sys.path.insert(0, {str(ROOT / "src")!r})
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_bounded_work import CASES, READERS
from pathlib import Path
# what the libraries have taken is not the files' doing
taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + {MEMORY}, taken + {MEMORY}))
answers = {{}}
for name, (file, _, reader, _) in CASES.items():
    start, said = time.process_time(), ""
    try:
        READERS[reader](Path(sys.argv[1], name, file))
    except ValueError as error:
        said = str(error)
    answers[name] = said, time.process_time() - start
json.dump(answers, sys.stdout)
"""


def enter(opened):
    with opened:
        pass


READERS = {
    "table": read_table,
    "towers": lambda path: read_towers([path.parent], TowerSource()),
    "names": lambda path: wanted([path]),
    "others": foreign.read,
    "netcdf": read_netcdf,
    "model": open_undecoded,
    "map": lambda path: enter(open_netcdf(path)),
    "json": read_json,
    "array": load_array,
    "stored": stored_npy,
    "member": lambda path: read_member(path, "a"),
    "npz": lambda path: Npz(path).read("a", (None, None)),
    "database": lambda path: enter(open_database(path)),
    "store": Store,
    "yaml": read_yaml,
    "plugin": lambda path: plugins.load_checked([str(path)]),
}


def npy_header(shape, order=False):
    text = f"{{'descr': '<f4', 'fortran_order': {order}, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + 1) + text.encode() + b"\n"


def write_stray_cell(path):
    """geco-bern/FluxDataKit#69 and others: tables saved again by a spreadsheet keep a cell in their last corner."""
    book = openpyxl.Workbook()
    book.active.append(("site", "TIMESTAMP"))
    book.active.append(("AA-Bcd", 201001))
    book.active["XFD1048576"] = "x"
    book.save(path)


def write_many_cells(path):
    write_stray_cell(path)
    content = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    parts = {name: zipfile.ZipFile(path).read(name) for name in zipfile.ZipFile(path).namelist()}
    row = b'<row><c t="inlineStr"><is><t>a</t></is></c>' + b"<c><v>1</v></c>" * 100 + b"</row>"
    start = content[: content.index(b"<sheetData>") + 11]
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            if name != "xl/worksheets/sheet1.xml":
                archive.writestr(name, text)
        head = b"<row>" + b"".join(b'<c t="inlineStr"><is><t>n%d</t></is></c>' % i for i in range(101)) + b"</row>"
        with archive.open("xl/worksheets/sheet1.xml", "w") as stream:
            stream.write(start + head)
            for _ in range(450):
                stream.write(row * 100)
            stream.write(b"</sheetData></worksheet>")


def write_wide(path):
    path.write_text(",".join(f"c{i}" for i in range(100_000)) + "\n" + ",".join("1" for _ in range(100_000)) + "\n")


def write_long_row(path):
    with path.open("wb") as stream:
        stream.write(b"site,nee\n")
        stream.truncate(1 << 30)


def write_gzip(path):
    with gzip.open(path, "wb") as stream:
        for _ in range(512):
            stream.write(bytes(1 << 20))


def write_netcdf(path):
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", 10**12)
        dataset.createVariable("time", "f8", ("time",), chunksizes=(1024,))
        dataset.createVariable("nee", "f4", ("time",), chunksizes=(1024,), zlib=True)


def write_npz(content):
    def write(path):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.npy", content)

    return write


def write_npy(content):
    return lambda path: path.write_bytes(content)


LONG_HEADER = b"\x93NUMPY\x02\x00\xff\xff\xff\x7f" + bytes(1 << 26)


def write_aliases(path):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    path.write_text("\n".join([*lines, *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))]))


def write_zarr(path):
    path.mkdir()
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    os.mkfifo(path / "pipe")


def write_links(path):
    """Every folder holds links to every other, and no file."""
    path.mkdir()
    folders = [path / f"d{i}" for i in range(14)]
    for folder in folders:
        folder.mkdir()
    for one, other in permutations(folders, 2):
        (one / other.name).symlink_to(other)


TERABYTES = (10**6, 10**6)
CASES = {
    "stray cell": ("x.xlsx", write_stray_cell, "table", ""),
    "cells": ("x.xlsx", write_many_cells, "table", ".* has more than 4000000 cells"),
    "columns": ("x.csv", write_wide, "table", ".* columns in its header row, but at most 10000 are read"),
    "columns of others": ("x.csv", write_wide, "others", ".* but at most 10000 are read"),
    "row": ("x.csv", write_long_row, "table", ".* has a row of more than 1048576 bytes"),
    "row of others": ("x.csv", write_long_row, "others", ".* has a row of more than 1048576 bytes"),
    "gzip": ("x.csv.gz", write_gzip, "table", ".* unpacks from .* bytes, but at most"),
    "dimension": ("x.nc", write_netcdf, "netcdf", ".* states [48]000000000000 bytes of (time|nee)"),
    "dimension of a model": ("x.nc", write_netcdf, "model", ".* bytes of (time|nee)"),
    "dimension of a map": ("x.nc", write_netcdf, "map", ".* bytes of (time|nee)"),
    "dimension of others": ("x.nc", write_netcdf, "others", ".* bytes of (time|nee)"),
    "json": ("x.json", lambda path: path.write_text("[" * 200_000), "json", ".* is no JSON"),
    "npy": ("x.npy", write_npy(npy_header(TERABYTES)), "array", ".* cannot be read"),
    "npy beyond numbers": ("x.npy", write_npy(npy_header((2**32, 2**32))), "stored", ".* holds 0 bytes"),
    "npy beyond lengths": ("x.npy", write_npy(npy_header((2**62, 4))), "array", ".* cannot be read"),
    "npz": ("x.npz", write_npz(npy_header(TERABYTES)), "npz", ".* it is truncated"),
    "npz in columns": ("x.npz", write_npz(npy_header(TERABYTES, True)), "npz", ".* it is truncated"),
    "npz in one row": ("x.npz", write_npz(npy_header((1, 10**12))), "npz", ".* it is truncated"),
    "member": ("x.npz", write_npz(npy_header(TERABYTES)), "member", ".* cannot be read"),
    "header": ("x.npz", write_npz(LONG_HEADER), "npz", ".*a header of 2147483647 bytes"),
    "links": ("links", write_links, "names", ".* holds more than 300000 files and folders"),
    "pipe in a store": ("fluxnet.zarr", write_zarr, "store", ".*pipe is a named pipe"),
    "aliases": ("x.yaml", write_aliases, "yaml", ".* more than 100000 keys and values"),
}
"""File, who writes it, who reads it, and what is said."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What a process of limited memory says about each file, and its CPU time."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, (file, write, _, _) in CASES.items():
        (folder / name).mkdir()
        write(folder / name / file)
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)],
        capture_output=True,
        text=True,
        timeout=SECONDS * len(CASES),
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr[-1500:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_in_a_sentence(answers, name):
    said, seconds = answers[name]
    assert re.match(CASES[name][3] or "$", said) and "\n" not in said
    assert seconds < SECONDS


SITE = "sites/FLX_AA-Bcd_FLUXNET2015_FULLSET_MM_2001-2002_1-4"
OPENED = [
    *(("x.csv", reader) for reader in ("table", "others")),
    *(("x.nc", reader) for reader in ("netcdf", "model", "map", "others")),
    *(("x.npy", reader) for reader in ("array", "stored")),
    *(("x.npz", reader) for reader in ("npz", "member")),
    *((f"{SITE}.{suffix}", "towers") for suffix in ("csv", "csv.gz", "zip")),
    *(("x.xlsx", "table"), ("x.csv.gz", "table"), ("x.json", "json"), ("x.sqlite", "database")),
    *(("x.yaml", "yaml"), ("x.py", "plugin")),
]


@pytest.mark.parametrize(("name", "reader"), OPENED)
def test_a_pipe_and_an_endless_device_are_never_opened(tmp_path, name, reader):
    def stop(*_):
        raise TimeoutError(name)

    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(20)
    try:
        for make, kind in ((os.mkfifo, "a named pipe"), (lambda at: at.symlink_to("/dev/zero"), "a device")):
            path.unlink(missing_ok=True)
            make(path)
            expected = "is not there" if reader == "plugin" else f"is {kind}, but a file is expected"
            with pytest.raises(ValueError, match=expected):
                READERS[reader](path)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_the_work_on_names_is_not_quadratic():
    names = [f"c{i}" for i in range(300_000)] + ["c7"]
    start = time.process_time()
    with pytest.raises(ValueError, match="has column c7 2 times"):
        require_unique(names, "x")
    assert time.process_time() - start < 5


def test_an_archive_of_countless_files_is_not_listed(tmp_path, monkeypatch):
    for name, count in (("many.zip", 400), ("twice.zip", 200)):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for i in range(count):
                archive.writestr(f"{i}.csv", "")
    with zipfile.ZipFile(tmp_path / "within.zip", "w") as archive:
        archive.write(tmp_path / "many.zip", "a.zip")
        archive.write(tmp_path / "twice.zip", "b.zip")
        archive.writestr("c.csv", "")
    monkeypatch.setattr(zips, "LISTING", 15_000)
    assert len(members(tmp_path / "twice.zip", Limits())) == 200
    for name in ("many.zip", "within.zip"):
        with pytest.raises(ValueError, match=rf"{name}.* has a list of files of \d+ bytes, but at most 15000 are read"):
            members(tmp_path / name, Limits())
    monkeypatch.setattr(zips, "LISTING", 1 << 20)
    monkeypatch.setattr(archives, "MEMBERS", 300)
    with pytest.raises(ValueError, match=r"within\.zip holds more than 300 files"):
        members(tmp_path / "within.zip", Limits())


@pytest.mark.parametrize("around", [b"\n" * 200_000, b" \r\n" * 70_000])
def test_blank_lines_around_a_table_cost_nothing(tmp_path, around):
    path = tmp_path / "x.csv"
    path.write_bytes(around + b"a,b\n1,2" + around)
    table = read_table(path)
    assert list(table.columns) == ["a", "b"] and table.to_numpy().tolist() == [[1, 2]]
