"""Sums of input files: by content, worked out once, whatever the dates say."""

import os
from pathlib import Path

import pytest

from dere.workflow import contents as module
from dere.workflow.contents import contents


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "towers"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_text(f"content of {name}")
    return [str(folder / "a.csv"), str(folder / "b.csv")]


@pytest.fixture
def read(monkeypatch):
    """Return the files that were read, each time they are; all count as written long ago."""
    found = []
    monkeypatch.setattr(module, "_SETTLED_S", -1.0)
    monkeypatch.setattr(
        module, "file_sha256", lambda path, own=module.file_sha256: (found.append(path.name), own(path))[1]
    )
    return found


def keeping_its_date(path, text):
    before = os.stat(path)
    with open(path, "w") as stream:
        stream.write(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_file_is_read_once_until_it_is_written(files, read, tmp_path):
    first = contents(files, tmp_path / "state")
    assert read == ["a.csv", "b.csv"]
    assert contents(files, tmp_path / "state") == first and len(read) == 2
    keeping_its_date(files[1], "content of c.csv")
    other = contents(files, tmp_path / "state")
    assert read == ["a.csv", "b.csv", "b.csv"] and other.value != first.value
    keeping_its_date(files[1], "content of b.csv")
    assert contents(files, tmp_path / "state").value == first.value


def test_a_touched_or_copied_file_is_the_same(files, read, tmp_path):
    first = contents(files, tmp_path / "state")
    os.utime(files[0], (1, 1))
    (tmp_path / "copy").write_bytes(Path(files[1]).read_bytes())
    os.replace(tmp_path / "copy", files[1])
    assert contents(files, tmp_path / "state").value == first.value and len(read) == 4


def test_one_file_more_or_less_is_another_content(files, read, tmp_path):
    values = {contents(chosen, tmp_path / "state").value for chosen in (files, files[:1], files[1:])}
    assert len(values) == 3


def test_a_file_that_was_just_written_is_read_again(files, read, monkeypatch, tmp_path):
    """It may be written once more within the same tick of the clock."""
    monkeypatch.setattr(module, "_SETTLED_S", 60.0)
    contents(files, tmp_path / "state")
    contents(files, tmp_path / "state")
    assert len(read) == 4


@pytest.mark.parametrize("damage", ["no json", "[]", '{"x": 3}', ""])
def test_damaged_sums_are_worked_out_again(files, read, damage, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "contents.json").write_text(damage)
    contents(files, tmp_path / "state")
    contents(files, tmp_path / "state")
    assert read == ["a.csv", "b.csv"]


def test_sums_that_cannot_be_kept_cost_time_only(files, read, tmp_path):
    (tmp_path / "state").write_text("a file")
    assert contents(files, tmp_path / "state").value and len(read) == 2


def test_much_to_read_is_said(files, read, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_TOLD_FROM", 10)
    monkeypatch.setattr(module, "_TOLD_EVERY_S", -1.0)
    said = []
    contents(files, tmp_path / "state", said.append)
    assert said[0].startswith("Reading 2 input files (0.0 GB)") and said[-1] == "Read 0.0 of 0.0 GB."
    contents(files, tmp_path / "state", said.append)
    assert len(said) == 3


def test_a_file_that_is_gone_is_a_sentence(files, tmp_path):
    os.unlink(files[0])
    with pytest.raises(FileNotFoundError, match=r"a\.csv does not exist any more; put it back"):
        contents(files, tmp_path / "state")
