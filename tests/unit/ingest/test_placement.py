"""Metadata of a site from several sources: field by field, the release whose data are used first."""

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.tower.towers import read_towers

HEADER = "SITE_ID,GROUP_ID,VARIABLE_GROUP,VARIABLE,DATAVALUE\n"
FLX, AMF = "FLX_AA-Flx_BIF_MM_20200501.csv", "AMF_AA-Net_BIF_20221210.csv"


@pytest.fixture
def folder(tmp_path):
    synthetic_monthly().to_csv(tmp_path / flx_name("DE-Syn"), index=False)
    return tmp_path


def towers(folder):
    return read_towers([folder], TowerSource()).dataset


def test_what_one_table_lacks_comes_from_the_next(folder):
    """After aukkola/FluxnetLSM#36 and #22: the class in one table, the place in another, the elevation in a third."""
    (folder / AMF).write_text(f"{HEADER}DE-Syn,1,G,IGBP,ENF\nDE-Syn,2,G,SITE_NAME,own name\n")
    (folder / FLX).write_text(f"{HEADER}DE-Syn,1,G,LOCATION_LAT,50\nDE-Syn,1,G,LOCATION_LONG,10\n")
    (folder / "sites.csv").write_text("site,lat,lon,igbp,elevation,utc_offset\nDE-Syn,50.01,10.01,ENF,321,1\n")
    site = towers(folder).isel(site=0)
    assert (float(site.lat), float(site.lon), str(site.igbp.values)) == (50, 10, "ENF")
    assert (float(site.elevation), float(site.utc_offset)) == (321, 1)


def test_the_release_of_the_data_says_first(folder, caplog):
    """Tables are found in the order of their names, which says nothing about the data."""
    write_bif(folder / AMF, {"DE-Syn": (51.0, 11.0, "GRA")})
    write_bif(folder / FLX, {"DE-Syn": (50.0, 10.0, "ENF")})
    site = towers(folder).isel(site=0)
    assert (float(site.lat), float(site.lon), str(site.igbp.values)) == (50, 10, "ENF")
    lines = [record.getMessage() for record in caplog.records]
    assert any(
        line.startswith("site DE-Syn") and "50.000, 10.000" in line and "51.000, 11.000" in line for line in lines
    )
    assert any(line.startswith("site DE-Syn") and "ENF" in line and "GRA" in line for line in lines)
    (folder / flx_name("DE-Syn")).unlink()
    synthetic_monthly().to_csv(folder / "AMF_DE-Syn_FLUXNET_FULLSET_MM_2001-2002_1-5.csv", index=False)
    assert float(towers(folder).lat[0]) == 51


def test_the_end_of_the_data_decides_between_dated_places(folder):
    rows = "".join(
        f"DE-Syn,{group},GRP_LOCATION,{name},{value}\n"
        for group, lat, day in ((1, 50.5, 20030101), (2, 50.0, 19990101))
        for name, value in (("LOCATION_LAT", lat), ("LOCATION_LONG", 10), ("LOCATION_DATE_START", day))
    )
    (folder / FLX).write_text(HEADER + rows)
    assert float(towers(folder).lat[0]) == 50.0
    (folder / flx_name("DE-Syn")).unlink()
    synthetic_monthly(years=3).to_csv(folder / flx_name("DE-Syn", years=3), index=False)
    assert float(towers(folder).lat[0]) == 50.5


def test_a_class_in_words_in_a_file_of_its_own(tmp_path):
    synthetic_extract("DE-Syn").assign(PFT="Evergreen Needleleaf Forests").to_csv(
        tmp_path / "DE-Syn_MM.csv", index=False
    )
    assert towers(tmp_path).igbp.values.tolist() == ["ENF"]


def test_agreeing_sources_are_not_warned_of(folder, caplog):
    write_bif(folder / AMF, {"DE-Syn": (50.01, 10.01, "Evergreen needleleaf forest")})
    write_bif(folder / FLX, {"DE-Syn": (50.0, 10.0, "ENF")})
    towers(folder)
    assert "the first is taken" not in caplog.text


def test_a_place_that_cannot_be_used_gives_way_to_the_next(folder, caplog):
    write_bif(folder / FLX, {"DE-Syn": (150.0, -10.0, "ENF")})
    (folder / "sites.csv").write_text("site,lat,lon\nDE-Syn,50,10\n")
    assert float(towers(folder).lat[0]) == 50
    assert "they look exchanged: correct the columns; its place in sites.csv is taken" in caplog.text


@pytest.mark.parametrize("elevation", [1e9, -9999])
def test_impossible_elevation_gives_way_to_the_next(folder, elevation):
    (folder / FLX).write_text(
        f"{HEADER}DE-Syn,1,G,LOCATION_LAT,50\nDE-Syn,1,G,LOCATION_LONG,10\nDE-Syn,1,G,LOCATION_ELEV,{elevation}\n"
    )
    assert np.isnan(towers(folder).elevation[0])
    pd.DataFrame({"site": ["DE-Syn"], "lat": 50, "lon": 10, "elevation": 300}).to_csv(folder / "sites.csv", index=False)
    assert float(towers(folder).elevation[0]) == 300


def test_dois_come_from_the_table_that_has_them(folder):
    write_bif(folder / AMF, {"DE-Syn": (50.0, 10.0, "ENF")})
    (folder / FLX).write_text(f"{HEADER}DE-Syn,1,GRP_DOI,DOI,10.17190/AMF/1\n")
    rows = read_towers([folder], TowerSource()).provenance
    assert "10.17190/AMF/1" in rows["site_doi"].tolist()


def test_its_own_file_says_before_the_tables_of_other_releases(tmp_path):
    synthetic_extract("DE-Syn").to_csv(tmp_path / "DE-Syn_MM.csv", index=False)
    write_bif(tmp_path / AMF, {"DE-Syn": (50.2, 10.0, "ENF")})
    site = towers(tmp_path).isel(site=0)
    assert (float(site.lat), str(site.igbp.values), float(site.elevation)) == (50.0, "GRA", 120)
