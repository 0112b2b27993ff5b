"""Site metadata of BADM/BIF and plain tables."""

import pandas as pd
import pytest
from ingest_samples import write_bif

from dere.ingest.bif import parse_bif, parse_sites, read_bif, read_sites


@pytest.mark.parametrize("separator", [";", ","])
def test_long_table_in_latin_1(tmp_path, separator):
    path = tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv"
    write_bif(path, {"FI-Hyy": (61.8, 24.3, "ENF"), "DK-ZaH": (74.5, -20.6, "GRA")}, separator)
    sites = read_bif(path)
    assert set(sites.index) == {"GL-ZaH", "FI-Hyy"}
    row = sites.loc["FI-Hyy"]
    assert (row.lat, row.lon, row.igbp, row.elevation, row["mat"], row["map"]) == (61.8, 24.3, "ENF", 120, 7.5, 800)


def test_last_statement_counts():
    rows = [("XX-Syn", "IGBP", "ENF"), ("XX-Syn", "IGBP", "OSH"), ("XX-Syn", "LOCATION_LAT", "1")]
    sites = parse_bif(pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]), "f")
    assert sites.loc["XX-Syn", "igbp"] == "OSH"


def test_text_in_a_coordinate():
    rows = [("XX-Syn", "LOCATION_LAT", "north")]
    with pytest.raises(ValueError, match=r"f\.csv: column lat holds 'north'"):
        parse_bif(pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]), "f.csv")


def test_plain_table_and_disagreeing_classes(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(
        "Site_ID,Latitude,LOCATION_LONG,igbp_list,igbp_new\nXX-Syn,69.2,-53.5,SNO,OSH\nYY-Syn,50,6,MF,ENF\n"
    )
    sites = read_sites(path)
    assert sites["igbp"].to_dict() == {"XX-Syn": "OSH", "YY-Syn": "MF"}
    assert sites.loc["XX-Syn", "lon"] == -53.5


@pytest.mark.parametrize(
    ("lat", "lon", "remedy"),
    [(47.0, 200.0, "subtract 360"), (145.0, -35.0, "look exchanged"), (300.0, 10.0, "correct them")],
)
def test_impossible_coordinates(lat, lon, remedy):
    table = pd.DataFrame({"site": ["XX-Syn"], "lat": [lat], "lon": [lon]})
    with pytest.raises(ValueError, match=rf"sites\.csv: site XX-Syn has latitude.*{remedy}"):
        parse_sites(table, "sites.csv")


def test_duplicated_site_and_missing_column():
    table = pd.DataFrame({"site": ["NO-Adv", "SJ-Adv"], "lat": [78.0, 78.0], "lon": [15.0, 15.0]})
    with pytest.raises(ValueError, match="lists site SJ-Adv more than once"):
        parse_sites(table, "f")
    with pytest.raises(ValueError, match="no column for lon"):
        parse_sites(table.drop(columns="lon"), "f")
