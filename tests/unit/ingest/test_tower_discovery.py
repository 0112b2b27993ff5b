"""What lies in the folders of towers besides plain tables: compressed files, archives of a Mac, names in capitals."""

import gzip
import logging
import pickle

import pandas as pd
import pytest
from ingest_samples import flx_name, put, synthetic_monthly, text, write_bif

from dere.config.towers import TowerSource
from dere.ingest.archives import beside, limits_of, members, with_limits
from dere.ingest.limits import BeyondLimit, Limits
from dere.ingest.tables import read_bytes
from dere.ingest.tower.bif import read_bif
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.towers import read_towers

BIF = "FLX_AA-Flx_BIF_MM_20260101.csv"
INNER = "FLX_BB-Syn_FLUXNET2015_FULLSET_MM_2003-2004_1-4.csv"
SHUTTLE = "AMF_US-Syn_FLUXNET_2001-2002_v1.3_r1.zip"
FLUXMET = "AMF_US-Syn_FLUXNET_FLUXMET_MM_2001-2002_v1.3_r1.csv"


def test_limits_hold_outside_of_archives_too(tmp_path):
    """The sentence names the settings, and they count: for csv.gz and xlsx in a folder, through every reader."""
    table = tmp_path / f"{flx_name('AA-Syn')}.gz"
    table.write_bytes(gzip.compress(text(synthetic_monthly()).encode()))
    sites = tmp_path / "AMF_AA-Flx_FLUXNET-BIF_CCBY4_20260101.xlsx"
    rows = [("AA-Syn", "LOCATION_LAT", 50), ("AA-Syn", "LOCATION_LONG", 10)]
    pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]).to_excel(sites, index=False)
    assert read_towers([tmp_path], TowerSource()).dataset.sizes["site"] == 1
    strict = TowerSource(maximum_member_gb=1e-6)
    found = recognise([tmp_path], strict)
    ((form, file),), ((about, metadata),) = found.towers, found.metadata
    assert (file, metadata) == (table, sites)
    with pytest.raises(ValueError, match=r"csv\.gz unpacks from \d+ to 1074 bytes, but at most 1073 are allowed"):
        form.reader()(file, strict)
    with pytest.raises(ValueError, match=r"xlsx unpacks from \d+ to \d+ bytes, but at most 1073 are allowed"):
        about.reader()(metadata)
    with pytest.raises(ValueError, match=r"raise sources\.towers\.maximum_member_gb"):
        read_towers([tmp_path], strict)


def test_a_file_beyond_the_limits_ends_the_run_and_costs_no_site(tmp_path):
    """A site that was dropped for them would stay dropped when they are raised, which reruns nothing."""
    for site, times in (("AA-Syn", 1), ("BB-Syn", 40)):
        table = pd.concat([synthetic_monthly()] * times)
        (tmp_path / f"{flx_name(site)}.gz").write_bytes(gzip.compress(text(table).encode()))
    with pytest.raises(ValueError, match=r"BB-Syn.*gz unpacks from \d+ to \d+ bytes.*take it away") as refused:
        read_towers([tmp_path], TowerSource(maximum_member_gb=2 * len(text(synthetic_monthly())) / 2**30))
    assert isinstance(refused.value, BeyondLimit)


def test_raised_limits_admit_a_large_file(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a\n" + b"0\n" * (15 << 20)))
    with pytest.raises(ValueError, match="raise sources"):
        read_bytes(path)
    assert len(read_bytes(with_limits(path, Limits(ratio=2000)))) == (30 << 20) + 2
    limited = with_limits(path, Limits(7, 8))
    assert limits_of(beside(limited, "a.csv")) == Limits(7, 8) and limits_of(path) == Limits()
    assert limits_of(pickle.loads(pickle.dumps(limited))) == Limits(7, 8)
    assert limited == path and hash(limited) == hash(path) and {path: 1}[limited] == 1


def mac(files):
    """Members as the Finder packs them: each file has a twin of attributes."""
    twins = {f"__MACOSX/{folder}._{name}": b"\0\5\x16\7 attributes" for folder, name in
             ((path[: path.rfind("/") + 1], path.split("/")[-1]) for path in files)}  # fmt: skip
    return files | twins | {"a/.DS_Store": b"\0\0\0\1Bud1", "a/._x.zip": b"no archive"}


def test_attributes_of_a_mac_are_no_tables(tmp_path, caplog):
    """Twins of tables, of metadata and of archives inside the archive."""
    inner = put(tmp_path / "inner.zip", mac({INNER: text(synthetic_monthly(2003))})).read_bytes()
    (tmp_path / "inner.zip").unlink()
    sites = {"AA-Syn": (50.0, 10.0, "ENF"), "BB-Syn": (50.0, 11.0, "ENF")}
    write_bif(tmp_path / BIF, sites)
    files = {
        f"a/{flx_name('AA-Syn')}": text(synthetic_monthly()),
        "a/AMF_AA_BIF.csv": (tmp_path / BIF).read_bytes(),
        "a/inner.zip": inner,
    }
    (tmp_path / BIF).unlink()
    path = put(tmp_path / "mac.zip", mac(files))
    assert [m.name for m in members(path, Limits())] == [flx_name("AA-Syn"), "AMF_AA_BIF.csv", INNER]
    with caplog.at_level(logging.WARNING):
        towers = read_towers([tmp_path], TowerSource())
    assert towers.dataset.site.values.tolist() == ["AA-Syn", "BB-Syn"] and caplog.text == ""
    assert len(towers.provenance) == 3


def test_endings_in_capitals(tmp_path, caplog):
    """Some tools write them so; what is not read is named."""
    files = {flx_name("AA-Syn").upper().replace("AA-SYN", "AA-Syn"): text(synthetic_monthly())}
    put(tmp_path / "TOWERS.ZIP", files)
    content = gzip.compress(text(synthetic_monthly()).encode())
    (tmp_path / flx_name("BB-Syn").replace(".csv", ".CSV.GZ")).write_bytes(content)
    write_bif((tmp_path / BIF).with_suffix(".CSV"), {"AA-Syn": (50.0, 10.0, "ENF"), "BB-Syn": (50.0, 11.0, "ENF")})
    (tmp_path / "OTHER.CSV").write_text("x\n1\n")
    with caplog.at_level(logging.WARNING):
        towers = read_towers([tmp_path], TowerSource())
    assert towers.dataset.site.values.tolist() == ["AA-Syn", "BB-Syn"]
    assert caplog.messages == ["OTHER.CSV: format not recognised, ignored"]
    workbook = tmp_path / "FLX_AA-Flx_BIF_MM_20260102.XLSX"
    rows = [("AA-Syn", "LOCATION_LAT", 1.5), ("AA-Syn", "LOCATION_LONG", 2)]
    with workbook.open("wb") as stream:
        pd.DataFrame(rows, columns=["SITE_ID", "VARIABLE", "DATAVALUE"]).to_excel(stream, index=False)
    assert read_bif(workbook).loc["AA-Syn", "lat"] == 1.5


@pytest.mark.parametrize("kind", ["shuttle zip", "AmeriFlux workbook", "ICOS site information"])
def test_the_time_zone_of_every_kind_of_metadata_reaches_the_towers(tmp_path, kind):
    rows = [("LOCATION_LAT", "50"), ("LOCATION_LONG", "-90"), ("IGBP", "ENF"), ("UTC_OFFSET", "-6")]
    table = pd.DataFrame([("US-Syn", 1, "GRP", *row) for row in rows],
                         columns=["SITE_ID", "GROUP_ID", "VARIABLE_GROUP", "VARIABLE", "DATAVALUE"])  # fmt: skip
    if kind == "shuttle zip":
        files = {FLUXMET: text(synthetic_monthly()), "AMF_US-Syn_FLUXNET_BIF_v1.3_r1.csv": text(table)}
        put(tmp_path / SHUTTLE, files)
    elif kind == "AmeriFlux workbook":
        synthetic_monthly().to_csv(tmp_path / "AMF_US-Syn_FLUXNET_FULLSET_MM_2001-2002_3-5.csv", index=False)
        table.to_excel(tmp_path / "AMF_AA-Flx_FLUXNET-BIF_CCBY4_20260101.xlsx", index=False)
    else:
        synthetic_monthly().to_csv(tmp_path / "ICOSETC_US-Syn_FLUXNET_MM_L2.csv", index=False)
        table.drop(columns="VARIABLE_GROUP").to_csv(tmp_path / "ICOSETC_US-Syn_SITEINFO_L2.csv", index=False)
    assert read_towers([tmp_path], TowerSource()).dataset.utc_offset.values.tolist() == [-6.0]
