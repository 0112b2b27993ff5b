"""The first sheet of an xlsx workbook, cell by cell: the XML is followed as a stream and never held as a whole.

A workbook is a zip archive of XML. What is held of it (texts, cells of columns with a name) is bounded, and what is not
held is bounded in its elements, so that a small file can ask for neither memory nor time without end.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format, is_timedelta_format
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel, from_ISO8601

from dere.ingest.xml_parts import Attributes, Part, TooLarge

CELLS = 4_000_000
"""Cells, and texts, that are held."""
CHARACTERS = 1 << 26
"""Characters of all texts."""
_FORMATS = 100_000
_COORDINATE = re.compile(r"([A-Z]{1,3})[0-9]+", re.IGNORECASE)

Value = str | int | float | bool | dt.datetime | dt.date | dt.time | dt.timedelta


@dataclass
class Sheet:
    """Rows below the header that hold something in a column with a name.

    ``left_out`` counts cells in columns without one.
    """

    names: list[str]
    rows: list[list[Value | None]]
    left_out: int


class _Strings(Part):
    """Shared texts in their order; readings of characters (phonetic) are left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._characters_held = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._joined: list[str] = []
        elif name == "t" and "rPh" not in self.path:
            self.text = []

    def end(self, name: str, text: str) -> None:
        if name == "t":
            self._joined.append(text if self.text is not None else "")
            self.text = None
        elif name == "si":
            whole = "".join(self._joined).replace("x005F_", "")
            self._characters_held += len(whole)
            if len(self.found) >= CELLS or self._characters_held > CHARACTERS:
                raise TooLarge(f"it has more than {CELLS} texts or {CHARACTERS} characters")
            self.found.append(whole)


@dataclass
class _Formats:
    """How styles show numbers: which of them are dates, which are durations."""

    codes: dict[int, str] = field(default_factory=lambda: dict(BUILTIN_FORMATS))
    of_style: list[int] = field(default_factory=list)
    epoch: dt.datetime = CALENDAR_WINDOWS_1900
    known: dict[int, tuple[bool, bool]] = field(default_factory=dict)

    def take(self, path: str, attributes: dict[str, str]) -> None:
        """Note a format or a style."""
        if path == "numFmts/numFmt":
            self.codes[int(attributes["numFmtId"])] = attributes.get("formatCode", "")
        elif path == "cellXfs/xf":
            self.of_style.append(int(attributes.get("numFmtId", 0)))
        if len(self.codes) + len(self.of_style) > _FORMATS:
            raise TooLarge(f"it has more than {_FORMATS} styles")

    def number(self, text: str, style: int) -> Value:
        """Return a number as it is shown; of a date beyond the calendar, NaN."""
        found = float(text)
        if style not in self.known:
            code = self.codes.get(self.of_style[style], "") if style < len(self.of_style) else ""
            self.known[style] = bool(is_date_format(code)), bool(is_timedelta_format(code))
        is_date, is_duration = self.known[style]
        if is_date:
            try:
                return from_excel(found, self.epoch, timedelta=is_duration)
            except (OverflowError, ValueError):
                return float("nan")
        return int(found) if found.is_integer() else found


class _Cells(Part):
    """Cells of the columns that have a name in the first row with anything in it."""

    def __init__(self, strings: list[str], formats: _Formats, columns: Collection[str] | None) -> None:
        super().__init__()
        self._strings, self._formats, self._wanted = strings, formats, columns
        self.names: dict[int, str] | None = None
        self.rows: list[list[Value | None]] = []
        self.left_out = self._characters_held = 0
        self._row: dict[int, Value] = {}
        self._column = self._style = 0
        self._kind = "n"
        self._value: str | None = None
        self._inline: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row, self._column = {}, 0
        elif name == "c":
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s") or 0)
            self._column = _number(attributes["r"]) if "r" in attributes else self._column + 1
            self._value, self._inline = None, []
        elif (name == "v" and self.path[-2] == "c") or (name == "t" and "is" in self.path and "rPh" not in self.path):
            self.text = []

    def end(self, name: str, text: str) -> None:
        if name == "v" and self.text is not None:
            self._value, self.text = text, None
        elif name == "t" and self.text is not None:
            self._inline.append(text)
            self.text = None
        elif name == "c":
            value = self._typed("".join(self._inline) if self._kind == "inlineStr" else self._value)
            if value is not None and not (isinstance(value, str) and not value.strip()):
                self._row[self._column] = value
        elif name == "row" and self._row:
            self._end_row()

    def _typed(self, text: str | None) -> Value | None:
        if not text:
            return None
        match self._kind:
            case "s":
                return self._strings[int(text)]
            case "b":
                return bool(int(text))
            case "e":
                # a cell that says there is no value; any other fault of a formula is no number
                return float("nan") if text == "#N/A" else text
            case "d":
                return from_ISO8601(text)
            case "n":
                return self._formats.number(text, self._style)
        self._characters_held += len(text)
        if self._characters_held > CHARACTERS:
            raise TooLarge(f"it has more than {CHARACTERS} characters")
        return text

    def _end_row(self) -> None:
        if self.names is None:
            self.names = {column: str(value) for column, value in sorted(self._row.items())}
            return
        self.left_out += len(self._row.keys() - self.names.keys())
        kept = [column for column, name in self.names.items() if self._wanted is None or name in self._wanted]
        row = [self._row.get(column) for column in kept]
        if any(value is not None for value in row):
            self.rows.append(row)
            if len(self.rows) * len(kept) > CELLS:
                raise TooLarge(f"its first sheet has more than {CELLS} cells")


def _number(coordinate: str) -> int:
    """Number of a column from 1, from a coordinate such as BC12."""
    found = _COORDINATE.fullmatch(coordinate)
    if found is None:
        raise ValueError(f"{coordinate[:20]!r} is no place of a cell")
    number = 0
    for letter in found[1].upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def read_first_sheet(opened: zipfile.ZipFile, columns: Collection[str] | None) -> Sheet:
    """Read the first sheet of an open workbook.

    Parameters
    ----------
    opened
        The archive.
    columns
        Columns to keep where present; all that have a name when None.

    Raises
    ------
    TooLarge
        When it holds more than is read.
    ValueError, LookupError, expat.ExpatError
        When it is damaged; also what the archive raises.
    """
    # nothing in it is needed, but a workbook in which it is damaged is damaged
    _read(opened, "[Content_Types].xml", Part())
    book = {kind: target for kind, target in _related(opened, "").values()}["officeDocument"]
    related = _related(opened, book)
    formats, sheets = _Formats(), list[str]()

    def take(path: str, attributes: dict[str, str]) -> None:
        if path.endswith("/workbookPr") and attributes.get("date1904", "0") in ("1", "true"):
            formats.epoch = CALENDAR_MAC_1904
        elif path == "sheets/sheet" and not sheets:
            kind, target = related[attributes["id"]]
            sheets.extend([target] if kind == "worksheet" else [])

    _read(opened, book, Attributes(take, "workbookPr", "sheet"))
    parts = {kind: target for kind, target in related.values() if target in opened.NameToInfo}
    strings = _Strings()
    if "sharedStrings" in parts:
        _read(opened, parts["sharedStrings"], strings)
    if "styles" in parts:
        _read(opened, parts["styles"], Attributes(formats.take, "numFmt", "xf"))
    cells = _Cells(strings.found, formats, columns)
    _read(opened, sheets[0], cells)
    names = list((cells.names or {}).values())
    return Sheet(names, cells.rows, cells.left_out)


def _related(opened: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Kind and name of the parts that a part refers to, by their id there."""
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def take(path: str, attributes: dict[str, str]) -> None:
        target = posixpath.normpath(posixpath.join("/", folder, attributes["Target"])).lstrip("/")
        found[attributes["Id"]] = (attributes["Type"].rpartition("/")[2], target)
        if len(found) > _FORMATS:
            raise TooLarge(f"it has more than {_FORMATS} parts")

    _read(opened, posixpath.join(folder, "_rels", f"{name}.rels"), Attributes(take, "Relationship"))
    return found


def _read(opened: zipfile.ZipFile, name: str, part: Part) -> None:
    with opened.open(name) as stream:
        part.read(stream)
