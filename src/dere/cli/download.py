"""``dere download``: fetch a published data set."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import click

from dere.cli.checkout import required_checkout, seen_from
from dere.cli.output import files_argument
from dere.cli.snakemake_words import SnakemakeCommand, words


@click.command(cls=SnakemakeCommand)
@click.argument("name")
@files_argument
@click.pass_context
def download(ctx: click.Context, name: str, files: tuple[Path, ...]) -> None:
    """Fetch or check a published data set.

    One that wants a login is not fetched; where to get it is said. NAME is a data set; a wrong one is answered with
    all of them. FILES are configuration files that say where it goes and which version it is (downloads).
    """
    here = Path.cwd()
    folder = required_checkout(here)
    # after that, because it loads Snakemake
    from dere.workflow.launch import download as fetch

    with chdir(folder):
        status = fetch(name, seen_from(folder, here, files), ["--cores", "1"], words(ctx))
    ctx.exit(status)


COMMAND = download
