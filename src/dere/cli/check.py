"""``dere check``: what is at hand and what is missing."""

from __future__ import annotations

import os
from contextlib import chdir
from pathlib import Path

import click

from dere.cli.checkout import checkout, seen_from
from dere.workflow import preflight


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
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
        downloads, wrong = of_configuration(seen_from(folder or here, here, files), folder is not None)
        lines += preflight.downloads(downloads)
        problems += wrong
    for line in [*lines, *preflight.verdict(problems)]:
        click.echo(line)
    ctx.exit(int(bool(problems)))


def of_configuration(files: list[Path], defaults: bool) -> tuple[Path, list[str]]:
    """Return the folder of downloads of a run and what is wrong with its configuration.

    Parameters
    ----------
    files
        Configuration files.
    defaults
        ``config.yaml`` of the working directory stands before them.
    """
    from dere.workflow.configuration import DEFAULTS, configuration
    from dere.workflow.missing_sources import missing_sources

    try:
        config = configuration([DEFAULTS, *files] if defaults else files)
    except (ValueError, FileNotFoundError) as error:
        return Path(preflight.DOWNLOADS), str(error).splitlines()
    return Path(config["downloads"]["folder"]), missing_sources(config)


COMMAND = check
