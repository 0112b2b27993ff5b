"""``dere methods``, ``dere backbones``: every member with what it declares, for people and for programs."""

import json

from dere import backbones
from dere.cli.output import table
from dere.methods import methods


def test_columns_are_as_wide_as_their_longest_text():
    assert table([("a", "bcd", "e"), ("abc", "", "f"), ("", "b", "")]) == "a    bcd  e\nabc       f\n     b"


def test_every_method_has_its_row(dere):
    lines = dere("methods").output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(methods())
    row = next(line for line in lines if line.startswith("kgml "))
    assert [part.strip() for part in row.split("  ") if part] == [
        *("kgml", "KGML", "kgml_simulation, kgml_towers", "yes", "ch4, co2"),
    ]
    found = {method["name"]: method for method in json.loads(dere("methods", "--json").output)}
    assert found["dere"]["references"] == list(methods()["dere"].references)
    assert [name for name, method in found.items() if method["per_backbone"]] == [
        name for name, method in methods().items() if method.per_backbone
    ]


def test_every_backbone_has_its_row(dere):
    lines = dere("backbones").output.splitlines()
    assert [line.split()[0] for line in lines[1:]] == backbones.names()
    found = json.loads(dere("backbones", "--json").output)
    assert [entry["name"] for entry in found] == backbones.names()
    for line, entry in zip(lines[1:], found, strict=True):
        assert entry["label"] in line and line.endswith("; ".join(entry["references"]))
