"""The 44-column extract: satellite months restored, RECO by construction left out."""

import numpy as np
import pytest
from ingest_samples import synthetic_extract

from dere.ingest.tower.fluxnet_extract.table import parse, read_extract, restore_months


def test_satellite_months_are_restored():
    record = parse(synthetic_extract(years=3), "XX-Syn_MM.csv")
    np.testing.assert_allclose(record.values["lai_satellite"], np.tile(np.arange(1, 13), 3) / 2)
    np.testing.assert_allclose(record.values["evi_satellite"], np.tile(np.arange(1, 13), 3) / 20)
    assert record.counts["lai_satellite_months"] == 36


def test_fluxes_and_weather_stay_in_their_months():
    table = synthetic_extract()
    record = parse(table, "f")
    np.testing.assert_array_equal(record.values["gpp_nt"], table["GPP_NT_VUT_REF"])
    np.testing.assert_array_equal(record.values["air_temperature"], table["TA_F"])


def test_incomplete_years_have_no_known_order():
    months = np.arange(24012, 24012 + 18)
    restored = restore_months(np.arange(18.0), months)
    assert np.isfinite(restored[:12]).all() and np.isnan(restored[12:]).all()
    assert restored[[0, 9, 1]].tolist() == [0.0, 1.0, 4.0]


def test_reco_of_the_extract_is_no_second_opinion():
    assert np.isnan(parse(synthetic_extract(), "f").values["reco_nt"]).all()


def test_about_the_site_and_alias():
    record = parse(synthetic_extract("NO-Adv", lat=60.0), "f")
    assert (record.site, record.lat, record.lon, record.igbp, record.koppen) == (
        "SJ-Adv",
        60.0,
        11.0,
        "GRA",
        "Temperate",
    )


def test_equator_is_a_latitude_and_text_is_none():
    assert parse(synthetic_extract(lat=0.0), "f").lat == 0.0
    table = synthetic_extract()
    table["Lon"] = "east"
    with pytest.raises(ValueError, match="column Lon holds 'east'"):
        parse(table, "f")


def test_two_sites_in_one_file():
    table = synthetic_extract()
    table.loc[3, "Site"] = "YY-Syn"
    with pytest.raises(ValueError, match="column Site holds 2 values"):
        parse(table, "f.csv")


def test_missing_column():
    with pytest.raises(ValueError, match=r"f\.csv has no column Lat"):
        parse(synthetic_extract().drop(columns="Lat"), "f.csv")


def test_wrong_lai_unit():
    table = synthetic_extract()
    table["LAI"] *= 10
    with pytest.raises(ValueError, match="column LAI has median"):
        parse(table, "f.csv")


def test_name_and_content_disagree(tmp_path):
    path = tmp_path / "YY-Syn_MM.csv"
    synthetic_extract("XX-Syn").to_csv(path, index=False)
    with pytest.raises(ValueError, match="column Site says XX-Syn, but the file is named after YY-Syn"):
        read_extract(path)
