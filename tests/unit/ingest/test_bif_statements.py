"""Dated and grouped statements of BADM/BIF tables: a mast that moves, a class that changes."""

import numpy as np
import pandas as pd
import pytest

from dere.ingest.tower.bif import parse_bif
from dere.ingest.tower.bif_statements import UNDATED, since

COLUMNS = ["SITE_ID", "GROUP_ID", "VARIABLE_GROUP", "VARIABLE", "DATAVALUE"]


def place(group, lat, lon, day=None):
    rows = [("LOCATION_LAT", lat), ("LOCATION_LONG", lon), *([("LOCATION_DATE_START", day)] if day else [])]
    return [("IT-Syn", group, "GRP_LOCATION", *row) for row in rows]


def of_class(group, igbp, day=None):
    rows = [("IGBP", igbp), *([("IGBP_DATE_START", day)] if day else [])]
    return [("IT-Syn", group, "GRP_IGBP", *row) for row in rows]


def read(*rows, end=None):
    table = pd.DataFrame([row for part in rows for row in part], columns=COLUMNS)
    return parse_bif(table, "f.csv", None if end is None else {"IT-Syn": end}).loc["IT-Syn"]


LATER = (*place(1, 45.5, 7.5, "20150401"), *of_class(3, "GRA", "20150401"))
EARLIER = (*place(2, 45.2, 7.2, "20020101"), *of_class(4, "CRO", "20020101"))


@pytest.mark.parametrize("rows", [(LATER, EARLIER), (EARLIER, LATER)], ids=["later first", "earlier first"])
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (None, (45.5, 7.5, "GRA")),
        (20181231, (45.5, 7.5, "GRA")),
        (20141231, (45.2, 7.2, "CRO")),
        # nothing held when the data ended: the first that came after
        (19991231, (45.2, 7.2, "CRO")),
    ],
)
def test_the_latest_start_within_the_data_counts(rows, end, expected, caplog):
    """After fluxnet/shuttle#70 and PecanProject/pecan#350: groups of one site stand in any order."""
    row = read(*rows, end=end)
    assert (row.lat, row.lon, row.igbp) == expected
    lines = [record.getMessage() for record in caplog.records]
    assert any("45.500, 7.500" in line and "45.200, 7.200" in line and "41 km away" in line for line in lines)
    assert any("IGBP class" in line and "GRA" in line and "CRO" in line for line in lines)


def test_a_dated_statement_counts_before_an_undated_one():
    assert read(place(1, 45.5, 7.5, "20150401"), place(2, 45.2, 7.2)).lat == 45.5


def test_latitude_and_longitude_come_from_one_group():
    """A newer latitude alone is no place; with the older longitude it would be one where no mast ever stood."""
    newer = [
        ("IT-Syn", 9, "GRP_LOCATION", "LOCATION_LAT", 46.9),
        ("IT-Syn", 9, "GRP_LOCATION", "LOCATION_DATE_START", 2017),
    ]
    row = read(place(1, 45.5, 7.5, "20150401"), newer)
    assert (row.lat, row.lon, row.fault) == (45.5, 7.5, "")
    several = read(
        [
            row
            for row in place(1, 45.5, 7.5) + place(2, 45.2, 7.2)
            if (row[1], row[3]) != (1, "LOCATION_LONG") and (row[1], row[3]) != (2, "LOCATION_LAT")
        ],
        [("IT-Syn", 3, "GRP_LOCATION", "LOCATION_LAT", 45.1)],
    )
    assert np.isnan(several.lat) and "without a" in several.fault


def test_the_only_latitude_and_longitude_belong_together_whatever_their_groups():
    rows = [
        ("IT-Syn", number, "GRP_X", *row)
        for number, row in enumerate([("LOCATION_LAT", "45.5"), ("LOCATION_LONG", "7.5"), ("IGBP", "GRA")])
    ]
    row = read(rows)
    assert (row.lat, row.lon, row.igbp, row.fault) == (45.5, 7.5, "GRA", "")


def test_without_groups_a_repeated_variable_opens_the_next_statement():
    table = pd.DataFrame(
        [row for part in (place(1, 45.5, 7.5), place(2, 45.2, 7.2)[:1]) for row in part], columns=COLUMNS
    )
    row = parse_bif(table.drop(columns=["GROUP_ID", "VARIABLE_GROUP"]), "f.csv").loc["IT-Syn"]
    assert (row.lat, row.lon) == (45.5, 7.5)


def test_one_field_of_one_statement_the_next_of_another():
    elevation = [("IT-Syn", 1, "GRP_LOCATION", "LOCATION_ELEV", 700)]
    row = read(place(1, 45.5, 7.5, "20020101"), elevation, place(2, 45.501, 7.501, "20150401"))
    assert (row.lat, row.elevation) == (45.501, 700)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("20150401", 20150401), (20150401.0, 20150401), ("20150401.000", 20150401), ("2.0150401E+07", 20150401),
        ("2015-04-01", 20150401),
        ("201504010030", 20150401), ("2015-04-01T00:30", 20150401), ("201504", 20150401 // 100 * 100 + 1),
        ("2015", 20150101), ("-9999", UNDATED), ("spring 2015", UNDATED), ("", UNDATED), (None, UNDATED),
        ("20151301", UNDATED),
    ],
)  # fmt: skip
def test_dates(text, day):
    assert since(text) == day
