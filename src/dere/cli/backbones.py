"""``dere backbones``: the sequence networks that drive the network methods."""

from __future__ import annotations

import click

from dere.cli.output import json_option, print_records


@click.command()
@json_option
def backbones(as_json: bool) -> None:
    """List the sequence networks.

    Small ones come first; every network method runs on each.
    """
    from dere.backbones import declaration, names

    found = {name: declaration(name) for name in names()}
    records = [{"name": name, "label": it.label, "references": it.references} for name, it in found.items()]
    print_records(records, as_json)


COMMAND = backbones
