"""Write ``config.yaml`` and its schema from the models; the meaning of a leaf stands above it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dere.io import write_atomically
from dere.run_config.root import Config, normalise, section_of
from dere.run_config.run import CHANGED_FIRST
from dere.run_config.schema import schema_text
from dere.run_config.stages import own_settings

log = logging.getLogger(__name__)

DEFAULTS = "defaults"
SCHEMA = Path("config", "schema.json")
"""Place of the schema, seen from ``config.yaml``."""
HEADER = f"""\
# yaml-language-server: $schema={SCHEMA.as_posix()}
# The default run: the built-in world, from raw files to report.
# Generated from the models in src/dere by `make config`; edit values freely, or better: put only what differs into a
# small file of your own and give it with --configfile (see config/ for examples). Only backbones of the run stand here.
"""
FIRST, REST = (
    f"# {'-' * 12} {text} {'-' * (116 - 14 - len(text))}"
    for text in (
        "The eleven keys that are changed first: who, on which data, how it trains, what is given away",
        "The rest",
    )
)


def limits(field: FieldInfo) -> str:
    """Return the allowed range or the allowed words of a leaf, or an empty text."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    parts = [
        f"{sign} {getattr(rule, name):g}"
        for rule in field.metadata
        for name, sign in signs.items()
        if getattr(rule, name, None) is not None
    ]
    return ", ".join(parts)


def value_text(value: Any) -> str:
    """Return a leaf's value as one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).strip()
    return text.removesuffix("\n...").removesuffix("...").strip()


def render_section(
    model: type[BaseModel], values: Mapping[str, Any], depth: int = 0, explained: set[tuple[str, str]] | None = None
) -> list[str]:
    """Return the lines of one section, depth first.

    Parameters
    ----------
    model
        Model of the section.
    values
        Its dump; fields that it lacks are left out.
    depth
        How far it is indented.
    explained
        Leaves with their meanings that a section beside this one has explained; they stand without a comment here.
    """
    pad = "  " * depth
    explained = set() if explained is None else explained
    below: set[tuple[str, str]] = set()
    lines: list[str] = []
    for name, field in model.model_fields.items():
        if name not in values:
            continue
        section = section_of(field.annotation) if isinstance(values[name], dict) else None
        meaning = (field.description or (section.__doc__ if section else "") or "").strip()
        if depth == 0:
            lines += headings(name)
        if section is not None or (name, meaning) not in explained:
            lines += comment(meaning, limits(field), pad)
            explained.add((name, meaning))
        if section is not None:
            lines.append(f"{pad}{name}:")
            lines += render_section(section, values[name], depth + 1, below)
        else:
            lines.append(f"{pad}{name}: {value_text(values[name])}")
    return lines


def headings(name: str) -> list[str]:
    """Return the lines before a top-level key: a heading before the keys that are changed first and before the rest."""
    order = list(Config.model_fields)
    found = {CHANGED_FIRST[0]: FIRST, order[len(CHANGED_FIRST)]: REST}
    return ["", found[name], ""] if name in found else [""]


def comment(meaning: str, note: str, pad: str) -> list[str]:
    """Return a meaning as comment lines, the limits at its end."""
    rows = [f"{pad}# {row.strip()}" for row in meaning.splitlines()]
    return [*rows[:-1], f"{rows[-1]} [{note}]"] if rows and note else rows


def shipped() -> dict[str, Any]:
    """Return the default run as ``config.yaml`` holds it: of a stage only what is its own."""
    plain = Config()
    tree = normalise({})
    stages = type(plain.stages).model_fields
    tree["stages"] |= {name: own_settings(stages[name].default) for name in tree["stages"] if name != DEFAULTS}
    # choices that the run's methods make stay open
    return tree | {name: getattr(plain, name).model_dump(mode="json") for name in ("products", "figures")}


def render() -> str:
    """Return the text of ``config.yaml``: all defaults, commented."""
    return HEADER + "\n".join(render_section(Config, shipped())) + "\n"


def main(path: Path, check: bool = False) -> int:
    """Write the defaults to ``path`` and the schema below its folder; with ``check`` only compare, 1 = one differs."""
    texts = {path: render(), path.parent / SCHEMA: schema_text()}
    if check:
        stale = [file for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
        for file in stale:
            log.error("%s is not what the models in src/dere give; run make config", file)
        return int(bool(stale))
    for file, text in texts.items():
        write_text(file, text)
        log.info("wrote %s", file)
    return 0


def write_text(path: Path, text: str) -> None:
    """Write a text atomically."""
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    targets = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(targets) != 1:
        sys.exit("usage: python -m dere.run_config.render [--check] config.yaml")
    sys.exit(main(Path(targets[0]), check="--check" in sys.argv))
