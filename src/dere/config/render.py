"""Write ``config.yaml`` from the models, every leaf with its meaning above it."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from dere.config.root import Config, section_of
from dere.io import write_atomically

log = logging.getLogger(__name__)

HEADER = """\
# The default run: the built-in world, from raw files to report.
# Generated from the models in src/dere/config by `make config`; edit values freely, or better: put only what differs
# into a small file of your own and give it with --configfile (see config/ for examples).
"""


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


def render_section(model: type[BaseModel], values: dict[str, Any], depth: int = 0) -> list[str]:
    """Return the lines of one section, depth first; ``values`` is its dump."""
    pad = "  " * depth
    lines: list[str] = []
    for name, field in model.model_fields.items():
        section = section_of(field.annotation)
        meaning = (field.description or (section.__doc__ if section else "") or "").strip()
        if depth == 0:
            lines.append("")
        note = limits(field)
        for number, row in enumerate(meaning.splitlines()):
            suffix = f" [{note}]" if note and number == len(meaning.splitlines()) - 1 else ""
            lines.append(f"{pad}# {row.strip()}{suffix}")
        if section is not None and isinstance(values[name], dict):
            lines.append(f"{pad}{name}:")
            lines += render_section(section, values[name], depth + 1)
        else:
            lines.append(f"{pad}{name}: {value_text(values[name])}")
    return lines


def render() -> str:
    """Return the text of ``config.yaml``: all defaults, commented."""
    defaults = Config().model_dump(mode="json")
    return HEADER + "\n".join(render_section(Config, defaults)) + "\n"


def main(path: Path, check: bool = False) -> int:
    """Write the defaults to ``path``, or with ``check`` only compare; return 1 when the file differs."""
    text = render()
    if check:
        same = path.exists() and path.read_text(encoding="utf-8") == text
        if not same:
            log.error("%s is not what the models in src/dere/config give; run make config", path)
        return 0 if same else 1
    write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    log.info("wrote %s", path)
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    targets = [argument for argument in sys.argv[1:] if argument != "--check"]
    if len(targets) != 1:
        sys.exit("usage: python -m dere.config.render [--check] config.yaml")
    sys.exit(main(Path(targets[0]), check="--check" in sys.argv))
