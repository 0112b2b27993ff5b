"""Rows of long tables: alphabets, quotes and line ends of many hands."""

import csv
import io
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dere.ingest.tower.bif import read_bif
from dere.ingest.tower.bif_rows import parse_rows, split_row

HEADER = "SITE_ID,GROUP_ID,VARIABLE_GROUP,VARIABLE,DATAVALUE"


def rows_of(site, lat=60.0, *more):
    """Rows that place a site, after ``more`` ones."""
    return [*more, f"{site},7,GRP_LOCATION,LOCATION_LAT,{lat}", f"{site},7,GRP_LOCATION,LOCATION_LONG,20"]


def table(*rows, encoding="utf-8"):
    return "\n".join([HEADER, *rows, ""]).encode(encoding)


def latitudes(tmp_path, content):
    path = tmp_path / "ICOSETC_SE-Svb_SITEINFO_L2.csv"
    path.write_bytes(content)
    return read_bif(path)["lat"].to_dict()


def test_letters_whose_bytes_hold_a_line_end_of_latin_1(tmp_path):
    """The second byte of an UTF-8 "Å" is a line end to str.splitlines, once it is read as Latin-1."""
    person = "SE-Svb,2,GRP_TEAM,TEAM_MEMBER_NAME,Åsa Kasimir"
    assert latitudes(tmp_path, table(*rows_of("SE-Svb", 64.2, person))) == {"SE-Svb": 64.2}
    (row,) = parse_rows(table(person), "f").to_dict("records")
    assert row["DATAVALUE"] == "Åsa Kasimir"


def test_each_row_has_its_own_encoding():
    content = table("SE-Svb,1,G,SITE_NAME,Åby") + "FI-Hyy,2,G,SITE_NAME,Hyytiälä\nXX-Syn,3,G,SITE_NAME,a\x85b\n".encode(
        "latin-1"
    )
    assert parse_rows(content, "f")["DATAVALUE"].tolist() == ["Åby", "Hyytiälä", "a\x85b"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(end):
    content = table("AA-One,1,G,V,x\x0by\u2028z", "BB-Two,2,G,V,y").replace(b"\n", end.encode())
    assert parse_rows(content, "f")["DATAVALUE"].tolist() == ["x\x0by\u2028z", "y"]


@pytest.mark.parametrize("text", ['"north plot', '"north plot, wet', '"', '""north plot', '"the "old" plot"s, wet'])
@pytest.mark.parametrize("later", ["flat", '"flat, wet"', '"flat', '"two ""flat"" ones"'], ids=repr)
def test_a_quote_that_does_not_close_costs_no_later_site(tmp_path, caplog, text, later):
    one = rows_of("AA-One", 10.0, f"AA-One,1,GRP_DESC,SITE_DESC,{text}")
    two = rows_of("BB-Two", 20.0, f"BB-Two,1,GRP_DESC,SITE_DESC,{later}")
    with caplog.at_level(logging.WARNING):
        assert latitudes(tmp_path, table(*one, *two)) == {"AA-One": 10.0, "BB-Two": 20.0}
    unclosed = 2 if later == '"flat' else 1
    assert f"{unclosed} fields open with a quote that does not close (the first in line 2)" in caplog.text


def test_a_quote_in_the_middle_of_a_row():
    fields, unclosed = split_row('AA-One,1,"GRP,SITE_NAME,"a, b"', ",")
    assert (fields, unclosed) == (["AA-One", "1", '"GRP', "SITE_NAME", "a, b"], 1)


def test_sites_of_other_names_are_told_by_the_row_itself():
    (one, two) = parse_rows(table('site 1,1,G,V,"open', 'site 1,2,G,V,"closed"'), "f")["DATAVALUE"]
    assert (one, two) == ('"open', "closed")


def test_a_quoted_text_over_several_lines(caplog):
    text = '"first, line\r\n\r\nSecond; line with ""quotes""\nAA-One, BB-Two"'
    with caplog.at_level(logging.WARNING):
        found = parse_rows(table(f"AA-One,1,G,SITE_DESC,{text}", "BB-Two,1,G,V,x"), "f")
    assert found["DATAVALUE"].tolist() == ['first, line  Second; line with "quotes" AA-One, BB-Two', "x"]
    assert caplog.text == ""


def test_a_text_over_too_many_lines_is_none():
    lines = "\n".join(["line"] * 1500)
    with pytest.raises(
        ValueError, match=r"f\.csv has 1 columns in line 3, .* opens in line 2 does not close: close it, or"
    ):
        parse_rows(table(f'AA-One,1,G,SITE_DESC,"{lines}"'), "f.csv")
    assert len(parse_rows(table('AA-One,1,G,SITE_DESC,"' + "\n".join(["line"] * 900) + '"'), "f.csv")) == 1


@pytest.mark.parametrize("blank", [b"\n", b"\r\n \r\n", b"\xef\xbb\xbf\n\n"])
def test_blank_lines_before_the_header(tmp_path, blank):
    assert latitudes(tmp_path, blank + table(*rows_of("AA-One", 10.0))) == {"AA-One": 10.0}


def test_lines_are_counted_in_the_file():
    content = b"\n\n" + table("AA-One,1,G,V,x", "", "AA-One,1,G")
    with pytest.raises(ValueError, match=r"f\.csv has 3 columns in line 6, but its header has 5; it is truncated"):
        parse_rows(content, "f.csv")


def test_a_field_of_a_hundred_thousand_characters():
    with pytest.raises(ValueError, match=r"f\.csv cannot be read .* \(a field of 100001 characters in line 2\)"):
        parse_rows(table("AA-One,1,G,V," + "x" * 100_001), "f.csv")


fields = st.lists(st.text('ab";, \u0085Å', max_size=8), min_size=1, max_size=6)


@given(fields, st.sampled_from([",", ";"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_a_row_that_the_csv_module_wrote(texts, separator, quoting):
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=quoting, lineterminator="").writerow(texts)
    assert split_row(stream.getvalue(), separator) == (texts, 0)


@given(st.text('ab",', max_size=20))
def test_no_text_is_lost(text):
    """Whatever the quotes, there is a field for each separator outside of closed ones, and nothing but quotes goes."""
    parts, unclosed = split_row(text, ",")
    assert len(parts) >= 1 and 0 <= unclosed <= len(parts)
    assert "".join(parts).replace('"', "").replace(",", "") == text.replace('"', "").replace(",", "")
