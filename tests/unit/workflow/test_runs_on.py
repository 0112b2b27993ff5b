"""A run says what it runs on, from its configuration."""

import pytest

from dere.run_config.root import normalise
from dere.workflow.runs_on import mixed, runs_on

BUNDLED = {"provider": "bundled"}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "Run demo: simulation, plant types, towers of the built-in world."),
        (
            {
                "world": None,
                "sources": {"simulation": {"path": "s"}, "cover": {"path": "c"}, "towers": {"paths": ["t"]}},
            },
            "Run demo: simulation from s; plant types from c; towers from t.",
        ),
        (
            {"sources": {"cover": {"provider": "igbp"}, "towers": {"paths": ["t", "u"]}}},
            "Run demo: plant types by the class of each tower; towers from t, u; simulation of the built-in world.",
        ),
        (
            {
                "run": "x",
                "world": None,
                "sources": {
                    "simulation": {"provider": "builtin"},
                    "cover": {"provider": "igbp"},
                    "towers": {"paths": ["t"]},
                },
            },
            "Run x: simulation by the built-in process model on the weather of the towers; plant types by the class of "
            "each tower; towers from t.",
        ),
        (
            {"world": None, "sources": {"simulation": {"path": "s"}, "cover": {"path": "c"}, "towers": BUNDLED}},
            "Run demo: simulation from s; plant types from c; towers of FLUXNET2015 that come with the package.",
        ),
        (
            {
                "world": None,
                "sources": {
                    "simulation": {"path": "s"},
                    "cover": {"path": "c"},
                    "towers": {**BUNDLED, "paths": ["t", "u"]},
                },
            },
            "Run demo: simulation from s; plant types from c; towers of FLUXNET2015 that come with the package and "
            "from t, u.",
        ),
    ],
)
def test_every_source_is_named_once(given, text):
    found = runs_on(normalise(given))
    assert found == text
    assert ("built-in world" in found) == (given.get("world", {}) is not None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, False),
        ({"sources": {"cover": {"provider": "igbp"}}}, True),
        ({"sources": {"methane": {"provider": "xmethanewet", "path": "m"}}, "exchanges": ["co2", "ch4"]}, True),
        ({"sources": {"methane": {"provider": "xmethanewet", "path": "m"}}}, False),
    ],
)
def test_files_beside_the_built_in_world_are_a_mixture(given, expected):
    config = normalise(given)
    assert mixed(config) == expected
    assert ("simulated methane from m" in runs_on(config)) == ("exchanges" in given)
