"""One tower under two site codes is one site; masts beside each other are not."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, read_one, synthetic_extract, synthetic_monthly

from dere.config.towers import TowerSource
from dere.ingest.tower.towers import read_towers
from dere.ingest.tower.twins import agreement

OLD, NEW = "DK-NuF", "GL-NuF"
NEW_FILE = f"ICOSETC_{NEW}_FLUXNET_MM_L2.csv"
OLD_FILE = flx_name(OLD, 2008, 4)


def varied(first_year, years, shift=0.0, noise=0.0):
    """A record whose years differ, so that agreement means something; calendar years give the same numbers again."""
    table = synthetic_monthly(first_year, years)
    year = table["TIMESTAMP"] // 100
    level = np.array([np.random.default_rng(int(y)).normal(0, 0.5) for y in year]) + shift
    table["NEE_VUT_REF"] += level + noise * np.random.default_rng(5).normal(size=len(table))
    for name in ("RECO_NT_VUT_REF", "RECO_DT_VUT_REF"):
        table[name] += table["NEE_VUT_REF"] - (table["RECO_NT_VUT_REF"] - 0.01 - table["GPP_NT_VUT_REF"])
    return table


def write(folder, tables, places):
    for name, table in tables.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(folder / name, index=False)
    rows = [(site, lat, lon, igbp) for site, (lat, lon, igbp) in places.items()]
    pd.DataFrame(rows, columns=["site", "lat", "lon", "igbp"]).to_csv(folder / "sites.csv", index=False)
    return folder


@pytest.fixture
def renamed(tmp_path):
    """An old release under the old code and a new one that starts with the same years, 600 m beside it."""
    tables = {OLD_FILE: varied(2008, 4), NEW_FILE: varied(2008, 8, noise=0.01)}
    return write(tmp_path, tables, {OLD: (50.0, 10.0, "WET"), NEW: (50.005, 10.001, "")})


def test_two_codes_of_one_tower_are_one_site(renamed, caplog):
    """geco-bern/FluxDataKit#90: a station that changes its code counted twice, in training and in the scores."""
    towers, provenance, merged = read_towers([renamed], TowerSource())
    assert towers.site.values.tolist() == [NEW] and towers.other_codes.values.tolist() == [OLD]
    assert int(np.isfinite(towers.nee).sum()) == 96
    np.testing.assert_allclose(towers.nee.values[0], varied(2008, 8, noise=0.01)["NEE_VUT_REF"])
    assert f"{OLD} is {NEW} (48 common months" in caplog.text
    assert towers.igbp.item() == "WET"  # only the old code has a class
    assert merged["site"].tolist() == [NEW, NEW] and merged["used"].tolist() == [True, False]
    assert f"{OLD} is {NEW}" in merged["reason"][1]
    role = provenance.set_index("file").loc[OLD_FILE, "role"]
    assert role.startswith("superseded by") and role.endswith(f"({OLD} is {NEW})")


def test_newest_processing_decides_the_code_not_the_alphabet(tmp_path):
    """PecanProject/pecan#2027: US-SCm became US-CZ3, version 3-6 of a product goes before 3-5."""
    tables = {
        "AMF_US-SCm_FLUXNET_FULLSET_MM_2008-2009_3-5.csv": varied(2008, 2),
        "AMF_US-CZ3_FLUXNET_FULLSET_MM_2008-2011_3-6.csv": varied(2008, 4),
    }
    towers = read_towers(
        [write(tmp_path, tables, dict.fromkeys(("US-SCm", "US-CZ3"), (50.0, 10.0, "ENF")))], TowerSource()
    )
    assert towers.dataset.site.values.tolist() == ["US-CZ3"]


def test_files_of_one_release_under_both_codes_are_one_site_too(tmp_path):
    """Product and version are alike, so the record that ends later counts."""
    tables = {flx_name("AA-Old", 2008, 4): varied(2008, 4), flx_name("AA-New", 2008, 6): varied(2008, 6)}
    towers = read_towers(
        [write(tmp_path, tables, dict.fromkeys(("AA-Old", "AA-New"), (50.0, 10.0, "ENF")))], TowerSource()
    )
    assert towers.dataset.site.values.tolist() == ["AA-New"]


def test_three_codes_of_one_tower(tmp_path):
    """The first and the third have no month in common; the second links them."""
    names = {"AA-One": (2001, 3), "AA-Two": (2002, 5), "AA-Thr": (2005, 4)}
    tables = {flx_name(site, *span): varied(*span) for site, span in names.items()}
    towers, _, merged = read_towers([write(tmp_path, tables, dict.fromkeys(names, (50.0, 10.0, "ENF")))], TowerSource())
    assert towers.site.values.tolist() == ["AA-Thr"] and towers.other_codes.values.tolist() == ["AA-One AA-Two"]
    assert len(merged) == 3


@pytest.mark.parametrize(
    ("other", "place"),
    [
        pytest.param(varied(2008, 8, shift=0.3), (50.0, 10.0), id="another mast, correlated"),
        pytest.param(varied(2008, 8, noise=0.5), (50.0, 10.0), id="another mast, same level"),
        pytest.param(varied(2008, 8), (50.02, 10.0), id="same months two kilometres away"),
    ],
)
def test_neither_distance_nor_months_alone_merge(tmp_path, other, place, caplog):
    caplog.set_level(logging.INFO)
    tables = {OLD_FILE: varied(2008, 4), NEW_FILE: other}
    towers = read_towers(
        [write(tmp_path, tables, {OLD: (50.0, 10.0, "WET"), NEW: (*place, "WET")})], TowerSource()
    ).dataset
    assert towers.site.values.tolist() == [OLD, NEW] and "other_codes" not in towers.coords
    near = place == (50.0, 10.0)
    assert (f"{OLD} and {NEW} (48 common months" in caplog.text) == near


def test_codes_without_common_months_stay_apart_with_a_warning(tmp_path, caplog):
    tables = {OLD_FILE: varied(2008, 4), NEW_FILE: varied(2012, 4)}
    towers = read_towers([write(tmp_path, tables, dict.fromkeys((OLD, NEW), (50.0, 10.0, "WET")))], TowerSource())
    assert towers.dataset.site.values.tolist() == [OLD, NEW]
    assert (
        "nothing shows whether each is one tower under two codes" in caplog.text and f"{OLD} and {NEW}" in caplog.text
    )


def test_satellites_of_the_extract_come_under_either_code(tmp_path):
    tables = {
        f"extract/{OLD}_MM.csv": synthetic_extract(OLD, 4),
        f"ICOSETC_{NEW}_FLUXNET_MM_L2.csv": synthetic_monthly(2001, 6),
    }
    places = dict.fromkeys((OLD, NEW), (50.0, 11.0, "GRA"))
    towers, provenance, _ = read_towers([write(tmp_path, tables, places)], TowerSource(use_satellites=True))
    assert towers.site.values.tolist() == [NEW]
    np.testing.assert_allclose(towers.lai_satellite.values[0, :12], np.arange(1, 13) / 2)
    assert towers.koppen.item() == "Temperate"
    assert provenance.set_index("file").loc[f"{OLD}_MM.csv", "role"].startswith("satellites only; superseded by")


def test_a_citation_under_the_old_code_is_that_of_the_tower(renamed):
    """Only the old code has a DOI for the product that is read."""
    bif = "SITE_ID,GROUP_ID,VARIABLE_GROUP,VARIABLE,DATAVALUE\n"
    (renamed / "FLX_AA-Flx_BIF_MM_20260101.csv").write_text(f"{bif}{OLD},1,GRP_DOI,DOI,10.1234/old\n")
    provenance = read_towers([renamed], TowerSource()).provenance.set_index("file")
    assert provenance.loc[NEW_FILE, "site_doi"] == "10.1234/old"


def test_agreement_needs_a_correlation_that_exists(renamed):
    record = read_one(renamed / OLD_FILE)
    constant = replace(record, values=record.values | {"nee": np.zeros(48)})
    assert agreement(record, record).same
    assert not agreement(constant, constant).same
    assert agreement(record, replace(record, values={})).months == 0
