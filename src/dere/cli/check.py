"""``dere check``: what is at hand and what is missing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import click

from dere.cli.checkout import checkout, seen_from
from dere.cli.configured import configured
from dere.cli.output import files_argument
from dere.cli.sentences import sentence_of
from dere.workflow import preflight


@click.command()
@files_argument
@click.pass_context
def check(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Say what is at hand and what is missing.

    Looked at are the machine, the environment, the configuration and what it names, and the downloads. FILES are
    configuration files as for dere run. Status 1 when something is missing.
    """
    here = Path.cwd()
    folder = checkout(here)
    lines, problems = [preflight.machine()], []
    if folder is None:
        lines.append(f"{here} is not in a checkout of dere, which dere run needs.")
    with chdir(folder or here):
        if folder is not None:
            found = preflight.of_checkout(os.environ.get("DERE_REALDATA") or None)
            lines += found[0]
            problems += found[1]
        downloads, wrong = of_configuration(seen_from(folder or here, here, files))
        lines += preflight.downloads(downloads)
        problems += wrong
    for line in [*lines, *preflight.verdict(problems)]:
        click.echo(line)
    ctx.exit(int(bool(problems)))


def of_configuration(files: Sequence[Path]) -> tuple[Path, list[str]]:
    """Return the folder of downloads of a run and what is wrong with its configuration."""
    try:
        from dere.workflow.missing_sources import wrong_sources

        config = configured(files)
    except (ValueError, FileNotFoundError, ModuleNotFoundError) as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        return Path(preflight.DOWNLOADS), sentence.splitlines()
    return Path(config["downloads"]["folder"]), wrong_sources(config)


COMMAND = check
