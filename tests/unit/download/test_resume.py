"""Transfers that break, and go on."""

import errno
import hashlib
import logging
import shutil
from collections import namedtuple

import pytest
from download_samples import BODY, PUBLISHED, names, remote, sentence
from scripted_server import Resource

from dere.download import resume
from dere.download.fetch import bytes_at_hand, fetch
from dere.download.politeness import DownloadError
from dere.download.resume import part_of


@pytest.mark.parametrize("known", [{}, {"size": len(BODY), "checksum": PUBLISHED}])
def test_a_broken_connection_is_resumed(server, client, target, waits, known):
    url = server.put("/file.bin", BODY, cuts=[200_000, 150_000])
    fetch(remote(url, **known), target, client)
    assert target.read_bytes() == BODY
    starts = [int(asked["Range"].removeprefix("bytes=").removesuffix("-")) for asked in server.asked("/file.bin")[1:]]
    assert len(starts) == 2 and 0 < starts[0] <= 200_000 < starts[1] <= 350_000
    etag = None if known else server.resources["/file.bin"].etag
    assert [asked.get("If-Range") for asked in server.asked("/file.bin")] == [None, etag, etag]
    assert waits == [0.5, 0.5]


def test_a_part_of_an_earlier_call_is_resumed(server, client, target, waits):
    url = server.put("/file.bin", BODY, cuts=[200_000, 0, 0, 0])
    with pytest.raises(DownloadError, match="after 3 attempts; call again later, it goes on where it stopped"):
        fetch(remote(url), target, client)
    have = bytes_at_hand(remote(url), target)
    assert 0 < have <= 200_000 and not target.exists()
    server.requests.clear()
    server.resources["/file.bin"].cuts = []
    fetch(remote(url), target, client)
    assert target.read_bytes() == BODY
    assert server.asked("/file.bin")[0]["Range"] == f"bytes={have}-"
    assert names(target.parent) == ["file.bin"]


def test_a_server_without_ranges_starts_again(server, client, target):
    url = server.put("/file.bin", BODY, cuts=[200_000], knows_ranges=False)
    fetch(remote(url, checksum=PUBLISHED), target, client)
    assert target.read_bytes() == BODY


def test_a_file_that_changed_in_between_is_fetched_anew(server, client, target):
    url = server.put("/file.bin", BODY, cuts=[200_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(remote(url), target, client)
    other = BODY[::-1][:100_000]
    server.put("/file.bin", other)
    fetch(remote(url), target, client)
    assert target.read_bytes() == other


def test_a_server_that_ignores_if_range_does_not_mix_two_files(server, client, target, monkeypatch):
    url = server.put("/file.bin", BODY, cuts=[200_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(remote(url), target, client)
    other = Resource(BODY[::-1])
    server.resources["/file.bin"] = other
    handler = server.RequestHandlerClass
    serve = handler.serve

    def forgetful(self, resource):
        del self.headers["If-Range"]
        return serve(self, resource)

    monkeypatch.setattr(handler, "serve", forgetful)
    server.requests.clear()
    fetch(remote(url), target, client)
    assert target.read_bytes() == other.body
    assert ["Range" in asked for asked in server.asked("/file.bin")] == [True, False]


def test_copies_with_other_validators_do_not_cost_a_new_start(server, client, target):
    """Content networks; the published checksum says more."""
    url = server.put("/file.bin", BODY, cuts=[200_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(remote(url, checksum=PUBLISHED), target, client)
    server.put("/file.bin", BODY, etag='"another copy"')
    server.requests.clear()
    fetch(remote(url, checksum=PUBLISHED), target, client)
    assert target.read_bytes() == BODY and len(server.requests) == 1 and "Range" in server.requests[0][1]


def test_a_range_that_begins_elsewhere_is_not_glued(server, client, target):
    url = server.put("/file.bin", BODY, cuts=[200_000], shift=-1000)
    fetch(remote(url, size=len(BODY)), target, client)
    assert target.read_bytes() == BODY
    assert ["Range" in asked for asked in server.asked("/file.bin")] == [False, True, False]


def test_without_validator_and_checksum_nothing_is_glued(server, client, target):
    url = server.put("/file.bin", BODY, cuts=[200_000], etag="")
    fetch(remote(url), target, client)
    assert target.read_bytes() == BODY
    assert all("Range" not in asked for asked in server.asked("/file.bin"))


def test_a_part_of_another_address_is_not_used(server, client, target):
    first = server.put("/old", BODY[::-1], cuts=[200_000, 0, 0, 0])
    with pytest.raises(DownloadError):
        fetch(remote(first, checksum=PUBLISHED), target, client)
    fetch(remote(server.put("/file.bin", BODY), checksum=PUBLISHED), target, client)
    assert target.read_bytes() == BODY


def test_a_whole_part_needs_no_transfer(server, client, target):
    """The process died between the last byte and the renaming; the server then has nothing to add (416)."""
    url = server.put("/file.bin", BODY)
    for known in ({"size": len(BODY)}, {}):
        target.unlink(missing_ok=True)
        target.parent.mkdir(exist_ok=True)
        part_of(target).write_bytes(BODY)
        part_of(target).with_name(".file.bin.part.json").write_text(
            f'{{"url": "{url}", "validator": "\\"{hashlib.md5(BODY).hexdigest()}\\""}}'
        )
        server.requests.clear()
        fetch(remote(url, **known), target, client)
        assert target.read_bytes() == BODY
        assert len(server.requests) == (0 if known else 1)


@pytest.mark.parametrize(("known", "requests"), [({}, 2), ({"size": len(BODY)}, 1)])
def test_a_part_longer_than_the_file_is_thrown_away(server, client, target, known, requests):
    url = server.put("/file.bin", BODY)
    target.parent.mkdir()
    part_of(target).write_bytes(BODY + b"more")
    part_of(target).with_name(".file.bin.part.json").write_text(f'{{"url": "{url}", "validator": "x"}}')
    fetch(remote(url, checksum=PUBLISHED, **known), target, client)
    assert target.read_bytes() == BODY and len(server.requests) == requests


def test_redirects_are_followed_and_resumed(server, client, target):
    server.put("/copy", BODY, cuts=[200_000])
    fetch(remote(server.put("/file.bin", redirect="/copy"), checksum=PUBLISHED), target, client)
    assert target.read_bytes() == BODY and "Range" in server.asked("/copy")[1]


def test_a_full_disk_is_noticed_before_the_transfer(server, client, target, monkeypatch):
    Usage = namedtuple("Usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(1, 1, 499_999))
    with pytest.raises(DownloadError) as error:
        fetch(remote(server.put("/file.bin", BODY)), target, client)
    assert "file.bin needs 0.5 MB" in sentence(error) and not part_of(target).exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_keeps_what_is_there(server, client, target, silent_file, monkeypatch, number):
    url = server.put("/file.bin", BODY)
    with monkeypatch.context(), pytest.raises(DownloadError) as error:
        silent_file(200_000, OSError(number, "No space left on device"))
        fetch(remote(url), target, client)
    assert "cannot be written (No space left on device) after 0.2 MB; free space" in sentence(error)
    monkeypatch.undo()
    assert part_of(target).read_bytes() == BODY[:200_000] and not target.exists()
    server.requests.clear()
    fetch(remote(url), target, client)
    assert target.read_bytes() == BODY and server.asked("/file.bin")[0]["Range"] == "bytes=200000-"


def test_an_interruption_keeps_what_is_there(server, client, target, silent_file, monkeypatch):
    url = server.put("/file.bin", BODY)
    with pytest.raises(KeyboardInterrupt):
        silent_file(300_000, KeyboardInterrupt())
        fetch(remote(url), target, client)
    monkeypatch.undo()
    assert part_of(target).read_bytes() == BODY[:300_000] and not target.exists()
    server.requests.clear()
    fetch(remote(url), target, client)
    assert target.read_bytes() == BODY and server.asked("/file.bin")[0]["Range"] == "bytes=300000-"


def test_progress_is_reported(server, client, target, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(resume, "SECONDS_BETWEEN_REPORTS", 0.0)
    ticks = iter(range(10_000))
    downloader = resume.ResumingDownloader(client, target, clock=lambda: float(next(ticks)))
    target.parent.mkdir()
    downloader(server.put("/file.bin", BODY), target)
    assert "file.bin: 0.1 MB of 0.5 MB (13 %), 0.0 MB per second" in caplog.text
    assert "file.bin: 0.5 MB received" in caplog.text
