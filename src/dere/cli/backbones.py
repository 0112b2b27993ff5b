"""``dere backbones``: the sequence networks that drive the network methods."""

from __future__ import annotations

from pathlib import Path

import click

from dere.cli.configured import configured
from dere.cli.output import files_argument, json_option, print_records


@click.command()
@files_argument
@json_option
def backbones(files: tuple[Path, ...], as_json: bool) -> None:
    """List the sequence networks.

    Small ones come first; every network method runs on each. FILES are configuration files whose plug-ins count
    too.
    """
    from dere.backbones import declaration, names

    if files:
        configured(files)
    found = {name: declaration(name) for name in names()}
    records = [{"name": name, "label": it.label, "references": it.references} for name, it in found.items()]
    print_records(records, as_json)


COMMAND = backbones
