"""First sheet of an xlsx workbook as a table: site metadata (BADM) and tables that somebody saved again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection

import pandas as pd

from dere.ingest.archives import DAMAGE, Limits, check_size

# what openpyxl and the XML parser below it raise on damaged workbooks, besides what the archive itself does
_DAMAGE: tuple[type[Exception], ...] = (*DAMAGE, AttributeError, TypeError, SyntaxError)


def parse_sheet(content: bytes, what: str, columns: Collection[str] | None, limits: Limits) -> pd.DataFrame:
    """Table of the first sheet of a workbook; its first row holds the names.

    Parameters
    ----------
    content
        The workbook, which is a zip archive of XML.
    what
        File for messages.
    columns
        Columns to keep where present; all when None.
    limits
        What the workbook may unpack to.

    Raises
    ------
    ValueError
        When it is no workbook, damaged, empty, or unpacks to more than allowed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            unpacked = sum(info.file_size for info in opened.infolist())
    except _DAMAGE as error:
        raise _damaged(what, len(content), error) from None
    check_size(unpacked, len(content), what, limits)
    keep = None if columns is None else (lambda name: name in columns)
    try:
        # the engine is named, because pandas would take another one that happens to be installed
        table = pd.read_excel(io.BytesIO(content), engine="openpyxl", usecols=keep)
    except _DAMAGE as error:
        raise _damaged(what, len(content), error) from None
    if not len(table.columns) or not len(table):
        raise ValueError(f"{what} has an empty first sheet, but a header row and data are needed; download it again")
    return table


def _damaged(what: str, size: int, error: Exception) -> ValueError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return ValueError(
        f"{what} ({size} bytes) cannot be read as an xlsx workbook ({reason}); it is truncated or of another format: "
        "delete it and download it again"
    )
