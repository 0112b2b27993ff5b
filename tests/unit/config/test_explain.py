"""Every key of the configuration can be explained, in words that say what validation accepts."""

import pytest

from dere.run_config.explain import Branch, Leaf, allowed, explain, keys_below, kind, meaning_of, section_at
from dere.run_config.root import Config, normalise

WHOLE = Config.model_json_schema()
NODES = dict(keys_below(WHOLE, WHOLE))
DEFAULTS = Config().model_dump(mode="json")


def default_of(key):
    value = DEFAULTS
    for part in key.split("."):
        value = value[part]
    return value


def nested(key, value):
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def test_keys_are_those_of_a_complete_configuration():
    assert [key for key in NODES if "." not in key] == list(DEFAULTS)
    sections = {key: section_at(node, WHOLE) for key, node in NODES.items()}
    assert len(NODES) > 300
    for key, section in sections.items():
        below = [other for other in NODES if other.rpartition(".")[0] == key]
        assert below == ([f"{key}.{name}" for name in default_of(key)] if section else [])


def test_every_key_has_a_meaning_and_every_leaf_a_type():
    leaves = {key: node for key, node in NODES.items() if section_at(node, WHOLE) is None}
    assert all(kind(node) for node in leaves.values()) and any(allowed(node, WHOLE) for node in leaves.values())
    assert not [key for key, node in NODES.items() if not meaning_of(node, WHOLE)]


@pytest.mark.parametrize(
    ("key", "words", "limits", "refused"),
    [
        ("harmonise.window", "whole number", ">= 12", 11),
        ("evaluation.bootstrap", "whole number", ">= 10", 9),
        ("sources.cover.tower_window_km", "number or text", ">= 0, <= 100 or 3x3", "5x5"),
        ("sources.cover.aggregate_degrees", "number or null", "> 0, <= 30", 0),
        ("sources.cover.age.tree_cover", "whole number", "0, 10, 20, 30", 5),
        ("sources.towers.resolution", "list of texts", "MM, DD, HH, HR, at least 1 in the list", []),
        ("sources.simulation.netcdf.plant_types", "mapping of text to text", "BL, NL, GS, none", {"x": "XX"}),
        ("sources.simulation.member_months", "whole number", ">= 12, a multiple of 12", 125),
        ("stages.towers.candidates", "list of mappings", None, [{"no_such": 1}]),
        ("sources.towers.use_satellites", "true or false", "", "perhaps"),
    ],
)
def test_what_is_said_of_a_leaf_is_what_is_accepted(key, words, limits, refused):
    found = explain(key)
    assert isinstance(found, Leaf) and (found.type, found.default) == (words, default_of(key))
    assert limits is None or found.allowed == limits
    normalise(nested(key, found.default))
    with pytest.raises(ValueError, match=key.replace(".", r"\.")):
        normalise(nested(key, refused))


def test_a_mapping_in_a_list_says_its_keys():
    assert explain("stages.towers.candidates").allowed.startswith("keys ")


def test_a_section_says_its_keys_also_where_it_may_be_null():
    world = explain("world")
    assert isinstance(world, Branch) and list(world.keys) == list(DEFAULTS["world"])
    assert explain("sources.towers").meaning == "Flux towers."
    assert explain("stages").meaning.count("\n") == 0


def test_a_common_setting_of_a_stage_says_where_its_default_stands():
    assert explain("stages.mixture.batch").common == "stages.defaults.batch"
    for own in ("stages.pure.epochs", "stages.defaults.batch", "networks.transformer.width"):
        assert explain(own).common == ""


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("stages.towers.epoch", "did you mean stages.towers.epochs or "),
        ("towers.epochs", r"did you mean stages\.towers\.epochs\?$"),
        ("qqq", "begin with one of run, methods, "),
        ("", "begin with one of run, methods, "),
        ("run.x", "did you mean run"),
    ],
)
def test_an_unknown_key_names_close_ones(key, remedy):
    with pytest.raises(ValueError, match=f"^{key} is no key of the configuration; {remedy}"):
        explain(key)
