"""Numbers as words of the page."""

from __future__ import annotations

import math

from dere.opening.model import Cell

NONE = "–"


def number(value: float, digits: int = 2) -> str:
    """Return a number with so many decimals; a dash where there is none."""
    return f"{value:.{digits}f}" if math.isfinite(value) else NONE


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.0f}\u00a0%" if math.isfinite(share) else NONE


def between(low: float, high: float, digits: int = 2, scale: float = 1.0) -> str:
    """Return an interval in brackets with a space before it; nothing where it is not known."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f" [{scale * low:.{digits}f}, {scale * high:.{digits}f}]"


def duration(seconds: float) -> str:
    """Return a time in the largest unit of which there are at least two.

    Examples
    --------
    >>> duration(95), duration(600), duration(40000)
    ('95 s', '10 min', '11.1 h')
    """
    if not math.isfinite(seconds):
        return NONE
    if seconds < 120:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def cell(value: float, digits: int = 2, after: str = "") -> Cell:
    """Return a number as a cell of a table that is sorted by it."""
    return Cell(number(value, digits) + after, value if math.isfinite(value) else None)


def counted(number_of: int, what: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "seed"), counted(3, "seed")
    ('1 seed', '3 seeds')
    """
    return f"{number_of} {what}{'' if number_of == 1 else 's'}"
