"""A fault of one site costs that site and no other, whatever it is; all such faults are listed at once."""

import re
import zipfile

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.tower.faults import SiteFault, each_site, fault_of, site_of
from dere.ingest.tower.towers import read_towers

SITES = ("DE-Aaa", "DE-Bbb", "DE-Ccc")


def put(folder, site, table, name=None):
    folder.mkdir(exist_ok=True, parents=True)
    table.to_csv(folder / (name or flx_name(site)), index=False)


@pytest.fixture
def folder(tmp_path):
    for site in SITES:
        put(tmp_path, site, synthetic_monthly())
    pd.DataFrame({"site": SITES, "lat": 50.0, "lon": [10.0, 11.0, 12.0], "igbp": "ENF"}).to_csv(
        tmp_path / "sites.csv", index=False
    )
    return tmp_path


def no_pressure(folder):
    put(folder, "DE-Bbb", synthetic_monthly().drop(columns=["PA_F", "PA_F_QC", "PA_ERA"]))


def cut(folder):
    path = folder / flx_name("DE-Bbb")
    path.write_bytes(path.read_bytes()[:-40])


def wrong_stamps(folder):
    table = synthetic_monthly()
    put(folder, "DE-Bbb", table.assign(TIMESTAMP=table["TIMESTAMP"].iloc[::-1].to_numpy()))


def wrong_unit(folder):
    table = synthetic_monthly()
    put(folder, "DE-Bbb", table.assign(TA_F=table["TA_F"] + 273.15))


def text(folder):
    put(folder, "DE-Bbb", synthetic_monthly().astype({"WS_F": object}).assign(WS_F="calm"))


def exchanged(folder):
    sites = pd.read_csv(folder / "sites.csv")
    sites.loc[1, ["lat", "lon"]] = [150.0, -10.0]
    sites.to_csv(folder / "sites.csv", index=False)


def other_half(folder):
    sites = pd.read_csv(folder / "sites.csv")
    sites.loc[1, "lat"] = -50.0
    sites.to_csv(folder / "sites.csv", index=False)


def listed_twice(folder):
    sites = pd.read_csv(folder / "sites.csv")
    pd.concat([sites, sites.iloc[[1]]]).to_csv(folder / "sites.csv", index=False)


def damaged_archive(folder):
    (folder / flx_name("DE-Bbb")).unlink()
    with zipfile.ZipFile(folder / "FLX_DE-Bbb_FLUXNET2015_FULLSET_2001-2002_1-4.zip", "w") as archive:
        archive.writestr(flx_name("DE-Bbb"), synthetic_monthly().to_csv(index=False))
    path = folder / "FLX_DE-Bbb_FLUXNET2015_FULLSET_2001-2002_1-4.zip"
    path.write_bytes(path.read_bytes()[:-30])


FAULTS = {
    no_pressure: "has neither column PA_F nor PA_ERA",
    cut: "ends with a row of",
    wrong_stamps: "months must increase",
    wrong_unit: "column TA_F has median",
    text: "column WS_F holds 'calm'",
    exchanged: "they look exchanged",
    other_half: "shortwave does not fit latitude -50",
    listed_twice: "lists site DE-Bbb more than once",
    damaged_archive: "FLX_DE-Bbb",
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda spoil: spoil.__name__)
def test_the_other_sites_are_read(folder, spoil, caplog):
    """After aukkola/FluxnetLSM#66 and geco-bern/FluxDataKit#57."""
    spoil(folder)
    towers = read_towers([folder], TowerSource())
    assert towers.dataset.site.values.tolist() == ["DE-Aaa", "DE-Ccc"]
    assert np.isfinite(towers.dataset.nee.values).all()
    assert re.search(f"{FAULTS[spoil]}.*; site DE-Bbb is dropped", caplog.text)
    assert "1 of 3 sites are dropped for faults: DE-Bbb" in caplog.text
    rows = towers.provenance[towers.provenance["site"] == "DE-Bbb"]
    assert len(rows) == 1 and rows["role"].iloc[0].startswith("dropped: ") and FAULTS[spoil] in rows["role"].iloc[0]


def test_all_faults_are_listed_at_once(folder, caplog):
    no_pressure(folder)
    put(folder, "DE-Ccc", synthetic_monthly().drop(columns=["TA_F", "TA_ERA"]))
    assert read_towers([folder], TowerSource()).dataset.site.values.tolist() == ["DE-Aaa"]
    assert "neither column PA_F" in caplog.text and "neither column TA_F" in caplog.text
    assert "2 of 3 sites are dropped for faults: DE-Bbb, DE-Ccc" in caplog.text


def test_no_site_left_ends_with_the_sentence(folder, caplog):
    for site in SITES:
        put(folder, site, synthetic_monthly().drop(columns=["PA_F", "PA_ERA"]))
    with pytest.raises(ValueError, match=r"DE-Aaa.*neither column PA_F.*; no site is left, 2 more faults are listed"):
        read_towers([folder], TowerSource())
    assert all(re.search(f"{site}.*neither column PA_F", caplog.text) for site in SITES)
    for site in SITES[1:]:
        (folder / flx_name(site)).unlink()
    with pytest.raises(ValueError, match=r"^FLX_DE-Aaa.*neither column PA_F.*SUBSET file of the site$"):
        read_towers([folder], TowerSource())


def test_a_file_at_fault_leaves_the_site_its_other_file(folder, caplog):
    put(folder, "DE-Bbb", synthetic_extract("DE-Bbb").drop(columns=["PA_F", "PA_ERA"]), "DE-Bbb_MM.csv")
    towers = read_towers([folder], TowerSource())
    assert towers.dataset.site.values.tolist() == list(SITES)
    assert re.search(r"DE-Bbb_MM\.csv.*PA_F.*; the file is dropped", caplog.text)
    role = towers.provenance.set_index("file").loc["DE-Bbb_MM.csv", "role"]
    assert role.startswith("dropped: ") and "PA_F" in role


def test_metadata_of_one_site_costs_that_site_and_of_all_sites_the_run(folder):
    (folder / "ICOSETC_DE-Bbb_SITEINFO_L2.csv").write_text("SITE_ID,GROUP_ID,VARIABLE,DATAVALUE\nDE-Bbb,1\n")
    assert read_towers([folder], TowerSource()).dataset.sizes["site"] == 3
    sites = pd.read_csv(folder / "sites.csv")
    sites[sites["site"] != "DE-Bbb"].to_csv(folder / "sites.csv", index=False)
    towers = read_towers([folder], TowerSource())
    assert towers.dataset.site.values.tolist() == ["DE-Aaa", "DE-Ccc"]
    assert "it is truncated" in towers.provenance.set_index("file").loc[flx_name("DE-Bbb"), "role"]
    write_bif(folder / "FLX_AA-Flx_BIF_MM_20260101.csv", {"DE-Bbb": (50.0, 11.0, "ENF")})
    with (folder / "FLX_AA-Flx_BIF_MM_20260101.csv").open("a") as table:
        table.write("DE-Bbb;1\n")
    with pytest.raises(ValueError, match=r"FLX_AA-Flx_BIF.*it is truncated"):
        read_towers([folder], TowerSource())


def test_a_fault_of_the_program_is_none_of_a_site():
    with pytest.raises(ValueError, match="could not convert"), fault_of("DE-Aaa", []):
        np.array(["x"]).astype(float)


def test_each_site_of_one_file():
    def read(site):
        if site == "DE-Bbb":
            return read_towers([], TowerSource(paths=(site,)))
        return [site]

    with pytest.raises(ValueError, match="hold site metadata"):
        each_site(["DE-Bbb"], read)
    assert each_site(SITES, read)[:2] == ["DE-Aaa", "DE-Ccc"]
    assert isinstance(each_site(SITES, read)[2], SiteFault)


@pytest.mark.parametrize(
    ("name", "site"),
    [
        (flx_name("DE-Hai"), "DE-Hai"), ("DE-Hai_MM.csv", "DE-Hai"),
        ("AMF_US-Ha1_FLUXNET_BIF_1991-2020_v3_r7.csv", "US-Ha1"),
        ("FLX_DK-ZaH_x.csv", "GL-ZaH"), ("FLX_AA-Flx_BIF_MM_1.csv", ""), ("carbonsense_v2.sql", ""),
        ("DE-Hai_DE-Tha.csv", ""), ("ICOSETC_BE-Vie_SITEINFO_L2.csv", "BE-Vie"), ("sites.csv", ""),
    ],
)  # fmt: skip
def test_site_of_a_name(name, site):
    assert site_of(name) == site
