"""``dere sources``: the data sets that can be read."""

from __future__ import annotations

import click

from dere.cli.output import json_option, print_records


@click.command()
@json_option
def sources(as_json: bool) -> None:
    """List the data sets that can be read.

    One row per product, in the order in which files are asked about: what it brings, what reads it, whose it is, on
    which terms, and the names of its files.
    """
    from dere.ingest.source import sources as known

    records = [
        {
            "kind": source.kind,
            "name": source.name,
            "product": product.title,
            "licence": product.licence,
            "files": source.files,
        }
        for source in known()
        for product in source.products
    ]
    print_records(records, as_json)


COMMAND = sources
