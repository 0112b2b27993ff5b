"""Site metadata of BADM/BIF and plain tables."""

import re

import numpy as np
import pandas as pd
import pytest
from ingest_samples import write_bif

from dere.ingest.tower.bif import parse_bif, parse_sites, read_bif, read_listing, read_sites
from dere.ingest.tower.bif_rows import parse_rows


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
    rows = [("XX-Syn", "LOCATION_LAT", "north"), ("YY-Syn", "LOCATION_LAT", "1"), ("YY-Syn", "LOCATION_LONG", "2")]
    sites = parse_bif(pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]), "f.csv")
    assert sites["fault"]["XX-Syn"].startswith("f.csv: column lat holds 'north' at site XX-Syn")
    assert sites["fault"]["YY-Syn"] == "" and sites["lat"]["YY-Syn"] == 1


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
    table = pd.DataFrame({"site": ["XX-Syn", "YY-Syn"], "lat": [lat, 1.0], "lon": [lon, 2.0]})
    sites = parse_sites(table, "sites.csv")
    assert re.match(rf"sites\.csv: site XX-Syn has latitude.*{remedy}", sites["fault"]["XX-Syn"])
    assert np.isnan(sites.loc["XX-Syn", ["lat", "lon"]].astype(float)).all()
    assert sites["fault"]["YY-Syn"] == "" and sites["lon"]["YY-Syn"] == 2


def test_duplicated_site_and_missing_column():
    table = pd.DataFrame({"site": ["NO-Adv", "SJ-Adv"], "lat": [78.0, 78.0], "lon": [15.0, 15.0]})
    sites = parse_sites(table, "f")
    assert "lists site SJ-Adv more than once" in sites["fault"]["SJ-Adv"] and np.isnan(sites["lat"]["SJ-Adv"])
    with pytest.raises(ValueError, match="no column for lon"):
        parse_sites(table.drop(columns="lon"), "f")


def test_climate_class_and_time_zone_are_read(tmp_path):
    path = tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv"
    path.write_text(
        "SITE_ID;GROUP_ID;VARIABLE_GROUP;VARIABLE;DATAVALUE\n"
        "XX-Syn;1;GRP_CLIM_AVG;CLIMATE_KOEPPEN;Dfb\nXX-Syn;2;GRP_UTC_OFFSET;UTC_OFFSET;-3.5\n"
    )
    row = read_bif(path).loc["XX-Syn"]
    assert (row.koppen, row.utc_offset) == ("Dfb", -3.5)


def test_unquoted_separators_in_free_text_and_quoted_line_breaks(tmp_path):
    path = tmp_path / "ICOSETC_XX-Syn_SITEINFO_L2.csv"
    path.write_text(
        "SITE_ID,GROUP_ID,VARIABLE,DATAVALUE\nXX-Syn,1,SITE_DESC,flat, wet, cold\n"
        'XX-Syn,2,SITE_FUNDING,"one\ntwo, three"\nXX-Syn,3,LOCATION_LAT,60\nXX-Syn,3,LOCATION_LONG,20\n'
    )
    assert read_bif(path).loc["XX-Syn", "lat"] == 60
    path.write_text("SITE_ID,GROUP_ID,VARIABLE,DATAVALUE\nXX-Syn,3,LOCATION_LAT,60\nXX-Syn,3,LOCA")
    with pytest.raises(
        ValueError, match=r"SITEINFO_L2\.csv has 3 columns in line 3, but its header has 4; it is trunc"
    ):
        read_bif(path)


def test_a_wrong_number_beside_the_coordinates_costs_only_itself(caplog):
    rows = [("XX-Syn", "LOCATION_LAT", "1"), ("XX-Syn", "LOCATION_LONG", "2"), ("XX-Syn", "MAT", "about 7")]
    sites = parse_bif(pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]), "f.csv")
    assert sites.loc["XX-Syn", "lat"] == 1 and pd.isna(sites.loc["XX-Syn", "mat"])
    assert "f.csv: mat of 1 sites is no number ('about 7')" in caplog.text


def test_badm_workbook(tmp_path):
    rows = [("XX-Syn", "LOCATION_LAT", 1.5), ("XX-Syn", "LOCATION_LONG", 2), ("XX-Syn", "IGBP", "GRA")]
    table = pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"])
    path = tmp_path / "AMF_AA-Flx_FLUXNET-BIF_CCBY4_20260101.xlsx"
    table.to_excel(path, index=False)
    row = read_bif(path).loc["XX-Syn"]
    assert (row.lat, row.lon, row.igbp) == (1.5, 2.0, "GRA")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"BIF_CCBY4_20260101\.xlsx \(\d+ bytes\) cannot be read as an xlsx workbook"):
        read_bif(path)
    table.iloc[:0].to_excel(path, index=False)
    with pytest.raises(ValueError, match="has an empty first sheet"):
        read_bif(path)


def test_shuttle_listing_leaves_people_out(tmp_path):
    path = tmp_path / "fluxnet_shuttle_snapshot_synthetic.csv"
    columns = (
        "data_hub,site_id,site_name,location_lat,location_long,igbp,network,team_member_name,team_member_role,"
        "team_member_email,first_year,last_year,download_link,fluxnet_product_name,product_citation,product_id,"
        "oneflux_code_version,product_source_network"
    )
    row = "{hub},XX-Syn,Nowhere,{lat},20.5,GRA,net,A Name,PI,a@name.invalid,2001,2002,https://name.invalid,n,c,1,v1.3,n"
    path.write_text("\n".join([columns, row.format(hub="A", lat=60), row.format(hub="B", lat=61)]) + "\n")
    sites = read_listing(path)
    assert sites.loc["XX-Syn", "lat"] == 60 and len(sites) == 1
    assert "name.invalid" not in sites.to_csv() and "A Name" not in sites.to_csv()
    path.write_text("data_hub,site_id\nA,XX-Syn\n")
    with pytest.raises(ValueError, match="no column location_lat"):
        read_listing(path)


def test_a_field_without_an_end(tmp_path):
    path = tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv"
    path.write_text("SITE_ID;VARIABLE;DATAVALUE\nXX-Syn;SITE_NAME;" + "x" * 200_000)
    with pytest.raises(ValueError, match="cannot be read as a table separated by ';'"):
        read_bif(path)


def test_a_users_table_of_sites_may_say_latitude_and_longitude(tmp_path):
    """Any usual name is read; a name that is none ends in a sentence that lists them."""
    path = tmp_path / "sites.csv"
    path.write_text("site,Latitude,Longitude,IGBP\nDE-Syn,50.5,10.25,ENF\n")
    assert read_sites(path).loc["DE-Syn", ["lat", "lon", "igbp"]].tolist() == [50.5, 10.25, "ENF"]
    path.write_text("site,northing,Longitude,IGBP\nDE-Syn,50.5,10.25,ENF\n")
    with pytest.raises(
        ValueError, match=r"sites\.csv has no column for lat \(lat, latitude, location_lat\) among.*rename"
    ):
        read_sites(path)


def test_what_cannot_be_on_earth_is_unknown_and_said(tmp_path, caplog):
    path = tmp_path / "sites.csv"
    path.write_text(
        "site,lat,lon,elevation,utc_offset\nXX-Syn,50,6,1e9,99\nYY-Syn,51,6,-9999,-3.5\nZZ-Syn,52,6,-400,14\n"
    )
    sites = read_sites(path)
    np.testing.assert_array_equal(sites["elevation"].astype(float), [np.nan, np.nan, -400])
    np.testing.assert_array_equal(sites["utc_offset"].astype(float), [np.nan, -3.5, 14])
    assert "elevation of 2 sites is missing or impossible (1e+09 at XX-Syn, -9999 at YY-Syn" in caplog.text
    assert "utc_offset of 1 sites is missing or impossible (99 at XX-Syn" in caplog.text


@pytest.mark.parametrize("code", ["-9999", "", "-9999.0"])
def test_the_code_of_missing_is_no_place(code):
    rows = [("XX-Syn", "LOCATION_LAT", code), ("XX-Syn", "LOCATION_LONG", code), ("XX-Syn", "IGBP", "GRA")]
    row = parse_bif(pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]), "f.csv").loc["XX-Syn"]
    assert np.isnan(row["lat"]) and np.isnan(row["lon"]) and row["fault"] == "" and row["igbp"] == "GRA"


def test_half_a_place_is_none():
    table = pd.DataFrame({"site": ["XX-Syn"], "lat": [50.0], "lon": [-9999.0]})
    assert "has a latitude without a longitude" in parse_sites(table, "sites.csv")["fault"]["XX-Syn"]


def test_classes_in_words_and_unknown_ones(caplog):
    names = ["Evergreen Needleleaf Forests", "open shrublands", "Water Bodies", "UNC", "Tundra"]
    sites = [f"XX-Sy{number}" for number in range(len(names))]
    table = pd.DataFrame({"site": sites, "lat": 50.0, "lon": 6.0, "igbp": names})
    assert parse_sites(table, "sites.csv")["igbp"].tolist() == ["ENF", "OSH", "WAT", "", ""]
    assert "sites.csv: IGBP class 'Tundra' of site XX-Sy4 is not known" in caplog.text and "UNC" not in caplog.text


def test_a_column_twice_and_climates_that_are_none(caplog):
    header = "SITE_ID,GROUP_ID,VARIABLE_GROUP,VARIABLE,DATAVALUE"
    rows = "XX-Syn,1,GRP_CLIMATE,CLIMATE_KOEPPEN,{}"
    with pytest.raises(ValueError, match=r"x\.csv has column VARIABLE 2 times"):
        parse_rows(f"{header},VARIABLE\n{rows.format('Cfb')},a\n".encode(), "x.csv")
    for text, expected in (("Cfb", "Cfb"), ("Arctic", "Arctic"), ("-99999", ""), ("abc", "")):
        caplog.clear()
        table = parse_bif(parse_rows(f"{header}\n{rows.format(text)}\n".encode(), "x.csv"), "x.csv")
        assert table.loc["XX-Syn", "koppen"] == expected
        assert ("no climate class" in caplog.text) == (text == "abc")
