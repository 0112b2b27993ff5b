"""Which folders of towers a run is given, and that what lies in that of the package counts among its inputs."""

from dere.ingest.tower.bundled import SITES, TABLE
from dere.resources import TOWERS
from dere.workflow.contents import contents
from dere.workflow.tower_folders import tower_folders
from loaded_workflow import ROOT, loaded, parameters


def test_the_package_comes_before_ones_own_and_is_named_from_the_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert tower_folders("bundled", ["mine"]) == ["src/dere/resources/towers", "mine"]
    assert tower_folders("files", ["mine"]) == ["mine"] and tower_folders("files", []) == []
    monkeypatch.chdir(ROOT / "docs")
    assert tower_folders("bundled", []) == [str(TOWERS)]


def test_what_lies_in_the_package_is_compared_by_content(monkeypatch):
    """Of config/towers.yaml, which needs no variable."""
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("DERE_REALDATA", raising=False)
    rule = loaded("towers")[0]["ingest_towers"]
    files = [str(file) for file in rule.input]
    assert {f"src/dere/resources/towers/{name}" for name in (TABLE, SITES)} <= set(files)
    found = parameters(rule)
    assert found["content"] == contents(files).value and found["folders"] == ["src/dere/resources/towers"]
    assert found["sources"] == ("dere.ingest.tower.bundled",)
