"""The command line. Each command is a file that declares ``COMMAND``, a click command of the file's name.

Help and completion load every file, so a file imports click at its top and everything else where the command runs.
"""

from __future__ import annotations

import logging
from importlib import import_module

import click

from dere import __version__
from dere.cli.sentences import sentences
from dere.rooms import members

INTERRUPTED = 130


class Room(click.Group):
    """A group whose commands are the files of this package; errors that are the user's end in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, sorted."""
        return [module.rpartition(".")[2] for module in members(__name__, "COMMAND")]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None where there is none of that name; no other is loaded."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"{__name__}.{cmd_name}").COMMAND
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; Ctrl-C ends it with a word."""
        try:
            with sentences():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.command(cls=Room)
@click.version_option(__version__, prog_name="dere")
def main() -> None:
    """Monthly GPP, RECO and NEE from simulations, plant-type maps and flux towers.

    Exit status: 0 = done, 1 = an error or a problem, in a sentence, 2 = wrong words on the command line, 130 = ended by
    Ctrl-C.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
