"""What servers answer, and what is made of it."""

import threading

import pytest
import requests
from download_samples import BODY, remote, sentence

from dere.download.client import Client, _check_redirects
from dere.download.fetch import bytes_at_hand, fetch
from dere.download.politeness import DownloadError, Politeness
from dere.download.resume import part_of


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
