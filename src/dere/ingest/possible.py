"""Marks of missing values, and numbers that a quantity cannot be: missing, counted, and said once per variable.

Every reader passes its numbers through here before it averages or compares them. The bounds stand in the variable table
(``dere.variables.Variable.possible``). A mark such as -999 is missing where the quantity cannot be it, and where it
usually is not. Where more than a tenth of what is no mark is impossible, the unit is wrong, and the file is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dere.ingest.checks import MEDIAN_RANGE, check_unit
from dere.ingest.quantities import quantity
from dere.variables import VARIABLES, Range, Step

log = logging.getLogger(__name__)

COUNT = "impossible_"
"""What precedes a variable's name in the counts of a record."""
IMPOSSIBLE = "impossible"
"""Coordinate of the interim towers, and column of the provenance: how many values of each variable were taken out."""
MARKS = np.array([-999.0, -999.9, 9999.0, 99999.0, 65535.0])
"""Numbers, besides huge ones and all below -6000, that people and programmes write where there is none."""
_BELOW = -6000.0
_LARGEST_NUMBER = 1e9
_OF_MARK = 1e-6
_LARGEST_SHARE = 100.0
# of values in a wrong unit some are still possible: GPP thirty times too large has a quarter of its half hours beyond
_TOLERATED, _SEVERAL = 0.1, 4


def is_mark(values: NDArray) -> NDArray[np.bool_]:
    """Whether impossible numbers, as the file writes them, are marks of missing values and no other unit."""
    numbers = np.asarray(values, np.float64)
    with np.errstate(invalid="ignore"):
        near = np.abs(numbers[..., None] - MARKS) <= _OF_MARK * np.abs(MARKS)
    return near.any(-1) | (numbers <= _BELOW) | (numbers >= _LARGEST_NUMBER)


def possible_range(name: str, step: Step) -> Range:
    """Bounds of what a name of a record, or of the variable table, can be.

    An uncertainty is no less than zero and no larger than the flux can be.
    """
    low, high = VARIABLES[quantity(name)].possible_of(step)
    return (0.0, max(-low, high)) if name.endswith("_uncertainty") else (low, high)


def impossible(name: str, values: NDArray, step: Step = "month", written: NDArray | None = None) -> NDArray[np.bool_]:
    """Which values are none; NaN is not among them.

    Parameters
    ----------
    name
        Name of a record or of the variable table. Of qualities and other shares only marks are none: what else is no
        share is refused where it is used.
    values
        In the canonical unit; shares as the file writes them.
    step
        Over what they are means.
    written
        The same values as the file writes them. One of ``MARKS`` there is no value where the quantity is usually not
        that number (-999 gC m-2 of a month is -33 gC m-2 d-1, which is unusual and not impossible).
    """
    if not quantity(name):
        odd = (values < 0) | (values > _LARGEST_SHARE)
        odd[odd] = is_mark(values[odd])
        return odd
    low, high = possible_range(name, step)
    wrong = (values < low) | (values > high) | np.isinf(values)
    if written is not None:
        least, most = VARIABLES[quantity(name)].valid_range
        unusual = ((values < least) | (values > most)) & ~wrong
        wrong[unusual] = is_mark(written[unusual])
    return wrong


def without_marks(name: str, values: NDArray, step: Step = "month", written: NDArray | None = None) -> NDArray:
    """Values with NaN in place of marks alone: what is impossible otherwise still tells a wrong unit."""
    marks = impossible(name, values, step, written)
    marks[marks] = is_mark((values if written is None else written)[marks])
    return np.where(marks, np.nan, values) if marks.any() else values


@dataclass
class _Found:
    """Values of one variable: all that are no NaN, the wrong ones, the marks among them, and one that is no mark."""

    name: str
    step: Step
    known: int = 0
    wrong: int = 0
    marks: int = 0
    odd: float = float("nan")

    @property
    def unusual(self) -> int:
        """Wrong values that are no marks."""
        return self.wrong - self.marks

    @property
    def judged(self) -> int:
        """Values that are no marks."""
        return self.known - self.marks

    @property
    def strange(self) -> bool:
        """Whether so many of these are impossible that the unit must be another, and the possible ones wrong, too."""
        enough = self.unusual >= _SEVERAL or 2 * self.unusual > self.judged
        return enough and self.unusual > _TOLERATED * self.judged


class Sieve:
    """Takes impossible values out of blocks of arrays; says and judges at the end what it found.

    Examples
    --------
    ``sieve.keep("lai", values, "lai.nc: lai")`` for each block, then ``sieve.report()``.
    """

    def __init__(self) -> None:
        self._found: dict[str, _Found] = {}

    @property
    def total(self) -> int:
        """Values taken out so far."""
        return sum(found.wrong for found in self._found.values())

    @property
    def strange(self) -> bool:
        """Whether so many values of a variable, marks apart, are impossible that its unit must be another."""
        return any(found.strange for found in self._found.values())

    def keep(
        self, name: str, values: NDArray, where: str, step: Step = "month", written: NDArray | None = None
    ) -> NDArray:
        """Values with NaN in place of what is impossible.

        Parameters
        ----------
        name
            Name of a record or of the variable table.
        values
            In the canonical unit, any shape.
        where
            File and variable (column, array) for messages; what comes under one name is counted together.
        step
            Over what the values are means.
        written
            The same values as the file writes them, which tells its marks; by default ``values``.
        """
        found = self._found.setdefault(where, _Found(name, step))
        found.known += int(np.count_nonzero(~np.isnan(values)))
        wrong = impossible(name, values, step, written)
        if not wrong.any():
            return values
        marks = is_mark((values if written is None else written)[wrong])
        found.wrong += marks.size
        found.marks += int(marks.sum())
        if not marks.all() and np.isnan(found.odd):
            found.odd = float(values[wrong][~marks][0])
        return np.where(wrong, np.nan, values)

    def report(self) -> int:
        """Log one line per variable of which values were taken out; returns how many those are.

        Raises
        ------
        ValueError
            When too many values of a variable that are no marks are impossible.
        """
        for where, found in self._found.items():
            if found.strange:
                raise ValueError(_refusal(where, found))
            if found.wrong:
                beyond = f" and {found.unusual} beyond what is possible ({_bounds(found)})" if found.unusual else ""
                log.warning(
                    "%s: %d of %d values count as missing, %d marks of missing values%s",
                    where,
                    found.wrong,
                    found.known,
                    found.marks,
                    beyond,
                )
        return self.total


def _bounds(found: _Found) -> str:
    low, high = possible_range(found.name, found.step)
    return f"{low:g} to {high:g} {VARIABLES[quantity(found.name)].unit}; found {found.odd:g}"


def _refusal(where: str, found: _Found) -> str:
    """Sentence about a variable whose unit must be wrong."""
    return (
        f"{where}: {found.unusual} of {found.judged} values are beyond what is possible ({_bounds(found)}); the unit "
        "is another or an unknown number marks missing values: convert the values, or leave those empty that are none"
    )


def only_possible(
    name: str, values: NDArray, source: str, column: str, step: Step = "month", written: NDArray | None = None
) -> tuple[NDArray, int]:
    """A whole column with NaN in place of marks and impossible values, and how many those were.

    Parameters
    ----------
    name, values, step, written
        As for :meth:`Sieve.keep`.
    source, column
        File and column for messages.

    Raises
    ------
    ValueError
        When too many values are impossible; says which unit they look like where one fits.
    """
    sieve = Sieve()
    kept = sieve.keep(name, values, f"{source}: column {column}", step, written)
    if not sieve.total:
        return kept, 0
    if sieve.strange and quantity(name) in MEDIAN_RANGE and not name.endswith("_uncertainty"):
        check_unit(quantity(name), without_marks(name, values, step, written), source, column)
    return kept, sieve.report()


def require_possible(name: str, values: NDArray, where: str, remedy: str) -> None:
    """Check monthly values of which none may be missing, in the canonical unit.

    Raises
    ------
    ValueError
        When one is impossible; names ``where``, how many, the first, what is possible, and the remedy.
    """
    wrong = impossible(name, values)
    if wrong.any():
        low, high = possible_range(name, "month")
        raise ValueError(
            f"{where} holds {int(wrong.sum())} values of {name} beyond what is possible, for example "
            f"{float(values[wrong][0]):g}, but {low:g} to {high:g} {VARIABLES[quantity(name)].unit} is needed in every "
            f"cell; {remedy}"
        )


def packed(counts: Mapping[str, int]) -> str:
    """Counts by name as one text, for example "nee:3 wind:1"."""
    return " ".join(f"{name}:{count}" for name, count in counts.items())


def unpacked(text: str) -> dict[str, int]:
    """Counts by name of a text of :func:`packed`."""
    return {name: int(count) for name, _, count in (part.partition(":") for part in text.split())}
