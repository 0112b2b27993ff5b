"""Reading csv tables so that a damaged file ends in one sentence, never in silently padded rows."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from dere.ingest.archives import Member, TableFile, limits_of, read_member
from dere.ingest.limits import gunzip
from dere.ingest.rows import require_rows, require_unique, require_width
from dere.ingest.sheets import parse_sheet
from dere.ingest.table_text import (
    WORDS,
    check_columns,
    check_decimals,
    not_utf8,
    plain_text,
    reason_of_width,
    separator_of,
    without_statement,
)
from dere.regular_file import require_regular

log = logging.getLogger(__name__)

MISSING = -9999.0
_LARGE = 32 << 20
_LARGEST = 4 << 30
_BLOCK = 1 << 16
_VISIBLE = re.compile(rb"\S")
_NO_TEXT = (".gz", ".xlsx")


def read_bytes(file: TableFile) -> bytes:
    """Content of a plain or gzip-compressed file, on disk or inside an archive.

    A path unpacks to no more than ``archives.with_limits`` gave it.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When the file is empty, no regular file, the compressed stream is truncated or damaged, it has or unpacks to
        more than allowed, or holds a row that ends nowhere.
    """
    limits = limits_of(file)
    if isinstance(file, Member):
        content = read_member(file)
    else:
        file = Path(file)
        require_regular(file, "correct its path in the config or download it again", _LARGEST)
        if file.suffix.lower() not in _NO_TEXT:
            with file.open("rb") as stream:
                require_rows(stream, str(file))
        content = file.read_bytes()
    if file.suffix.lower() == ".gz":
        content = gunzip(content, str(file), limits)
    if file.suffix.lower() != ".xlsx":
        require_rows(io.BytesIO(content), str(file))
    if not content[:4096].strip() and not content.strip():
        raise ValueError(f"{file} is empty, but a header row and data are needed; delete it and download it again")
    return content


def read_text(file: TableFile) -> bytes:
    """Content of a table of text, however it is encoded and its lines end (see ``table_text.plain_text``).

    Raises
    ------
    FileNotFoundError, ValueError
        As :func:`read_bytes`; also when it is no text.
    """
    return plain_text(read_bytes(file), str(file))


def encoding_of(content: bytes) -> str:
    """UTF-8 where the bytes are that, else Latin-1, which accepts every byte."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


def read_table(
    path: TableFile,
    columns: Collection[str] | None = None,
    encoding: str | None = "utf-8",
    separator: str | None = None,
) -> pd.DataFrame:
    """Read a csv table, or the first sheet of an xlsx workbook.

    Parameters
    ----------
    path
        File, ``.csv``, ``.csv.gz`` or ``.xlsx``, on disk or inside an archive.
    columns
        Columns to keep where present; all when None.
    encoding
        Text encoding; None takes that of :func:`encoding_of`.
    separator
        Column separator; None takes that of :func:`dere.ingest.table_text.separator_of`.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When the file is empty, truncated within a row, no table, or has decimal commas.
    """
    if path.suffix.lower() == ".xlsx":
        table = parse_sheet(read_bytes(path), str(path), columns, limits_of(path))
        check_columns(table, str(path))
        return table
    content, stated = without_statement(read_text(path))
    encoding = encoding or encoding_of(content)
    header, last = _edge_lines(content)
    separator = separator or stated or separator_of(header)
    if separator != ",":
        log.info("%s is separated by %s", path, WORDS.get(separator, separator))
    require_width(header.count(separator.encode()) + 1, str(path))
    check_decimals(content, separator, str(path))
    mark = separator.encode()
    short = b'"' not in last and last.count(mark) < header.count(mark)
    # pandas pads a short row with NaN, which would turn a truncated file into missing values
    if short and not reason_of_width(last, content, separator, header.count(mark)):
        raise ValueError(
            f"{path} ends with a row of {last.count(mark) + 1} columns, but its header has "
            f"{header.count(mark) + 1}; it is truncated: delete it and download it again"
        )
    check_widths(content, mark, header.count(mark), str(path))
    names = header.decode(encoding, errors="replace").strip().split(separator)
    require_unique(names, str(path))
    keep = None if columns is None else (lambda name: name in columns)
    # reading in pieces keeps a half-hourly file of some hundred columns within the memory of a job
    pieces = len(content) > _LARGE
    try:
        table = pd.read_csv(io.BytesIO(content), sep=separator, usecols=keep, encoding=encoding, low_memory=pieces)
    except (ValueError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError) and (sentence := not_utf8(content, str(path))):
            raise ValueError(sentence) from None
        reason = " ".join(str(error).split())
        raise ValueError(
            f"{path} cannot be read as a table separated by '{separator}' ({reason}); correct its format"
        ) from None
    check_columns(table, str(path))
    return table


def check_widths(content: bytes, mark: bytes, separators: int, source: str) -> None:
    """Check that every row of a csv table has as many columns as its header.

    pandas pads a short row with NaN and, where only some columns are kept, drops the end of a long one, so that fields
    under wrong names would pass. Tables with quoted fields, which may hold separators, are left to pandas.

    Raises
    ------
    ValueError
        Names the row and both numbers.
    """
    if b'"' in content:
        return
    for number, line in enumerate(io.BytesIO(content)):
        if line.count(mark) != separators and line.strip():
            reason = reason_of_width(line, content, mark.decode(), separators)
            raise ValueError(
                f"{source}: row {number + 1} has {line.count(mark) + 1} columns, but the header has {separators + 1}; "
                + (reason or "the file is damaged: download it again or correct the row")
            )


def _edge_lines(content: bytes) -> tuple[bytes, bytes]:
    """First and last line that are not blank, without splitting, which would double a half-hourly file in memory."""
    first = _VISIBLE.search(content)
    start, end = first.start() if first else len(content), len(content)
    # block by block, because a copy without its end would double it too
    while content[max(start, end - _BLOCK) : end].isspace():
        end = max(start, end - _BLOCK)
    last = content[max(start, end - _BLOCK) : end]
    end -= len(last) - len(last.rstrip())
    line_end = content.find(b"\n", start, end)
    return content[start : end if line_end < 0 else line_end], content[content.rfind(b"\n", start, end) + 1 : end]


def require_columns(table: pd.DataFrame, required: Iterable[str], source: str) -> None:
    """Check that ``table`` has all ``required`` columns.

    Raises
    ------
    ValueError
        Names the file, the missing columns and how many columns there are.
    """
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise ValueError(
            f"{source} has no column {', '.join(missing)} among its {len(table.columns)} columns; "
            "add it, or correct its name in the header row"
        )


def numeric(table: pd.DataFrame, column: str, source: str) -> np.ndarray:
    """Column of times, places or shares as float64 with -9999 and empty fields as NaN; all NaN when it is absent.

    Measured quantities are read by :func:`numbers` and pass ``dere.ingest.possible``.

    Raises
    ------
    ValueError
        When a field is text or infinite.
    """
    values = numbers(table, column, source)
    if np.isinf(values).any():
        raise ValueError(f"{source}: column {column} holds an infinite value; replace it by -9999")
    return values


def numbers(table: pd.DataFrame, column: str, source: str) -> np.ndarray:
    """Column as float64 with -9999 and empty fields as NaN, infinite values as they are; all NaN when it is absent.

    Raises
    ------
    ValueError
        When a field is text, or true or false.
    """
    if column not in table.columns:
        return np.full(len(table), np.nan)
    raw = table[column]
    values = pd.to_numeric(raw, errors="coerce").to_numpy(dtype=float)
    unreadable = np.isnan(values) & raw.notna().to_numpy()
    if raw.dtype.kind in "bO":
        # pandas takes them for 1 and 0
        unreadable |= raw.map(lambda field: isinstance(field, (bool, np.bool_))).to_numpy(dtype=bool)
    if unreadable.any():
        row = int(np.flatnonzero(unreadable)[0])
        raise ValueError(
            f"{source}: column {column} holds '{raw.iloc[row]}' in data row {row + 1}, but a number or -9999 is "
            "needed; correct the field"
        )
    return np.where(values == MISSING, np.nan, values)


def month_numbers(table: pd.DataFrame, source: str) -> np.ndarray:
    """Month numbers of a TIMESTAMP column of YYYYMM, strictly increasing; months without a row are counted and logged.

    Raises
    ------
    ValueError
        When a stamp is no month, a month occurs twice, or the months are out of order.
    """
    require_columns(table, ["TIMESTAMP"], source)
    stamps = numeric(table, "TIMESTAMP", source)
    valid = np.isfinite(stamps)
    whole = np.where(valid, stamps, 0).astype(np.int64)
    year, month = whole // 100, whole % 100
    valid &= (whole == np.where(valid, stamps, 0)) & (year >= 1850) & (year <= 2150) & (month >= 1) & (month <= 12)
    if not valid.all():
        bad = table["TIMESTAMP"].iloc[int(np.flatnonzero(~valid)[0])]
        raise ValueError(
            f"{source}: TIMESTAMP {bad} is not a month written YYYYMM; use the monthly (MM) file of the product"
        )
    numbers = year * 12 + month - 1
    steps = np.diff(numbers)
    if (steps == 0).any() or len(np.unique(numbers)) < len(numbers):
        values, counts = np.unique(whole, return_counts=True)
        raise ValueError(
            f"{source}: TIMESTAMP {values[counts > 1][0]} occurs {counts.max()} times, but every month may occur "
            "once; remove the duplicated rows"
        )
    if (steps < 0).any():
        row = int(np.flatnonzero(steps < 0)[0]) + 1
        raise ValueError(
            f"{source}: TIMESTAMP {whole[row]} follows {whole[row - 1]}, but months must increase; sort the rows"
        )
    if lacking := int((steps - 1).sum()):
        log.warning("%s: %d months have no row between the first and the last; they count as missing", source, lacking)
    return numbers
