"""Workbooks: what pandas reads of them, stray cells left out, and nothing without a bound."""

import datetime as dt
import io
import logging
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pytest

from dere.ingest import workbook, xml_parts, zips
from dere.ingest.limits import Limits
from dere.ingest.sheets import parse_sheet

LAST = "XFD1048576"


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def book_of(rows, **cells):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, value in cells.items():
        book.active[place] = value
    return book


ROWS = [("site", "TIMESTAMP", "NEE"), ("AA-Bcd", 201001, 1.5), ("AA-Bcd", 201002, -9999), ("AA-Bcd", 201003, None)]


RELATED = (
    '<Relationships><Relationship Type="x/worksheet" Target="/xl/worksheets/sheet1.xml" Id="rId1"/>'
    '<Relationship Type="x/styles" Target="styles.xml" Id="rId2"/>'
    '<Relationship Type="x/sharedStrings" Target="sharedStrings.xml" Id="rId3"/></Relationships>'
)


def parts_of(content, **changed):
    """The workbook with parts replaced or added; shared texts are one of those that it names."""
    changed = {"xl/_rels/workbook.xml.rels": RELATED} | changed
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in changed:
                new.writestr(name, old.read(name))
        for name, text in changed.items():
            new.writestr(name, text)
    return stream.getvalue()


def test_the_table_is_that_of_pandas_but_for_formulas_that_failed():
    book = book_of(
        [
            ("text", "number", "both", "date", "time", "truth", "error", "float"),
            ("a & <b>", 1, 1, dt.datetime(2010, 1, 31), dt.time(12, 30), True, "#N/A", 1e-300),
            ("naïve", 2.5, "x", dt.datetime(2010, 2, 28, 6), dt.time(1), False, "#DIV/0!", 12345678.9),
            ("12", -3, None, None, None, None, None, 1e22),
        ]
    )
    book.create_sheet("second").append(("other",))
    content = saved(book)
    expected = pd.read_excel(io.BytesIO(content))
    found = parse_sheet(content, "x.xlsx", None, Limits())
    # pandas takes every failed formula for a missing value
    assert found["error"].tolist()[1] == "#DIV/0!" and found["error"].isna().tolist() == [True, False, True]
    pd.testing.assert_frame_equal(found.drop(columns="error"), expected.drop(columns="error"))
    kept = parse_sheet(content, "x.xlsx", ("float", "text", "none"), Limits())
    pd.testing.assert_frame_equal(kept, expected[["text", "float"]])


def test_texts_in_cells_formulas_and_runs_are_read():
    """As other writers store them: text in the cell, a formula's text, a shared text of two runs with a reading."""
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>site</t></is></c><c t="s"><v>0</v></c></row>'
        '<row r="3"><c r="B3" t="str"><f>A1&amp;"x"</f><v>formula</v></c><c r="A3"><f>1+1</f><v>2</v></c></row>'
        "</sheetData></worksheet>"
    )
    strings = (
        '<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><r><t>na</t></r><r><t>me</t></r>'
        "<rPh><t>reading</t></rPh></si></sst>"
    )
    content = parts_of(saved(book_of([("a",)])), **{"xl/worksheets/sheet1.xml": sheet, "xl/sharedStrings.xml": strings})
    pd.testing.assert_frame_equal(
        parse_sheet(content, "x.xlsx", None, Limits()), pd.DataFrame({"site": [2], "name": ["formula"]})
    )


@pytest.mark.parametrize("place", [LAST, "XFD1", "E3", "A1048576"])
def test_a_stray_cell_costs_nothing(place, caplog):
    """In the last corner, in the last column, beside the table; below the table it is a row like any other."""
    with caplog.at_level(logging.WARNING):
        found = parse_sheet(saved(book_of(ROWS, **{place: "x"})), "x.xlsx", ("TIMESTAMP", "NEE", "site"), Limits())
    if place == "XFD1":
        place = "none"  # it is a name then, of a column that nobody asked for
    assert len(found) == (4 if place == "A1048576" else 3)
    np.testing.assert_array_equal(found["TIMESTAMP"][:3], [201001, 201002, 201003])
    lost = ["x.xlsx: 1 cells lie in columns without a name in the header row and are left out"]
    assert caplog.messages == (lost if place in (LAST, "E3") else [])


def test_a_name_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match=r"x\.xlsx has column a 2 times"):
        parse_sheet(saved(book_of([("a", "b", "a"), (1, 2, 3)])), "x.xlsx", None, Limits())


@pytest.mark.parametrize("rows", [[], [("a", "b")], [("a", "b"), (None, " ")]])
def test_a_sheet_without_data_is_refused(rows):
    with pytest.raises(ValueError, match=r"x\.xlsx has an empty first sheet"):
        parse_sheet(saved(book_of(rows)), "x.xlsx", None, Limits())


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
TAIL = "</sheetData></worksheet>"
NAMED = '<row><c t="inlineStr"><is><t>a</t></is></c></row>'


@pytest.mark.parametrize(
    ("part", "text", "reason"),
    [
        ("xl/worksheets/sheet1.xml", HEAD + "<row/>" * 60_000 + TAIL, "more than 50000 elements"),
        ("xl/worksheets/sheet1.xml", HEAD + NAMED + "<row><c><v>1</v></c></row>" * 2000 + TAIL, "more than 1000 cells"),
        ("xl/worksheets/sheet1.xml", HEAD + "<row>" + "<c>" * 100, "nested more than 64 levels"),
        ("xl/worksheets/sheet1.xml", HEAD + f'<row><c t="str"><v>{"x" * 70_000}</v></c></row>', "more than 65536 char"),
        ("xl/worksheets/sheet1.xml", HEAD + f'<row a="{"x" * (3 << 20)}"/>', "one piece of its XML"),
        ("xl/worksheets/sheet1.xml", '<!DOCTYPE a [<!ENTITY b "c">]>' + HEAD + TAIL, "declares entities"),
        ("xl/sharedStrings.xml", "<sst>" + "<si><t>a</t></si>" * 2_000 + "</sst>", "more than 1000 texts"),
        ("xl/styles.xml", "<s><cellXfs>" + '<xf numFmtId="1"/>' * 40_000 + "</cellXfs></s>", "more than 30000 styles"),
        ("xl/_rels/workbook.xml.rels", "<r>" + "".join(
            f'<Relationship Id="r{i}" Type="a/b" Target="c"/>' for i in range(40_000)
        ) + "</r>", "more than 30000 parts"),
    ],
    ids=["rows", "cells", "depth", "text", "attribute", "entities", "texts", "styles", "parts"],
)  # fmt: skip
def test_what_no_workbook_needs_is_refused(monkeypatch, part, text, reason):
    for module, name, value in (
        (workbook, "CELLS", 1000),
        (xml_parts, "ELEMENTS", 50_000),
        (workbook, "_FORMATS", 30_000),
    ):
        monkeypatch.setattr(module, name, value)
    content = parts_of(saved(book_of([("a", "b"), (1, "text")])), **{part: text})
    with pytest.raises(ValueError, match=rf"x\.xlsx is no workbook of measurements \(.*{reason}"):
        parse_sheet(content, "x.xlsx", None, Limits())


@pytest.mark.parametrize("cut", [10, 400, -30])
def test_a_damaged_workbook_is_a_sentence(cut):
    content = saved(book_of(ROWS))
    with pytest.raises(ValueError, match=r"x\.xlsx \(\d+ bytes\) cannot be read as an xlsx workbook"):
        parse_sheet(content[:cut], "x.xlsx", None, Limits())
    broken = parts_of(content, **{"xl/worksheets/sheet1.xml": HEAD + '<row><c r="A1" t="s"><v>77</v></c></row>' + TAIL})
    with pytest.raises(ValueError, match=r"cannot be read as an xlsx workbook"):
        parse_sheet(broken, "x.xlsx", None, Limits())


def test_a_list_of_parts_that_is_too_long_is_not_read(monkeypatch):
    monkeypatch.setattr(zips, "LISTING", 500)
    with pytest.raises(ValueError, match=r"x\.xlsx has a list of files of \d+ bytes, but at most 500 are read"):
        parse_sheet(saved(book_of(ROWS)), "x.xlsx", None, Limits())
