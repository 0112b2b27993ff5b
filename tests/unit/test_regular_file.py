"""What is opened is a regular file of a size that is read, and folders are searched to an end."""

import os
import socket

import pytest

from dere import regular_file
from dere.ingest.tower.walk import entries
from dere.regular_file import files_below, require_regular


def test_a_file_and_a_link_to_it_pass(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "b").symlink_to("a")
    assert require_regular(tmp_path / "a", "remedy", 3) == require_regular(tmp_path / "b", "remedy") == 3
    with pytest.raises(ValueError, match=r"a has 3 bytes, but at most 2 are read; remedy"):
        require_regular(tmp_path / "a", "remedy", 2)


def test_anything_else_is_said_to_be_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "null").symlink_to("/dev/null")
    (tmp_path / "to pipe").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
    kinds = {
        "pipe": "a named pipe",
        "to pipe": "a named pipe",
        "null": "a device",
        "socket": "a socket",
        ".": "a folder",
    }
    for name, kind in kinds.items():
        with pytest.raises(ValueError, match=rf"is {kind}, but a file is expected; remedy"):
            require_regular(tmp_path / name, "remedy")
    with pytest.raises(ValueError, match="is a link that leads back to itself"):
        require_regular(tmp_path / "loop", "remedy")
    for name in ("nothing", "pipe/below", "x" * 400, "nul\0"):
        with pytest.raises(FileNotFoundError, match="does not exist; remedy"):
            require_regular(tmp_path / name, "remedy")


def test_links_to_folders_are_followed_as_readers_follow_them(tmp_path):
    """What a reader finds behind a link has to be compared too, or a change there would rerun nothing."""
    store, folder = tmp_path / "store", tmp_path / "towers"
    (store / "inner").mkdir(parents=True)
    folder.mkdir()
    (store / "inner" / "FLX_AA-Any.csv").write_text("")
    (folder / "FLX_AA-Own.csv").write_text("")
    (folder / "linked").symlink_to(store)
    (folder / "nowhere").symlink_to("missing")
    (folder / "itself").symlink_to("itself")
    found = [str(path.relative_to(folder)) for path in files_below(folder)]
    assert found == ["FLX_AA-Own.csv", "itself", "linked/inner/FLX_AA-Any.csv", "nowhere"]
    walked = [name.removeprefix("towers/") for _, name, _ in entries(folder, "towers", [])]
    assert sorted(walked) == found
    assert files_below(folder / "FLX_AA-Own.csv") == files_below(tmp_path / "missing") == []


def test_folders_are_searched_to_an_end(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path)
    for name in ("1", "a/2", "a/b/3"):
        (tmp_path / name).write_text("")
    assert [path.name for path in files_below(tmp_path)] == ["1", "2", "3"]
    monkeypatch.setattr(regular_file, "MOST_FILES", 5)
    with pytest.raises(ValueError, match="holds more than 5 files and folders"):
        files_below(tmp_path)
