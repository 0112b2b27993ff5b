"""Configuration files as YAML: of bounded size and depth, every key once, aliases that do not multiply.

The checks follow the events of the parser, so nothing is built before the size of all of it is known.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dere.regular_file import require_regular

LARGEST = 1 << 20
"""Bytes of a file; the complete configuration has some 40,000."""
NODES = 100_000
"""Keys and values with every alias written out."""
DEPTH = 50
"""Levels of sections and lists."""

_SHOWN = 200
# the same language as the parser in Python, ten times faster
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a configuration file.

    Returns
    -------
    dict
        Keys and values as YAML has them; empty for an empty file.

    Raises
    ------
    FileNotFoundError, ValueError
        As `check_file`; also when it holds something else than keys and values.
    """
    text = check_file(file)
    try:
        found = yaml.load(text, Loader=_LOADER)
    # a number or a date that cannot be is an error of Python's
    except (yaml.YAMLError, ValueError) as error:
        raise _unreadable(file, error) from None
    if found is not None and not isinstance(found, dict):
        raise ValueError(f"{file} holds {type(found).__name__}, but keys and values are expected; correct it")
    return found or {}


def check_file(file: Path) -> str:
    """Check a configuration file, which Snakemake may load as well, and return its text.

    Raises
    ------
    FileNotFoundError
        When it does not exist.
    ValueError
        When it is no regular file, too large, neither YAML nor JSON, or what `check_yaml` refuses.
    """
    require_regular(file, "a configuration file holds what differs from the defaults, write it anew", LARGEST)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{file} cannot be read as YAML (byte {error.start + 1} is 0x{error.object[error.start]:02x}, no UTF-8); "
            "save it again in the encoding UTF-8"
        ) from None
    try:
        check_yaml(text, str(file))
    except yaml.YAMLError as error:
        # not all of JSON, which Snakemake reads too, is YAML
        if not _is_json(text, str(file)):
            raise _unreadable(file, error) from None
    return text


@dataclass
class _Level:
    """A section or list that has begun and not ended."""

    path: str
    is_section: bool
    anchor: str
    lines: dict[str, int] = field(default_factory=dict)
    key: str = ""
    parts: int = 0
    nodes: int = 1

    def enter(self, text: str | None, line: int, source: str) -> None:
        """Note that a node begins; in a section every other one is a key, whose text is known unless it is no text."""
        if self.is_section and self.parts % 2 == 0:
            self.key = f"{self.path}.{text}".lstrip(".")[:_SHOWN]
            if text is not None:
                if text in self.lines:
                    raise ValueError(
                        f"{source}: the key {self.key} stands in line {self.lines[text]} and again in line {line}, but "
                        "only one of them would count; join them or remove one"
                    )
                self.lines[text] = line
        self.parts += 1


def check_yaml(text: str, source: str) -> None:
    """Check a YAML text before it is loaded.

    Parameters
    ----------
    text
        What the file holds.
    source
        File, for messages.

    Raises
    ------
    ValueError
        When a key stands twice in a section, sections or lists are nested too deeply, an alias lies in what it stands
        for, or there are too many keys and values with every alias written out.
    yaml.YAMLError
        When it is no YAML.
    """
    levels = [_Level("", False, "")]
    sizes: dict[str, int] = {}
    texts: dict[str, str] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            ended = levels.pop()
            sizes[ended.anchor] = ended.nodes
            levels[-1].nodes += ended.nodes
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        line = event.start_mark.line + 1 if event.start_mark else 0
        value = event.value if isinstance(event, yaml.ScalarEvent) else None
        anchor = event.anchor or ""
        levels[-1].enter(texts.get(anchor) if isinstance(event, yaml.AliasEvent) else value, line, source)
        if isinstance(event, yaml.CollectionStartEvent):
            if len(levels) > DEPTH:
                raise ValueError(
                    f"{source}: line {line} is nested more than {DEPTH} levels deep, but a configuration has less than "
                    "ten; remove brackets or indents"
                )
            path = levels[-1].key
            levels.append(_Level(path, isinstance(event, yaml.MappingStartEvent), anchor, key=path))
        elif value is not None:
            levels[-1].nodes += 1
            texts[anchor], sizes[anchor] = value, 1
        else:
            if any(level.anchor == anchor for level in levels):
                raise ValueError(
                    f"{source}: in line {line} the configuration holds an alias (*name) of itself; write the value out"
                )
            levels[-1].nodes += sizes.get(anchor, 1)
        if sum(level.nodes for level in levels) > NODES:
            raise ValueError(
                f"{source}: up to line {line} there are more than {NODES} keys and values with every alias (*name) "
                "written out, but a configuration has some hundred; write out what is meant"
            )


def _is_json(text: str, source: str) -> bool:
    """Tell whether a text is JSON, in which no name may stand twice either."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
            raise ValueError(
                f"{source}: the key {twice} stands twice in one section, but only one of them would count; join them "
                "or remove one"
            )
        return found

    try:
        json.loads(text, object_pairs_hook=once)
    except (json.JSONDecodeError, RecursionError):
        return False
    return True


def _unreadable(file: Path, error: Exception) -> ValueError:
    return ValueError(f"{file} cannot be read as YAML ({' '.join(str(error).split())}); correct it")
