"""What one key of the configuration is: meaning, type, allowed values and default of a leaf, the keys of a section."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dere.run_config.compose import STAGES, composed
from dere.run_config.render import DEFAULTS
from dere.run_config.schema import REFERENCE, Node
from dere.run_config.stages import COMMON, own_settings

KINDS = {
    **{"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false", "null": "null"},
    **{"array": "list", "object": "mapping"},
}
"""Words for the types of a JSON schema."""
BOUNDS = {
    **{"minimum": ">= {}", "exclusiveMinimum": "> {}", "maximum": "<= {}", "exclusiveMaximum": "< {}"},
    **{"multipleOf": "a multiple of {}", "pattern": "text of the pattern {}"},
    **{"minItems": "at least {} in the list", "minLength": "at least {} characters"},
}
"""Words for the limits of a JSON schema."""
MOST_SUGGESTIONS = 3


@dataclass(frozen=True)
class Leaf:
    """A key that holds a value."""

    key: str
    meaning: str
    type: str
    allowed: str
    """Limits or words; empty = any value of the type."""
    default: Any
    common: str
    """Where the default of a common setting of the stages comes from, or empty."""


@dataclass(frozen=True)
class Branch:
    """A key that holds further keys."""

    key: str
    meaning: str
    keys: Mapping[str, str]
    """Meaning of the keys directly below it."""


def explain(key: str) -> Leaf | Branch:
    """Return what a dotted key of the configuration is, for example ``stages.towers.epochs``.

    Raises
    ------
    ValueError
        When there is no such key; names close ones.
    """
    whole = composed().model_json_schema()
    nodes = dict(keys_below(whole, whole))
    if key not in nodes:
        raise ValueError(f"{key} is no key of the configuration; {suggestion(key, list(nodes))}")
    node = nodes[key]
    if (section := section_at(node, whole)) is not None:
        below = {name: meaning_of(child, whole) for name, child in section["properties"].items()}
        return Branch(key, meaning_of(node, whole), below)
    default: Any = composed()().model_dump(mode="json")
    for part in key.split("."):
        default = default[part]
    return Leaf(key, meaning_of(node, whole), kind(node), allowed(node, whole), default, common(key))


def keys_below(section: Node, whole: Node, prefix: str = "") -> Iterator[tuple[str, Node]]:
    """Yield dotted path and schema of every key, sections and leaves."""
    for name, node in section["properties"].items():
        yield f"{prefix}{name}", node
        if (found := section_at(node, whole)) is not None:
            yield from keys_below(found, whole, f"{prefix}{name}.")


def section_at(node: Node, whole: Node) -> Node | None:
    """Return the schema of the section that a key holds (or may hold, beside null), None for a leaf."""
    references = (part["$ref"] for part in (node, *node.get("anyOf", ())) if "$ref" in part)
    return next((whole["$defs"][reference.removeprefix(REFERENCE)] for reference in references), None)


def meaning_of(node: Node, whole: Node) -> str:
    """Return the meaning of a key in one paragraph; of a section without one, that of its kind."""
    text = node.get("description") or (section_at(node, whole) or {}).get("description", "")
    return " ".join(text.split("\n\n")[0].split())


def suggestion(key: str, known: list[str]) -> str:
    """Return what to try in place of an unknown key: keys that end with it, else those that are spelt alike."""
    ending = [name for name in known if name.endswith(f".{key}")]
    close = (ending or difflib.get_close_matches(key, known, n=MOST_SUGGESTIONS))[:MOST_SUGGESTIONS]
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"begin with one of {', '.join(name for name in known if '.' not in name)}"


def kind(node: Node) -> str:
    """Return the type of a leaf in words."""
    if "anyOf" in node:
        return " or ".join(kind(part) for part in node["anyOf"])
    if "$ref" in node:
        return KINDS["object"]
    word = KINDS[node["type"]]
    if word == "list":
        return f"list of {kind(node['items'])}s"
    return f"mapping of text to {kind(node['additionalProperties'])}" if word == "mapping" else word


def allowed(node: Node, whole: Node) -> str:
    """Return the limits or the allowed words of a leaf."""
    words = [str(word) for word in (*node.get("enum", ()), *([node["const"]] if "const" in node else []))]
    limits = [text.format(node[name]) for name, text in BOUNDS.items() if name in node]
    parts = [part for part in (node.get("items"), node.get("additionalProperties")) if isinstance(part, dict)]
    inner = [allowed(part, whole) for part in parts]
    alternatives = " or ".join(filter(None, (allowed(part, whole) for part in node.get("anyOf", ()))))
    section = section_at(node, whole) if "$ref" in node else None
    keys = f"keys {', '.join(section['properties'])}" if section else ""
    return ", ".join(filter(None, [*words, *inner, *limits, alternatives, keys]))


def common(key: str) -> str:
    """Return the key that gives a setting of a stage where the stage states none of its own; empty for any other."""
    parts = key.split(".")
    if len(parts) != 3 or parts[0] != STAGES or parts[1] == DEFAULTS or parts[2] not in COMMON:
        return ""
    stage = type(composed()().stages).model_fields[parts[1]].default
    return "" if parts[2] in own_settings(stage) else f"{STAGES}.{DEFAULTS}.{parts[2]}"
