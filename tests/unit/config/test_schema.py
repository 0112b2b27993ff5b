"""The JSON schema takes what the models take and refuses what they refuse."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from dere.run_config.root import normalise
from dere.run_config.schema import schema

ROOT = Path(__file__).parents[3]
FILES = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml")), ROOT / "tests/fixtures/paper_tiny.yaml"]
SCHEMA = schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_configuration_file_fits_and_names_it(path):
    text = path.read_text()
    assert not [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]
    named = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / named).resolve() == ROOT / "config" / "schema.json"


def test_a_complete_configuration_fits():
    assert VALIDATOR.is_valid(json.loads(json.dumps(normalise({}))))


@pytest.mark.parametrize(
    "tree",
    [
        {"wurld": {}},
        {"world": {"yeers": 3}},
        {"stages": {"pure": {"pull": 0}}},
        {"stages": {"defaults": {"ages_per_step": 2}}},
        {"stages": {"puree": {}}},
        {"stages": {"age": {"epochs": 0}}},
        {"stages": {"defaults": {"epochs": None}}},
        {"stages": {"towers": {"pull": None}}},
        {"stages": {"towers": {"candidates": [{"learning_rate": 1}]}}},
        {"networks": {"gru": {}}},
        {"networks": {"timexer": {"levels": 2}}},
        {"networks": {"transformer": {"width": "${WIDTH}"}}},
        {"networks": {"transformer": {"norms": "middle"}}},
        {"networks": {"transformer": {"dropout": "much"}}},
        {"imputation": {"training": {"epochs": None}}},
        {"folds": []},
        {"run": "a b"},
        {"sources": {"towers": {"paths": "x"}}},
        {"sources": {"simulation": {"netcdf": {"plant_types": {"A": "XX"}}}}},
    ],
    ids=str,
)
def test_what_the_models_refuse_is_refused(tree):
    with pytest.raises(ValueError):
        normalise(tree, {"WIDTH": "wide"})
    assert not VALIDATOR.is_valid(tree)


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"stages": {"towers": {"epochs": None, "dropout": None, "candidates": []}}},
        {"stages": {"defaults": {"learning_rate": "1e-4", "bf16": True}}},
        {"run": "${RUN}", "sources": {"simulation": {"format": "${FORMAT}", "path": "${HERE}/a"}}},
        {"sources": {"towers": {"paths": ["${HERE}/a"]}}},
        {"networks": {"informer": {"factor": 3}, "simpletm": {"layout": "published"}}},
        {"products": {"title": "T"}},
    ],
    ids=str,
)
def test_what_the_models_take_is_taken(tree):
    normalise(tree, {"RUN": "r", "FORMAT": "carbonglobe", "HERE": "/data"})
    assert VALIDATOR.is_valid(tree)


def test_a_number_may_be_written_as_yaml_reads_it():
    """1e-4 is a text to YAML 1.1, and ``${NAME}`` none of a number."""
    leaf = VALIDATOR.evolve(schema=SCHEMA["$defs"]["TrainingConfig"]["properties"]["learning_rate"])
    assert all(leaf.is_valid(value) for value in (1e-4, 1, "1e-4", "2E+3"))
    assert not any(leaf.is_valid(value) for value in ("1e", "fast", "${RATE}", 0, None))


def test_every_leaf_is_explained():
    def bare(node, path=""):
        for name, part in node.get("properties", {}).items():
            if "description" not in part and "$ref" not in part:
                yield f"{path}.{name}"

    found = [name for key, part in SCHEMA["$defs"].items() for name in bare(part, key)]
    assert found == [] and list(bare(SCHEMA)) == []
