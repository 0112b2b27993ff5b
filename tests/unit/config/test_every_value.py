"""Every value of every leaf with few values is in a run that tests make to the end, or stands below with the reason."""

from typing import Literal

import pytest

import value_runs
from dere.config.base import Section
from dere.ingest.arrays.dere_files import NETWORKS
from enumerated_values import GIVEN, chosen, enumerated, of_model
from value_inputs import WRITERS

RUNS = (*value_runs.MADE_ANYWAY, *value_runs.PACKED)
BY_NAME = "says by what name the arrays of the towers are found, and every name is recognised in test_dere_members"
PUBLIC = "read of the public CarbonGlobe alone, which holds no pure stands and no plant fractions: harmonise refuses it"
ALIKE = "is a setting of a stage with the code of others that such runs train; test_transfers.py trains it too"
TRANSFERS = ("kgml_residual", "kgml_adversarial", "kgml_reweight")
THEIR_STAGES = ("kgml_residual", "kgml_aligned", "kgml_adversarial", "kgml_weighted", "kgml_reweight")
SWITCHES = {("bf16", True), ("compile", True), ("refit", True), ("dropout", None)}
"""What is switched on for the other stages in a run of its own."""
WITHOUT = {
    **{("methods", name): "is fitted and predicts in tests/unit/methods/test_transfers.py" for name in TRANSFERS},
    **{
        (leaf, value): ALIKE
        for leaf, values in enumerated().items()
        for value in values
        if leaf.startswith(tuple(f"stages.{name}." for name in THEIR_STAGES))
        or (leaf.startswith("stages.kgml_stack.") and ((leaf.rpartition(".")[2], value) in SWITCHES or "cand" in leaf))
    },
    **{("sources.simulation.network", name): BY_NAME for name in NETWORKS if name not in ("mix", "multiple")},
    **{("sources.simulation.row_order", value): PUBLIC for value in ("auto", "north", "south")},
    **{("sources.simulation.hours", value): PUBLIC for value in ("local", "keep")},
    ("sources.methane.provider", "xmethanewet"): "is read in test_xmethanewet.py, goes to cells and towers in "
    "test_given_states.py and into the rules in test_methane_beside_co2.py; real fields are of half degrees",
    ("trees.link", "asinh"): "is of exchanges of one flux, fitted and predicted in test_tree_link.py",
    ("exchanges", "ch4"): "is config/methane.yaml, real wetlands; a small exchange goes through every step in "
    "tests/workflow/test_another_exchange.py",
}
"""What no run holds, and why."""


@pytest.fixture(scope="module")
def held():
    return {name: chosen(value_runs.raw(name)) for name in RUNS}


def test_every_value_is_in_a_run(held):
    wanted = {(leaf, value) for leaf, values in enumerated().items() for value in values}
    found = set().union(*held.values())
    missing = sorted(wanted - found - set(WITHOUT), key=str)
    assert not missing, f"add them to a run of {value_runs.FOLDER}, or say in WITHOUT why there is none"
    assert not set(WITHOUT) & found and set(WITHOUT) <= wanted, "WITHOUT names what a run holds or what is no value"


def test_there_are_few_runs_and_each_is_needed(held):
    assert len(RUNS) <= 10
    files = {path.stem for path in value_runs.FOLDER.glob("*.yaml")} - {"small"}
    assert files == set(value_runs.PACKED)
    for name in value_runs.PACKED:
        others = set().union(*(values for other, values in held.items() if other != name))
        assert held[name] - others, f"{name} holds no value of its own"


def test_leaves_are_those_of_the_models():
    known = enumerated()
    assert len(known) > 100
    assert known["world"] == (GIVEN, None) and known["sources.cover.tower_window_km"] == (GIVEN, "3x3")
    assert known["figures.formats"] == ("png", "svg", "pdf"), "items of lists"
    assert known["sources.simulation.netcdf.plant_types"] == ("BL", "NL", "GS", "none"), "values of tables"
    assert known["stages.towers.candidates.dropout"] == (GIVEN, None), "sections in lists"
    assert "trees.trees" not in known and set(known["methods"]) >= {"dere", "gbm"}


class Inner(Section):
    mode: Literal["one", "two"] = "one"


class Outer(Section):
    inner: Inner | None = None
    switch: bool = False
    number: int = 1


def test_a_new_leaf_is_found():
    assert dict(of_model(Outer)) == {"inner": [GIVEN, None], "inner.mode": ["one", "two"], "switch": [True, False]}


def test_only_what_is_read_counts():
    """The default format of a simulation is not read where the built-in process model runs."""
    tree = {"sources": {"simulation": {"provider": "builtin"}}, "methods": ["climatology"]}
    found = chosen(tree)
    assert ("sources.simulation.provider", "builtin") in found
    assert ("sources.simulation.satellites", "simulated") in found
    assert not {leaf for leaf, _ in found} & {
        "sources.simulation.format",
        "stages.pure.bf16",
        "trees.validation_towers",
    }


def test_inputs_are_written_for_every_path():
    assert set().union(*map(value_runs.inputs_of, value_runs.PACKED)) == set(WRITERS)
