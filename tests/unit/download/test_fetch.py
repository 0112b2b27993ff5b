"""One file: fetched once, checked, never replaced."""

import hashlib
import logging
import threading
import time

import pytest
from download_samples import BODY, PUBLISHED, SHA256, names, remote, sentence

from dere.download.client import Client
from dere.download.fetch import fetch
from dere.download.politeness import DownloadError
from dere.download.resume import part_of


@pytest.mark.parametrize("known", [{}, {"size": len(BODY)}, {"size": len(BODY), "checksum": PUBLISHED}])
def test_a_file_arrives_whole_and_alone(server, client, target, known):
    found = fetch(remote(server.put("/file.bin", BODY), **known), target, client)
    assert target.read_bytes() == BODY and found.sha256 == SHA256
    assert names(target.parent) == ["file.bin"]
    assert target.stat().st_mode & 0o044


def test_md5_is_checked_and_sha256_given(server, client, target):
    checksum = f"md5:{hashlib.md5(BODY).hexdigest()}"
    found = fetch(remote(server.put("/file.bin", BODY), checksum=checksum), target, client)
    assert (found.sha256, found.checked) == (SHA256, "published md5")


def test_a_second_call_asks_for_nothing(server, client, target):
    wanted = remote(server.put("/file.bin", BODY), size=len(BODY), checksum=PUBLISHED)
    fetch(wanted, target, client)
    before = len(server.requests), target.stat().st_mtime_ns
    assert fetch(wanted, target, client).sha256 == SHA256
    assert (len(server.requests), target.stat().st_mtime_ns) == before


def test_more_than_published_is_not_accepted(server, client, target):
    url = server.put("/file.bin", BODY, says_length=False)
    with pytest.raises(DownloadError, match="the server sent 500000 bytes instead of 400000"):
        fetch(remote(url, size=400_000), target, client)
    assert not target.exists() and not part_of(target).exists()


def test_a_wrong_checksum_leaves_nothing(server, client, target):
    url = server.put("/file.bin", BODY)
    with pytest.raises(DownloadError) as error:
        fetch(remote(url, checksum="sha256:" + "0" * 64), target, client)
    assert f"has sha256 {SHA256}, but {'0' * 64} is expected; the file was removed" in sentence(error)
    assert [name for name in names(target.parent) if not name.endswith(".lock")] == []


def test_a_file_without_published_checksum_must_stay_what_it_was(server, client, target):
    url = server.put("/file.bin", BODY)
    first = fetch(remote(url), target, client)
    assert first.checked == "nothing (first seen)"
    assert fetch(remote(url), target, client, recorded=first.sha256).checked == "recorded sha256"
    target.write_bytes(b"edited")
    with pytest.raises(DownloadError, match="was recorded when it was first seen; it has changed"):
        fetch(remote(url), target, client, recorded=first.sha256)
    target.unlink()
    server.put("/file.bin", BODY[::-1])
    with pytest.raises(DownloadError, match=f"but {SHA256} is expected; the file was removed"):
        fetch(remote(url), target, client, recorded=first.sha256)


def test_a_file_of_a_person_is_checked_and_never_replaced(server, client, target):
    target.parent.mkdir()
    target.write_bytes(b"mine")
    url = server.put("/file.bin", BODY)
    with pytest.raises(DownloadError, match=f"has 4 bytes, but {len(BODY)} are published"):
        fetch(remote(url, size=len(BODY)), target, client)
    with pytest.raises(DownloadError, match=f"but {SHA256} is published; it is damaged or another version"):
        fetch(remote(url, checksum=PUBLISHED), target, client)
    assert target.read_bytes() == b"mine" and not server.requests


def test_a_size_that_is_not_the_published_one_is_refused_before_the_transfer(server, client, target):
    url = server.put("/file.bin", BODY)
    with pytest.raises(DownloadError) as error:
        fetch(remote(url, size=len(BODY) + 1), target, client)
    assert f"has {len(BODY)} bytes, but {len(BODY) + 1} are published" in sentence(error)
    assert not part_of(target).exists()


def test_an_early_end_without_a_length_is_noticed_by_the_published_size(server, client, target):
    url = server.put("/file.bin", BODY, cuts=[200_000], says_length=False)
    fetch(remote(url, size=len(BODY)), target, client)
    assert target.read_bytes() == BODY


def test_two_calls_of_one_file_fetch_it_once(server, waits, target, caplog):
    caplog.set_level(logging.INFO)
    gate = threading.Event()
    wanted = remote(server.put("/file.bin", BODY, delay=gate), checksum=PUBLISHED)
    found, errors = [], []

    def call():
        try:
            found.append(fetch(wanted, target, Client(sleep=waits.append)).sha256)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(500):
        if caplog.text.count("another process fetches it; waiting") == 2:
            break
        time.sleep(0.01)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert not errors and found == [SHA256] * 3
    assert len(server.asked("/file.bin")) == 1 and names(target.parent) == ["file.bin"]
