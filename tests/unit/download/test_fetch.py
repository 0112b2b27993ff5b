"""One file against a server that misbehaves."""

import errno
import hashlib
import logging
import shutil
import threading
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from scripted_server import Resource

from dere.download import resume
from dere.download.client import Client
from dere.download.fetch import bytes_at_hand, fetch
from dere.download.listing import RemoteFile
from dere.download.politeness import DownloadError, Politeness
from dere.download.resume import part_of

BODY = np.random.default_rng(0).bytes(500_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
PUBLISHED = f"sha256:{SHA256}"


def remote(url, **known):
    return RemoteFile("file.bin", url, **known)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sentence(error):
    text = str(error.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.fixture
def target(tmp_path):
    return tmp_path / "set" / "file.bin"


@pytest.fixture
def silent_file(monkeypatch):
    """Count bytes written to the part; raise at a limit."""

    def limit(after, error):
        original = Path.open

        def opening(self, *arguments, **named):
            stream = original(self, *arguments, **named)
            if not self.name.endswith(".part"):
                return stream
            write = stream.write

            class Limited:
                def __enter__(self):
                    return self

                def __exit__(self, *_):
                    stream.close()

                def __getattr__(self, name):
                    return getattr(stream, name)

                def write(self, block):
                    if stream.tell() + len(block) > after:
                        write(block[: max(0, after - stream.tell())])
                        raise error
                    return write(block)

            return Limited()

        monkeypatch.setattr(Path, "open", opening)

    return limit


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


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "it is not there any more"), (403, "access is refused"), (401, "it needs a login"), (410, "withdrawn")]
    + [(418, "open the address in a browser")],
)
def test_a_final_answer_is_not_asked_for_again(server, client, target, waits, status, words):
    url = server.put("/file.bin", BODY, failures=[(status, {})])
    with pytest.raises(DownloadError) as error:
        fetch(remote(url), target, client)
    assert f"the server answered {status}" in sentence(error) and words in sentence(error)
    assert len(server.requests) == 1 and not waits


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(server, client, target, waits, status):
    url = server.put("/file.bin", BODY, failures=[(status, {}), (status, {})])
    fetch(remote(url), target, client)
    assert target.read_bytes() == BODY and waits == [0.5, 1.0]


def test_the_server_says_how_long_to_wait(server, client, target, waits):
    url = server.put("/file.bin", BODY, failures=[(503, {"Retry-After": "7"})])
    fetch(remote(url), target, client)
    assert waits == [7.0]


def test_a_server_that_wants_hours_is_left_alone(server, client, target, waits):
    url = server.put("/file.bin", BODY, failures=[(429, {"Retry-After": "7200"})])
    with pytest.raises(DownloadError) as error:
        fetch(remote(url), target, client)
    assert "asks to come back in 7200 s" in sentence(error) and not waits


def test_nobody_listens(client, target, waits):
    with pytest.raises(DownloadError) as error:
        fetch(remote("http://127.0.0.1:9/file.bin"), target, client)
    assert "Connection refused" in sentence(error) and " at 0x" not in sentence(error) and len(waits) == 2


def test_a_silent_server_counts_as_broken(server, target, waits):
    client = Client(
        Politeness(attempts=2, first_wait=0.5, read_timeout=0.2, progress_bytes=1 << 30), sleep=waits.append
    )
    url = server.put("/file.bin", BODY, delay=threading.Event())
    with pytest.raises(DownloadError, match="after 2 attempts"):
        fetch(remote(url), target, client)
    assert bytes_at_hand(remote(url), target) > 0


def test_redirects_are_followed_and_resumed(server, client, target):
    server.put("/copy", BODY, cuts=[200_000])
    fetch(remote(server.put("/file.bin", redirect="/copy"), checksum=PUBLISHED), target, client)
    assert target.read_bytes() == BODY and "Range" in server.asked("/copy")[1]


def test_redirects_in_a_circle_end(server, client, target):
    url = server.put("/file.bin", redirect="/file.bin")
    with pytest.raises(DownloadError, match="cannot be asked for"):
        fetch(remote(url), target, client)


def test_a_secret_goes_to_its_service_only(server, waits, target):
    client = Client(tokens={f"{server.address}/": "secret"}, sleep=waits.append)
    server.put("/copy", BODY)
    elsewhere = server.address.replace("127.0.0.1", "localhost")
    fetch(remote(server.put("/file.bin", redirect=f"{elsewhere}/copy")), target, client)
    assert server.asked("/file.bin")[0]["Authorization"] == "Bearer secret"
    assert "Authorization" not in server.asked("/copy")[0]
    target.unlink()
    fetch(remote(f"{elsewhere}/copy"), target, client)
    assert "Authorization" not in server.asked("/copy")[1]


def test_encryption_is_not_given_up_on_the_way():
    import requests

    from dere.download.client import _check_redirects

    answer = requests.Response()
    answer.url = "http://mirror.example/file"
    with pytest.raises(DownloadError, match=r"leads to an address without encryption \(mirror.example\)"):
        _check_redirects("https://archive.example/file", answer)
    answer.url = "https://mirror.example/file"
    _check_redirects("https://archive.example/file", answer)


def test_a_wrong_address_is_a_sentence(client, target):
    with pytest.raises(DownloadError, match="cannot be asked for"):
        fetch(remote("gopher://archive.example/file.bin"), target, client)


def test_a_certificate_that_is_not_trusted_is_not_tried_again(client, target, waits, monkeypatch):
    import requests

    def refuse(*arguments, **named):
        raise requests.exceptions.SSLError("certificate has expired")

    monkeypatch.setattr(requests.Session, "get", refuse)
    with pytest.raises(DownloadError, match="the certificate of the server is not trusted"):
        fetch(remote("https://archive.example/file.bin"), target, client)
    assert not waits


def test_a_login_page_is_not_taken_for_the_file(server, client, target):
    url = server.put("/file.bin", b"<html>log in</html>", headers={"Content-Type": "text/html; charset=utf-8"})
    with pytest.raises(DownloadError, match="gave a web page instead of the file"):
        fetch(remote(url), target, client)
    assert not target.exists() and not part_of(target).exists()


def test_a_compressed_transfer_is_refused(server, client, target):
    url = server.put("/file.bin", BODY, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match=r"came compressed \(gzip\)"):
        fetch(remote(url), target, client)


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


def test_progress_is_reported(server, client, target, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(resume, "SECONDS_BETWEEN_REPORTS", 0.0)
    ticks = iter(range(10_000))
    downloader = resume.ResumingDownloader(client, target, clock=lambda: float(next(ticks)))
    target.parent.mkdir()
    downloader(server.put("/file.bin", BODY), target)
    assert "file.bin: 0.1 MB of 0.5 MB (13 %), 0.0 MB per second" in caplog.text
    assert "file.bin: 0.5 MB received" in caplog.text
