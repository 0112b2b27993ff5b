"""Errors of the command line: a wrong input is a sentence and status 1, a fault of the program keeps its traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

OWN = __name__.partition(".")[0]
"""A module of this package that is missing is a fault of the program."""


class Sentence(click.ClickException):
    """A sentence for the user, red on a terminal."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Write it to the console."""
        click.secho(f"Error: {self.format_message()}", file=file, err=file is None, fg="red")


@contextmanager
def sentences() -> Iterator[None]:
    """Turn the package's own errors about input, a full disk, a missing right or package into one sentence.

    Raises
    ------
    click.ClickException
        In place of such an error; any other goes on.
    """
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        if (sentence := sentence_of(error)) is None:
            raise
        raise Sentence(sentence) from None


def sentence_of(error: Exception) -> str | None:
    """Return what a user is told about an error, None for a fault of the program; as in the log of a rule."""
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition(".")[0] != OWN:
        return (
            f"the package {error.name} cannot be found, but this command needs it; install the packages of "
            "requirements.lock (in a checkout, make does), or the extra workflow of the package"
        )
    # only here, because they load arrays and tables
    from dere.io import unwritable
    from dere.raised import raised_by_package
    from dere.workflow.script import SENTENCES

    if isinstance(error, SENTENCES) and raised_by_package(error.__traceback__):
        return str(error)
    if isinstance(error, (IsADirectoryError, NotADirectoryError, FileExistsError)):
        path = error.filename2 or error.filename
        return f"{path} cannot be opened or written as a file ({error.strerror}); give another path"
    return unwritable(error) if isinstance(error, OSError) else None
