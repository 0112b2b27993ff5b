"""Site metadata of BADM/BIF and plain tables."""

import pandas as pd
import pytest
from ingest_samples import write_bif

from dere.ingest.tower.bif import parse_bif, parse_sites, read_bif, read_listing, read_sites


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
