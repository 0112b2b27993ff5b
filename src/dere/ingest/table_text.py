"""How the text of a csv table is written: encoding, line ends, separator, decimal sign.

Spreadsheets of another locale save tables with semicolons and decimal commas, as UTF-16 or with other line ends. Where
there is one way to read such a text it is read so; where there are several, the sentence says what is wrong. All of it
is asked before columns are counted, because a table read with the wrong separator looks like a truncated one.
"""

from __future__ import annotations

import logging
import re

import pandas as pd

from dere.ingest.signatures import what_it_is

log = logging.getLogger(__name__)

WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""Separators that are known, the usual one first."""
REMEDY = "save it with commas between columns and points in numbers"
# the longer marks first: that of UTF-32 begins with that of UTF-16
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_SAMPLE = 4096
# a text of the Latin script in UTF-16 has a zero in every other byte
_MOSTLY = 0.4
# thousands may be marked by points then
_DECIMAL_COMMA = r"[-+]?[\d.]*,\d+(?:[eE][-+]?\d+)?"
_STATED_SEPARATOR = re.compile(rb'"?sep=(.)"?[ \t]*\r?\n')
_QUOTED = re.compile(rb'"[^"]*"')
_FIRST_VALUES = 50


def plain_text(content: bytes, source: str) -> bytes:
    """Text of 8 bits a character, without a byte-order mark, whose lines end with a line feed.

    Parameters
    ----------
    content
        Bytes of a text: UTF-8 or another 8-bit encoding, UTF-16 or UTF-32, which become UTF-8.
    source
        File for messages.

    Raises
    ------
    ValueError
        When it is no text, or damaged within UTF-16.
    """
    if found := what_it_is(content):
        raise ValueError(
            f"{source} is named like a table, but it is {found}; give it the ending that belongs to it, or download "
            "the table again"
        )
    content = _in_utf8(content, source).removeprefix(b"\xef\xbb\xbf")
    at = content.find(b"\0")
    if at >= 0:
        raise ValueError(
            f"{source} holds a zero byte at {at} of {len(content)}, which no text does; it is damaged or of another "
            "format: download it again, or save it as csv in UTF-8"
        )
    single = content.count(b"\r") - content.count(b"\r\n")
    # between quotes a carriage return may be part of a text
    if single and (b'"' not in content or b"\n" not in content):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def _in_utf8(content: bytes, source: str) -> bytes:
    """Turn UTF-16 and UTF-32 into UTF-8."""
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "") or _wide(content[:_SAMPLE])
    if not encoding:
        return content
    try:
        return content.decode(encoding).encode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source} is text in the encoding {encoding.upper()} but damaged ({error.reason} at byte {error.start} of "
            f"{len(content)}); download it again, or save it in UTF-8"
        ) from None


def _wide(sample: bytes) -> str:
    """Encoding of a text of two bytes a character without a mark; empty for any other."""
    low, high = sample[::2], sample[1::2]
    zeros = low.count(0), high.count(0)
    if not high or zeros == (0, 0):
        return ""
    if not zeros[0] and zeros[1] > _MOSTLY * len(high):
        return "utf-16-le"
    return "utf-16-be" if not zeros[1] and zeros[0] > _MOSTLY * len(low) else ""


def without_statement(content: bytes) -> tuple[bytes, str]:
    """Text without a first line ``sep=;``, which spreadsheets read, and the separator that it states."""
    match = _STATED_SEPARATOR.match(content)
    return (content[match.end() :], match[1].decode("latin-1")) if match else (content, "")


def separator_of(header: bytes) -> str:
    """Separator that stands most often in a header row outside of quotes; a comma where none does."""
    bare = _QUOTED.sub(b"", header)
    return max(WORDS, key=lambda separator: bare.count(separator.encode()))


def check_decimals(content: bytes, separator: str, source: str) -> None:
    """Check that a table with another separator than the comma has no decimal commas.

    Raises
    ------
    ValueError
        Names the first such number and its row.
    """
    if separator == "," or b"," not in content:
        return
    mark = re.escape(separator)
    pattern = rf'(?m)(?:^|[{mark}"])[ ]*({_DECIMAL_COMMA})[ ]*(?=[{mark}"\r\n]|\Z)'.encode()
    if match := re.search(pattern, content):
        row = content.count(b"\n", 0, match.start(1)) + 1
        raise ValueError(
            f"{source} is separated by {WORDS.get(separator, separator)} and has decimal commas ('{match[1].decode()}' "
            f"in row {row}), but decimal points are expected; {REMEDY}"
        )


def check_columns(table: pd.DataFrame, source: str) -> None:
    """Check that no column holds numbers with decimal commas, which stand between quotes or in cells of text.

    Raises
    ------
    ValueError
        Names the first such column and its first value.
    """
    for name in table.columns:
        if pd.api.types.is_numeric_dtype(table[name]):
            continue
        first = table[name].dropna().astype(str).head(_FIRST_VALUES).str.strip()
        if len(first) and first.str.fullmatch(_DECIMAL_COMMA).all():
            raise ValueError(
                f"{source}: column {name} has decimal commas ('{first.iloc[0]}'), but decimal points are expected; "
                f"{REMEDY}"
            )


def reason_of_width(line: bytes, content: bytes, separator: str, separators: int) -> str:
    """Why a row has another number of separators than the header, as far as the rows show, with the remedy.

    Parameters
    ----------
    line
        The row.
    content
        The whole table.
    separator, separators
        Separator of the header, and how often it stands there.
    """
    mark = separator.encode()
    for other in WORDS:
        if other != separator and line.count(mark) < separators <= line.count(other.encode()):
            return (
                f"the header is separated by {WORDS.get(separator, separator)} and the row by {WORDS[other]}: {REMEDY}"
            )
    rows = [row for row in content[: 64 * _SAMPLE].split(b"\n")[1:-1] if row.strip()]
    longer = sum(row.count(mark) > separators for row in rows)
    if separator == "," and line.count(mark) > separators and longer > len(rows) / 2:
        return f"most rows are longer than the header, as numbers with decimal commas make them: {REMEDY}"
    return ""


def not_utf8(content: bytes, source: str) -> str:
    """Sentence about the first byte that is no UTF-8; empty where all are."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        return (
            f"{source} is not in the encoding UTF-8 (byte {content[error.start]:#04x} in row {row}); save it again "
            "as UTF-8"
        )
    return ""
