"""``dere run``: make a run, its report and its summary."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import click

from dere.cli.checkout import required_checkout, seen_from
from dere.cli.output import files_argument
from dere.cli.snakemake_words import SnakemakeCommand, words
from dere.workflow.preflight import cores_here, gpu_here


@click.command(cls=SnakemakeCommand)
@files_argument
@click.option(
    "--cores",
    type=click.IntRange(min=1),
    metavar="N",
    default=cores_here,
    show_default="all that may be used",
    help="Cores to use.",
)
@click.option(
    "--gpu",
    type=click.IntRange(min=0),
    metavar="N",
    default=lambda: int(gpu_here()),
    show_default="1 with a GPU, else 0",
    help="Trainings at a time on the GPU; 0 = on the CPU, side by side.",
)
@click.pass_context
def run(ctx: click.Context, files: tuple[Path, ...], cores: int, gpu: int) -> None:
    """Make a run, its report and its summary.

    An interrupted run goes on where it stopped. FILES are configuration files that hold what differs from config.yaml;
    a later one counts more. The run is made in the checkout around the working directory.
    """
    here = Path.cwd()
    folder = required_checkout(here)
    # after that, because it loads Snakemake
    from dere.workflow.launch import make_run

    with chdir(folder):
        machine = ["--resources", f"gpu={gpu}", "--cores", str(cores)]
        status = make_run(seen_from(folder, here, files), machine, words(ctx))
    ctx.exit(status)


COMMAND = run
