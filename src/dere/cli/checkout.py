"""The checkout that a command works in: the folder of the Snakefile, here or above."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

OF_CHECKOUT = ("Snakefile", "config.yaml", "workflow/rules")
"""What makes a folder one of ours."""


def checkout(start: Path) -> Path | None:
    """Return the nearest folder, ``start`` or above it, that holds the workflow; None outside a checkout."""
    return next((path for path in (start, *start.parents) if all((path / part).exists() for part in OF_CHECKOUT)), None)


def required_checkout(start: Path) -> Path:
    """Return the folder that holds the workflow.

    Raises
    ------
    click.ClickException
        Outside a checkout.
    """
    if (found := checkout(start)) is None:
        raise click.ClickException(
            f"{start} is not in a checkout of dere: neither it nor a folder above it holds {', '.join(OF_CHECKOUT)}; "
            "go into one (git clone) and start again"
        )
    return found


def seen_from(folder: Path, start: Path, files: Iterable[Path]) -> list[Path]:
    """Return files named in ``start`` so that ``folder`` finds them; they stay as given where both are the same."""
    return [file if folder == start else start / file for file in files]
