"""Bad input of every format ends in a sentence of our own, in counted gaps or in the same numbers; never otherwise."""

from collections import Counter
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mutations.arrays import UNPICKLED, ArrayFormat, npy
from mutations.carbonglobe import OWN, stored
from mutations.cases import Case, verdict
from mutations.collections_of_towers import V2
from mutations.esacci_maps import FILE
from mutations.fluxnet_monthly import extract, monthly
from mutations.site_tables import ages, site_plant_types
from mutations.tower_archives import ARCHIVE, CONTENT, INSIDE, packed
from mutations.tower_archives import case as archive_case

FOLDER = Path(__file__).parents[2] / "fixtures" / "mutations"
GENERIC = {"__init__", "cases", "tables", "arrays", "netcdf", "towers"}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in GENERIC)
CASES = [case for name in MODULES for case in import_module(f"mutations.{name}").cases()]
FORMATS = Counter(case.format.name for case in CASES)
FEW = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TABLES = {table.form.name: table for table in (monthly(), extract(), site_plant_types(), ages("cell"), ages("site"))}


def test_there_are_enough_variants():
    assert len(CASES) >= 300
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("form", sorted(FORMATS))
def test_every_format_has_its_share_of_variants(form):
    assert FORMATS[form] >= 15


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input(case, tmp_path, caplog):
    folder = tmp_path / "read"
    folder.mkdir()
    assert verdict(case, folder, caplog) == ""
    assert not UNPICKLED.exists(), "a pickle was opened"


def check(case, tmp_path_factory, caplog):
    """Judge one drawn variant in a folder of its own."""
    folder = tmp_path_factory.mktemp("drawn") / "read"
    folder.mkdir()
    assert verdict(case, folder, caplog) == ""


@pytest.mark.parametrize("form", TABLES)
@given(share=st.floats(0, 1))
@FEW
def test_a_table_cut_anywhere(form, share, tmp_path_factory, caplog):
    """Cut within a row or a year: refused. Cut between two rows of a table of sites: another sound table."""
    table = TABLES[form]
    whole = table.sheet.encode()
    part = whole[: int(share * (len(whole) - 1))]
    at_row_end = part.endswith(b"\n") or whole[len(part) : len(part) + 1] == b"\n"
    # within the last field nothing tells the rest of a number from the whole of it
    last_field = part.count(b",", part.rfind(b"\n") + 1) == len(table.sheet.header) - 1
    if not (at_row_end or last_field) or form == "fluxnet monthly":
        check(
            table.case(f"cut at {share}", part, "any" if form == "fluxnet monthly" else "error"),
            tmp_path_factory,
            caplog,
        )


@pytest.mark.parametrize("form", TABLES)
@given(row=st.integers(0, 10**6), text=st.text("abcxyzNAIF%/:-+ .", min_size=1, max_size=6), column=st.integers(0, 99))
@FEW
def test_any_text_in_a_number(form, row, text, column, tmp_path_factory, caplog):
    """Text in a field of numbers is refused, unless it is a word for a missing value."""
    table = TABLES[form]
    where = table.numbers[column % len(table.numbers)]
    missing = text.strip() in ("", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "-NaN", "-nan", "<NA>")
    if not missing:
        check(table.case("text", table.sheet.cell(row, where, text), "error"), tmp_path_factory, caplog)


@given(share=st.floats(0, 0.999))
@FEW
def test_an_archive_cut_anywhere(share, tmp_path_factory, caplog):
    whole = packed({INSIDE: CONTENT})
    check(archive_case(f"cut at {share}", whole[: int(share * len(whole))]), tmp_path_factory, caplog)


@given(at=st.integers(0, 10**6), value=st.integers(0, 255))
@FEW
def test_an_archive_with_any_byte_changed(at, value, tmp_path_factory, caplog):
    """A checksum guards the content; a changed time stamp or attribute says nothing about the numbers."""
    whole = bytearray(packed({INSIDE: CONTENT}))
    whole[at % len(whole)] = value
    check(archive_case(f"byte {at} is {value}", bytes(whole), "any", ARCHIVE), tmp_path_factory, caplog)


@given(share=st.floats(0, 0.999))
@FEW
def test_a_map_cut_anywhere(share, tmp_path_factory, caplog):
    check(FILE.case(f"cut at {share}", after=lambda b: b[: int(share * len(b))]), tmp_path_factory, caplog)


@given(share=st.floats(0, 0.999))
@FEW
def test_a_database_cut_anywhere(share, tmp_path_factory, caplog):
    def build(folder):
        path = V2.build(folder)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        return path

    check(Case(V2, f"cut at {share}", build), tmp_path_factory, caplog)


@given(
    share=st.floats(0, 0.999),
    place=st.integers(0, 10**6),
    value=st.sampled_from([np.nan, np.inf, -np.inf, -9999, 1e20]),
)
@FEW
def test_an_array_cut_or_with_a_hole_anywhere(share, place, value, tmp_path_factory, caplog):
    good = stored("glob_X_fea.npy")
    array = ArrayFormat(OWN, "glob_X_fea.npy", good)
    whole = npy(good)
    check(array.case(f"cut at {share}", whole[: int(share * len(whole))]), tmp_path_factory, caplog)
    spoiled = good.copy()
    spoiled.reshape(-1)[place % good.size] = value
    check(array.case(f"{value} at {place}", spoiled), tmp_path_factory, caplog)
