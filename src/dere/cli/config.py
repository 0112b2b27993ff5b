"""``dere config``: what keys mean, the schema, and the complete configuration of a run."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dere.cli.configured import configured
from dere.cli.output import files_argument, json_option, table, to_json

if TYPE_CHECKING:
    from dere.run_config.explain import Branch, Leaf


@click.group()
def config() -> None:
    """Explain, show or describe configurations."""


@config.command()
@click.argument("key")
@files_argument
@json_option
def explain(key: str, files: tuple[Path, ...], as_json: bool) -> None:
    """Explain a key.

    Of a leaf the meaning, type, limits and default, of a section its keys. KEY is a dotted path, for example
    stages.towers.epochs. FILES are configuration files whose plug-ins count too.
    """
    from dere.run_config import explain as explaining

    if files:
        configured(files)
    found = explaining.explain(key)
    if as_json:
        click.echo(to_json(asdict(found)))
    else:
        click.echo(explained(found))


def explained(found: Leaf | Branch) -> str:
    """Return an explanation as text."""
    from dere.run_config.explain import Branch
    from dere.run_config.render import value_text

    title = f"{found.key}: {found.meaning}"
    if isinstance(found, Branch):
        return f"{title}\n\n{table(list(found.keys.items()))}"
    origin = f" (of {found.common})" if found.common else ""
    rows = [("type", found.type), ("allowed", found.allowed), ("default", value_text(found.default) + origin)]
    return f"{title}\n\n{table([row for row in rows if row[1]])}"


@config.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; else it is printed.")
def schema(output: Path | None) -> None:
    """Print the JSON schema that editors use."""
    from dere.run_config.schema import schema_text

    if output is None:
        click.echo(schema_text(), nl=False)
    else:
        from dere.run_config.render import write_text

        write_text(output, schema_text())


@config.command()
@files_argument
def show(files: tuple[Path, ...]) -> None:
    """Show the complete configuration of a run.

    It is YAML with every default filled in. FILES are configuration files as for dere run.
    """
    import yaml

    click.echo(yaml.safe_dump(configured(files), sort_keys=False), nl=False)


COMMAND = config
