"""JSON schema of the configuration, with which editors complete and check files while they are written."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

from dere.run_config.root import VARIABLE, Config
from dere.run_config.stages import COMMON

Node = dict[str, Any]
NAMED = ("properties", "$defs")
"""Keywords that hold schemas by name."""
SINGLE = ("additionalProperties", "items")
"""Keywords that hold one schema."""
REFERENCE = "#/$defs/"


def schema_text() -> str:
    """Return the schema as text."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Node:
    """Return the schema of a configuration file, which may hold any part of the tree.

    Other than the models themselves it takes the text ``${NAME}`` for what will be a text, ``1e-4`` for a number, which
    YAML 1.1 reads as text, and null for a common setting of a stage.
    """
    found = Config.model_json_schema()
    stages_follow_defaults(found)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of a dere run",
        **written_by_hand(found),
    }


def stages_follow_defaults(whole: Node) -> None:
    """Let common settings of the stages be null and state no default of their own."""
    definitions = whole["$defs"]
    for name, stage in definitions["StagesConfig"]["properties"].items():
        model = stage["$ref"].removeprefix(REFERENCE)
        if name == "defaults":
            continue
        own = f"{model}OfStage"
        if own not in definitions:
            definitions[own] = deepcopy(definitions[model])
            for setting in COMMON & set(definitions[own]["properties"]):
                definitions[own]["properties"][setting] = or_null(definitions[own]["properties"][setting])
        stage["$ref"] = REFERENCE + own


def or_null(node: Node) -> Node:
    """Return the schema of a common setting where it stands at a stage."""
    rule = {key: value for key, value in node.items() if key not in ("default", "description", "title")}
    return {"anyOf": [rule, {"type": "null"}], "description": node["description"]}


def written_by_hand(node: Node) -> Node:
    """Return a schema, all its parts included, for what people write; titles and defaults of sections are dropped."""
    kept = {key: value for key, value in node.items() if key != "title"}
    if isinstance(kept.get("default"), dict) and any("$ref" in part for part in (kept, *kept.get("anyOf", ()))):
        del kept["default"]
    for key in NAMED:
        if key in kept:
            kept[key] = {name: written_by_hand(part) for name, part in kept[key].items()}
    for key in SINGLE:
        if isinstance(kept.get(key), dict):
            kept[key] = written_by_hand(kept[key])
    if "anyOf" in kept:
        kept["anyOf"] = [written_by_hand(part) for part in kept["anyOf"]]
    return with_other_spelling(kept)


def with_other_spelling(node: Node) -> Node:
    """Return the schema of a leaf with the texts that stand for its values."""
    if node.get("type") == "number":
        other = r"^[+-]?[0-9]+[eE][+-]?[0-9]+$"
    elif node.get("type") == "string" and {"enum", "const", "pattern"} & set(node):
        other = VARIABLE.pattern
    else:
        return node
    notes: Node = {key: node[key] for key in ("default", "description") if key in node}
    rule = {key: value for key, value in node.items() if key not in notes}
    return {"anyOf": [rule, {"type": "string", "pattern": other}], **notes}
