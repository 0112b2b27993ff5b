"""What a file is by its first bytes, in words: for files that are not what their name says."""

from __future__ import annotations

# long enough to begin no table: a column may well be called PAR1
_SIGNATURES = (
    (b"PK\x03\x04", "a zip archive or an xlsx workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"BZh91AY&SY", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)"),
    (b"\x89HDF", "a NetCDF-4 or HDF5 file"),
    (b"CDF\x01", "a NetCDF file"),
    (b"CDF\x02", "a NetCDF file"),
    (b"CDF\x05", "a NetCDF file"),
    (b"PAR1\x15", "a parquet file"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_PAGES = (b"<!doctype html", b"<html")


def what_it_is(content: bytes) -> str:
    r"""Return what begins with some bytes, in words; empty for a text or what is not known.

    Examples
    --------
    ``PK\x03\x04...`` is "a zip archive or an xlsx workbook", ``<!DOCTYPE html>`` "a web page".
    """
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_PAGES):
        return "a web page, perhaps of a login or of an error"
    return next((words for mark, words in _SIGNATURES if content.startswith(mark)), "")
