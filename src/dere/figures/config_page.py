"""The resolved configuration as one small self-contained page of the report."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dere.io import write_atomically
from dere.run_config.describe import leaves

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
td, th { text-align: left; vertical-align: top; padding: .18rem .7rem .18rem 0; border-bottom: 1px solid #e3e3e3; }
td.key { font-family: ui-monospace, monospace; overflow-wrap: anywhere; }
td.value { font-family: ui-monospace, monospace; overflow-wrap: break-word; }
td.meaning { color: #555; }
tr.changed td.value { font-weight: bold; }
th.section { padding-top: 1.1rem; font-size: 1.05rem; }
"""


# the widest key would else take half of the page
_COLUMNS = '<colgroup><col style="width: 34%"><col style="width: 28%"><col></colgroup>'


def config_page(
    config: Mapping[str, Any],
    explained: Mapping[str, Mapping[str, Any]] | None = None,
    title: str = "Configuration",
) -> str:
    """HTML table of every leaf with its value and meaning; values that differ from the default are bold.

    Parameters
    ----------
    config
        The resolved (validated and dumped) configuration.
    explained
        Meaning and default of its leaves, from `dere.run_config.describe.described`.
    title
        Heading.

    Returns
    -------
    str
        One page without outside resources.
    """
    known = explained or {}
    rows, section = [], None
    for path, value in leaves(config):
        about = known.get(path, {})
        head = path.split(".")[0] if "." in path else ""
        if head != section:
            section = head
            rows.append(f'<tr><th class="section" colspan="3">{html.escape(head or "run")}</th></tr>')
        text = json.dumps(value, ensure_ascii=False)
        changed = "default" in about and json.dumps(about["default"], ensure_ascii=False) != text
        rows.append(
            f'<tr class="{"changed" if changed else "default"}"><td class="key">{html.escape(path)}</td>'
            f'<td class="value">{html.escape(text)}</td>'
            f'<td class="meaning">{html.escape(about.get("meaning", ""))}</td></tr>'
        )
    note = "Bold values differ from the default." if known else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{html.escape(title)}</h1><p>{note}</p>\n<table>\n{_COLUMNS}\n"
        + "\n".join(rows)
        + "\n</table></body></html>\n"
    )


def write_config_page(
    config: Mapping[str, Any], path: Path, explained: Mapping[str, Mapping[str, Any]] | None = None
) -> Path:
    """Write the page atomically."""
    return write_atomically(Path(path), lambda tmp: tmp.write_text(config_page(config, explained), encoding="utf-8"))
