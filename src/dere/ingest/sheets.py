"""First sheet of an xlsx workbook as a table: site metadata (BADM) and tables that somebody saved again."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection
from xml.parsers.expat import ExpatError

import pandas as pd
from pandas.io.parsers import TextParser  # type: ignore[attr-defined]

from dere.ingest.limits import Limits, check_size
from dere.ingest.rows import require_unique, require_width
from dere.ingest.workbook import read_first_sheet
from dere.ingest.xml_parts import TooLarge
from dere.ingest.zips import DAMAGE, Refused, open_zip

log = logging.getLogger(__name__)

_DAMAGE: tuple[type[Exception], ...] = (*DAMAGE, ExpatError, TypeError, AttributeError)


def parse_sheet(content: bytes, what: str, columns: Collection[str] | None, limits: Limits) -> pd.DataFrame:
    """Table of the first sheet of a workbook; its first row with anything in it holds the names.

    Cells in columns without a name (left behind at the end of a sheet) and rows without anything in a column with one
    are left out, the former with a warning.

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
        When it is no workbook, damaged, empty, has a name twice, or holds or unpacks to more than allowed.
    """
    try:
        with open_zip(io.BytesIO(content), what) as opened:
            check_size(sum(info.file_size for info in opened.infolist()), len(content), what, limits)
            sheet = read_first_sheet(opened, columns)
    except Refused:
        raise
    except TooLarge as error:
        raise ValueError(
            f"{what} is no workbook of measurements ({error}); save the table as csv, or remove what is not needed"
        ) from None
    except _DAMAGE as error:
        raise _damaged(what, len(content), error) from None
    require_width(len(sheet.names), what)
    require_unique(sheet.names, what)
    if not sheet.rows:
        raise ValueError(f"{what} has an empty first sheet, but a header row and data are needed; download it again")
    if sheet.left_out:
        log.warning(
            "%s: %d cells lie in columns without a name in the header row and are left out", what, sheet.left_out
        )
    kept = [name for name in sheet.names if columns is None or name in columns]
    rows = [["" if value is None else value for value in row] for row in sheet.rows]
    return TextParser([kept, *rows], header=0).read()


def _damaged(what: str, size: int, error: Exception) -> ValueError:
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return ValueError(
        f"{what} ({size} bytes) cannot be read as an xlsx workbook ({reason}); it is truncated or of another format: "
        "delete it and download it again"
    )
