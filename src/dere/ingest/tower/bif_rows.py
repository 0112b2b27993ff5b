"""Rows of BADM/BIF long tables, whose free text is written by many hands (see `bif`).

Names are UTF-8 in some rows and Latin-1 in others, separators stand unquoted in the last column, a quoted text may go
on over several lines, and a quote that opens a text does not always close. None of this may cost the rows that follow.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

import pandas as pd

from dere.ingest.rows import require_unique
from dere.ingest.table_text import WORDS, separator_of
from dere.ingest.tables import encoding_of
from dere.ingest.tower.site_ids import SITE

log = logging.getLogger(__name__)

_LINE_END = re.compile(rb"\r\n|\n|\r")
_SITE = re.compile(SITE)
# a quoted field ends with a quote before a separator; what opens with a quote and does not end so is text
_FIELD = {
    separator: re.compile(rf'(?:"(?P<quoted>(?:[^"]++|"")*+)"\s*(?={mark}|\Z)|(?P<plain>[^{mark}]*))')
    for separator in WORDS
    for mark in (re.escape(separator),)
}
# descriptions of sites have some ten lines and some thousand characters
_MOST_LINES = 1_000
_MOST_CHARACTERS = 100_000


def parse_rows(content: bytes, source: str) -> pd.DataFrame:
    """Turn the bytes of a long table into text fields.

    Parameters
    ----------
    content
        Header and rows separated by what the header has most of (`table_text.WORDS`); blank lines are passed over.
    source
        File name for messages.

    Returns
    -------
    DataFrame
        A column of text for each name in the header.

    Raises
    ------
    ValueError
        When a row has too few columns or a field has no end.
    """
    lines = [_decode(line) for line in _LINE_END.split(content.removeprefix(b"\xef\xbb\xbf"))]
    start = next((number for number, line in enumerate(lines) if line.strip()), 0)
    separator = separator_of(lines[start].encode())
    header, _ = split_row(lines[start], separator)
    require_unique(header, source)
    width = len(header)
    table: list[list[str]] = []
    unclosed: list[int] = []
    ragged = 0
    for number, row, opens in _rows(lines, start + 1, header, separator):
        if len(row) > width:
            ragged += 1
            row = [*row[: width - 1], separator.join(row[width - 1 :])]
        if len(row) < width:
            reason = f"a quote that opens in line {unclosed[-1]} does not close" if unclosed else "it is truncated"
            remedy = "close it, or download the file again" if unclosed else "delete it and download it again"
            raise ValueError(
                f"{source} has {len(row)} columns in line {number}, but its header has {width}; {reason}: {remedy}"
            )
        if longest := max((len(field) for field in row if len(field) > _MOST_CHARACTERS), default=0):
            raise ValueError(
                f"{source} cannot be read as a table separated by '{separator}' (a field of {longest} characters in "
                f"line {number}); correct its format"
            )
        unclosed += [number] * opens
        table.append(row)
    if ragged:
        log.info("%s: %d rows hold an unquoted '%s' in their last column", source, ragged, separator)
    if unclosed:
        log.warning(
            "%s: %d fields open with a quote that does not close (the first in line %d); the quote is taken as text",
            source, len(unclosed), unclosed[0],
        )  # fmt: skip
    return pd.DataFrame(table, columns=header)


def split_row(text: str, separator: str) -> tuple[list[str], int]:
    """Fields of a row, and how many of them open with a quote that does not close.

    Examples
    --------
    ``a,"b,c"`` has the fields ``a`` and ``b,c``; of ``a,"b,c`` they are ``a``, ``"b`` and ``c``, one of them unclosed.
    """
    fields, unclosed, at = [], 0, 0
    while True:
        match = _FIELD[separator].match(text, at)
        assert match is not None, "the pattern fits the empty text"
        quoted, plain = match["quoted"], match["plain"]
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        unclosed += quoted is None and plain.startswith('"')
        at = match.end() + 1
        if at > len(text):
            return fields, unclosed


def _rows(
    lines: Sequence[str], start: int, header: Sequence[str], separator: str
) -> Iterator[tuple[int, list[str], int]]:
    """Line number (from 1), fields and unclosed quotes of each row; a quoted field may go on in the next lines."""
    at = start
    while at < len(lines):
        if not lines[at].strip():
            at += 1
            continue
        fields, opens = split_row(lines[at], separator)
        count = 1
        if opens:
            fields, opens, count = _over_lines(lines[at : at + _MOST_LINES], header, separator)
        yield at + 1, fields, opens
        at += count


def _over_lines(lines: Sequence[str], header: Sequence[str], separator: str) -> tuple[list[str], int, int]:
    """Fields, unclosed quotes and number of lines of the row that begins the ``lines``.

    A quoted text takes up lines until it closes, but none that looks like a row: where it would, the quote is no
    beginning of a text, or the end of one is lost.
    """
    column = list(header).index("SITE_ID") if "SITE_ID" in header else None
    text = lines[0]
    for count, line in enumerate(lines[1:], start=2):
        if column is not None and line.count(separator) >= len(header) - 1:
            names = [candidate.split(separator)[column].strip(' "') for candidate in (line, lines[0])]
            if _SITE.fullmatch(names[0]) or names[0] == names[1]:
                break
        text += f" {line}"
        if '"' in line:
            fields, opens = split_row(text, separator)
            if not opens:
                return fields, 0, count
    return *split_row(lines[0], separator), 1


def _decode(line: bytes) -> str:
    """Text of one line; rows of one table may be in different encodings."""
    return line.decode(encoding_of(line))
