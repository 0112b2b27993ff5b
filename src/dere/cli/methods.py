"""``dere methods``: what a run can train, predict and judge."""

from __future__ import annotations

from pathlib import Path

import click

from dere.cli.configured import configured
from dere.cli.output import files_argument, json_option, print_records


@click.command()
@files_argument
@json_option
def methods(files: tuple[Path, ...], as_json: bool) -> None:
    """List the methods.

    With the stages that are trained for each, its parts, whether it runs on every backbone, the exchanges that it
    predicts, and what to cite. FILES are configuration files whose plug-ins count too.
    """
    from dere import exchange
    from dere.methods import methods as known

    if files:
        configured(files)
    records = [
        {
            "name": method.name,
            "label": method.label,
            "stages": method.stages,
            "parts": method.parts,
            "per_backbone": method.per_backbone,
            "exchanges": [name for name in exchange.names() if method.serves(name)],
            "references": method.references,
        }
        for method in known().values()
    ]
    print_records(records, as_json)


COMMAND = methods
