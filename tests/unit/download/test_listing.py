"""What the services list, and what of it is believed."""

import dataclasses
import hashlib

import pytest

from dere.download.catalogue import Dataset
from dere.download.fetch import fetch
from dere.download.listing import LISTERS, RemoteFile, Services, inside, list_huggingface, list_plain, list_zenodo
from dere.download.politeness import DownloadError, Politeness

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "/api/datasets/group/set"
LARGE, SMALL = b"large file " * 1000, b"1\n2\n"


def row(service, location, **other):
    values = dict.fromkeys((field.name for field in dataclasses.fields(Dataset)), "")
    values |= {"name": "set", "version": "main", "file": "*", "access": "open", "size_bytes": None, "verified": False}
    return Dataset(**{**values, "service": service, "location": location, **other})


def large(path, content=LARGE):
    digest = hashlib.sha256(content).hexdigest()
    return {"type": "file", "path": path, "size": len(content), "lfs": {"oid": digest, "size": len(content)}}


@pytest.fixture
def hub(server):
    """A synthetic hub with one repository: two pages of files, large ones with their checksum."""
    server.put_json(f"{REPOSITORY}/revision/main", {"sha": COMMIT})
    first = [{"type": "directory", "path": "inputs"}, large("inputs/glob X.npy")]
    second = [{"type": "file", "path": "train.csv", "size": len(SMALL), "oid": "x"}]
    second.append({"type": "file", "path": ".gitattributes", "size": 3, "oid": "y"})
    tree = f"{REPOSITORY}/tree/{COMMIT}?recursive=true"
    server.put_json(tree, first)
    server.resources[tree].headers["Link"] = f'<{server.address}{tree}&cursor=2>; rel="next"'
    server.put_json(f"{tree}&cursor=2", second)
    server.put(f"/datasets/group/set/resolve/{COMMIT}/inputs/glob%20X.npy", redirect="/store/large")
    server.put("/store/large", LARGE, cuts=[4000])
    server.put(f"/datasets/group/set/resolve/{COMMIT}/train.csv", SMALL)
    return Services(huggingface=server.address)


def test_a_repository_is_listed_at_one_commit_with_its_checksums(hub, client):
    found = list_huggingface(row("huggingface", "group/set"), client, hub)
    start = f"{hub.huggingface}/datasets/group/set/resolve/{COMMIT}/"
    digest = hashlib.sha256(LARGE).hexdigest()
    assert found == [
        RemoteFile("inputs/glob X.npy", f"{start}inputs/glob%20X.npy", len(LARGE), f"sha256:{digest}"),
        RemoteFile("train.csv", f"{start}train.csv", len(SMALL), ""),
    ]


def test_files_of_a_repository_are_fetched_through_redirects_and_cuts(hub, client, tmp_path):
    for file in list_huggingface(row("huggingface", "group/set"), client, hub):
        fetch(file, inside(tmp_path, file.name), client)
    assert (tmp_path / "inputs" / "glob X.npy").read_bytes() == LARGE
    assert (tmp_path / "train.csv").read_bytes() == SMALL


def test_only_wanted_files_are_listed(hub, client):
    found = list_huggingface(row("huggingface", "group/set", file="*.csv"), client, hub)
    assert [file.name for file in found] == ["train.csv"]
    with pytest.raises(DownloadError, match=r"lists inputs/glob X.npy, train.csv, .*but \*.zip is expected"):
        list_huggingface(row("huggingface", "group/set", file="*.zip"), client, hub)


def test_pages_of_another_host_are_not_followed(hub, server, client):
    tree = server.resources[f"{REPOSITORY}/tree/{COMMIT}?recursive=true"]
    tree.headers["Link"] = '<http://elsewhere.example/api>; rel="next"'
    with pytest.raises(DownloadError, match=r"goes on at elsewhere.example, another host"):
        list_huggingface(row("huggingface", "group/set"), client, hub)


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        (f"{REPOSITORY}/revision/main", {"id": "set"}, "no usable 'sha'"),
        (f"{REPOSITORY}/revision/main", [], "no usable 'sha'"),
        (f"{REPOSITORY}/revision/main", {"sha": "../../etc"}, "names its commit '../../etc'"),
        (f"{REPOSITORY}/tree/{COMMIT}?recursive=true", {"error": "gone"}, "gave no list of files"),
        (f"{REPOSITORY}/tree/{COMMIT}?recursive=true", ["text"], "no usable 'type'"),
        (f"{REPOSITORY}/tree/{COMMIT}?recursive=true", [{"type": "file", "path": 3}], "no usable 'path'"),
        (f"{REPOSITORY}/tree/{COMMIT}?recursive=true", [{"type": "file", "path": "a", "size": -1}], "no usable 'size'"),
        (
            f"{REPOSITORY}/tree/{COMMIT}?recursive=true",
            [{"type": "file", "path": "a", "size": True}],
            "no usable 'size'",
        ),
        (f"{REPOSITORY}/tree/{COMMIT}?recursive=true", [], "lists nothing"),
    ],
)
def test_a_strange_listing_is_a_sentence(hub, server, client, path, content, words):
    server.put_json(path, content)
    with pytest.raises(DownloadError) as error:
        list_huggingface(row("huggingface", "group/set"), client, hub)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_page_that_is_not_json_is_a_sentence(hub, server, client):
    server.put(f"{REPOSITORY}/revision/main", b"<html>")
    with pytest.raises(DownloadError, match="something that is not JSON"):
        list_huggingface(row("huggingface", "group/set"), client, hub)


def test_a_listing_is_asked_for_patiently(hub, server, client, waits):
    server.resources[f"{REPOSITORY}/revision/main"].failures = [(503, {})]
    server.resources[f"{REPOSITORY}/tree/{COMMIT}?recursive=true"].cuts = [10]
    assert len(list_huggingface(row("huggingface", "group/set"), client, hub)) == 2
    assert waits == [0.5, 0.5]


def test_a_record_of_zenodo(server, client):
    digest = hashlib.md5(SMALL).hexdigest()
    files = [
        {"key": "carbonsense.tar", "size": 4, "checksum": f"md5:{digest}"},
        {"key": "raw.tar.gz", "size": 9, "checksum": "crc:1"},
    ]
    server.put_json("/api/records/11403428", {"files": files})
    services = Services(zenodo=server.address)
    url = f"{server.address}/records/11403428/files/carbonsense.tar?download=1"
    wanted = row("zenodo", "11403428", file="carbonsense.tar")
    assert list_zenodo(wanted, client, services) == [RemoteFile("carbonsense.tar", url, 4, f"md5:{digest}")]
    assert [file.checksum for file in list_zenodo(row("zenodo", "11403428"), client, services)] == [f"md5:{digest}", ""]


@pytest.mark.parametrize("content", [{}, [], {"files": None}])
def test_a_restricted_record_is_a_sentence(server, client, content):
    server.put_json("/api/records/1", content)
    with pytest.raises(DownloadError, match="gave no list of files; the record is restricted"):
        list_zenodo(row("zenodo", "1"), client, Services(zenodo=server.address))


def test_plain_addresses_have_their_names_in_the_table(client):
    found = list_plain(
        row("http", "https://x.example/d/", file="map {2001..2002}.nc", size_bytes=None), client, Services()
    )
    assert [file.url for file in found] == ["https://x.example/d/map%202001.nc", "https://x.example/d/map%202002.nc"]
    one = list_plain(row("http", "https://x.example/", file="a.zip", size_bytes=5, sha256="0" * 64), client, Services())
    assert one == [RemoteFile("a.zip", "https://x.example/a.zip", 5, "sha256:" + "0" * 64)]
    assert set(LISTERS) == {"http", "huggingface", "zenodo"}


@pytest.mark.parametrize(
    "name",
    ["../evil", "a/../../evil", "/etc/passwd", "a//b", "", ".", "..", "a/..", "C:\\evil", "c:evil", "a\\..\\b", "a\nb"]
    + ["a\x00b", "\x1b[31m", "x" * 300, "link/evil", "\u202egpj"],
)
def test_names_of_a_listing_never_leave_the_folder(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(DownloadError, match="does not stay inside"):
        inside(folder, name)


@pytest.mark.parametrize("name", ["a.npy", "sub/b c.npz", "..a", "ä.csv"])
def test_ordinary_names_stay(tmp_path, name):
    assert inside(tmp_path, name) == tmp_path / name


def test_services_and_secret_come_from_the_environment(server, waits):
    environment = {"HF_ENDPOINT": server.address, "HF_TOKEN": "secret"}
    services = Services.of(environment)
    assert services.huggingface == server.address and Services.of({}) == Services()
    server.put_json("/x", {})
    services.client(Politeness(), environment).json(f"{server.address}/x")
    services.client(Politeness(), {}).json(f"{server.address}/x")
    assert [headers.get("Authorization") for headers in server.asked("/x")] == ["Bearer secret", None]
    assert server.asked("/x")[0]["User-Agent"].startswith("dere/")
    assert server.asked("/x")[0]["Accept-Encoding"] == "identity"
