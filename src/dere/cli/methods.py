"""``dere methods``: what a run can train, predict and judge."""

from __future__ import annotations

import click

from dere.cli.output import json_option, print_records


@click.command()
@json_option
def methods(as_json: bool) -> None:
    """List the methods.

    With the stages that are trained for each, whether it runs on every backbone, the exchanges that it predicts, and
    what to cite.
    """
    from dere import exchange
    from dere.methods import methods as known

    records = [
        {
            "name": method.name,
            "label": method.label,
            "stages": method.stages,
            "per_backbone": method.per_backbone,
            "exchanges": [name for name in exchange.names() if method.serves(name)],
            "references": method.references,
        }
        for method in known().values()
    ]
    print_records(records, as_json)


COMMAND = methods
