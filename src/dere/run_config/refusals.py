"""Why a value of a configuration is refused: what it is, what was expected, and what to write."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

READ_AS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    dt.date: "a date",
    dt.datetime: "a date",
    type(None): "null",
}
"""What YAML makes of words without quotes; NO, for example, is false."""
_SHOWN = 80
# a member of several possible types is reported once for each of them, under a name of the type
_TYPE = re.compile(r"(constrained-)?(float|int|str|bool)|literal\[.*\]")
_MESSAGES = {
    "int_type": "a whole number is expected",
    "int_parsing": "a whole number is expected",
    "int_from_float": "a whole number is expected",
    "float_type": "a number is expected",
    "float_parsing": "a number is expected",
    "bool_type": "true or false is expected",
    "bool_parsing": "true or false is expected",
}


def place_of(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Return where a problem lies, without the type that was tried."""
    return tuple(part for part in location if not (isinstance(part, str) and _TYPE.fullmatch(part)))


def refusal(place: tuple[str | int, ...], problems: Sequence[Mapping[str, Any]], known: Sequence[str]) -> str:
    """Say in one sentence why a value is refused.

    Parameters
    ----------
    place
        Its keys from the top on.
    problems
        What the model found, once for every type that the value may have.
    known
        Keys that a section has there; none where it is no section.
    """
    key, value = ".".join(map(str, place)), problems[0]["input"]
    shown = repr(value) if len(repr(value)) <= _SHOWN else f"{repr(value)[:_SHOWN]}..."
    expected, remedies = [], []
    for problem in problems:
        words, remedy = _expectation(key, problem, known)
        expected.append(words)
        remedies.append(remedy)
    remedy = next(filter(None, remedies), f"correct it (dere config explain {_leaf(place)} says what is possible)")
    return f"{key}: {shown} is refused; {' or '.join(dict.fromkeys(expected))}; {remedy}"


def _leaf(place: tuple[str | int, ...]) -> str:
    """Key that can be explained: that of the list, not of the item."""
    return ".".join(part for part in place if isinstance(part, str))


def _expectation(key: str, problem: Mapping[str, Any], known: Sequence[str]) -> tuple[str, str]:
    """Return what is expected, and the remedy where it follows from the value."""
    kind, value, limits = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "string_type":
        return _text(key, value)
    if kind == "tuple_type":
        return "a list is expected", f"write {key}: {_as_list(value)}"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        keys = f" with {', '.join(known[:6])}{', ...' if len(known) > 6 else ''}" if known else ""
        remedy = "leave the key out, or write the keys below it, indented" if value is None else ""
        return f"a section{keys} is expected", remedy or "write keys and values below it, indented"
    if kind == "literal_error":
        return f"{limits['expected']} is expected", ""
    if kind in ("too_short", "too_long"):
        bound = limits.get("min_length", limits.get("max_length"))
        words = "at least" if kind == "too_short" else "at most"
        return f"a list of {words} {bound} {'item' if bound == 1 else 'items'} is expected", ""
    if kind == "string_pattern_mismatch":
        return f"text of the form {limits['pattern']} is expected", ""
    if kind in ("value_error", "assertion_error"):
        return str(limits["error"]), ""
    return _MESSAGES.get(kind, f"{problem['msg'][0].lower()}{problem['msg'][1:]}"), ""


def _text(key: str, value: Any) -> tuple[str, str]:
    if type(value) in READ_AS:
        quoted = key.rpartition(".")[2]
        return (
            f"YAML reads it as {READ_AS[type(value)]}, but text is expected",
            f'put what you wrote in quotes ({quoted}: "...", with --config \'{key}="..."\')',
        )
    return f"one text is expected, not {'a section' if isinstance(value, Mapping) else 'a list'}", f"write {key}: text"


def _as_list(value: Any) -> str:
    """Return a value as the list that was probably meant."""
    if value is None or isinstance(value, Mapping):
        return "[first, second]"
    if isinstance(value, str) and "," in value:
        value = [part.strip() for part in value.split(",")]
    items = value if isinstance(value, list) else [value]
    return yaml.safe_dump(items, default_flow_style=True, allow_unicode=True, width=10_000).strip()
