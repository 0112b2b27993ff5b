"""Files inside archives: read in memory, with limits, and never under a name that the archive chooses."""

import gzip
import io
import logging
import os
import zipfile

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.archives import Member, beside, members, read_member
from dere.ingest.limits import Limits, gunzip
from dere.ingest.tables import read_table
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.towers import read_towers

SHUTTLE = "AMF_US-Syn_FLUXNET_2001-2002_v1.3_r1.zip"
FLUXMET = "AMF_US-Syn_FLUXNET_FLUXMET_MM_2001-2002_v1.3_r1.csv"
POLICY = "Synthetic text, no policy of anybody. Names, with, commas.\n"


def text(table):
    return table.to_csv(index=False)


def bif_text(tmp_path, sites):
    path = tmp_path / "bif.tmp"
    write_bif(path, sites)
    content = path.read_bytes()
    path.unlink()
    return content


def put(path, files, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path


@pytest.fixture
def shuttle(tmp_path):
    """Invented shuttle zip: FLUXMET and SUBSET tables, reanalysis, BIF with semicolons, a policy text."""
    table = synthetic_monthly()
    files = {
        FLUXMET: text(table),
        FLUXMET.replace("FLUXMET", "SUBSET"): text(table.drop(columns="NEE_VUT_REF_JOINTUNC")),
        FLUXMET.replace("FLUXMET_MM", "ERA5_MM"): "TIMESTAMP,TA_ERA\n200101,1\n",
        "AMF_US-Syn_FLUXNET_BIF_v1.3_r1.csv": bif_text(tmp_path, {"US-Syn": (50.0, -90.0, "ENF")}),
        "DATA_POLICY_LICENSE_AND_INSTRUCTIONS.txt": POLICY,
    }
    return put(tmp_path / SHUTTLE, files)


def test_a_shuttle_zip_is_one_tower(shuttle, caplog):
    with caplog.at_level(logging.WARNING):
        towers = read_towers([shuttle.parent], TowerSource())
    assert caplog.text == ""
    assert towers.dataset.site.values.tolist() == ["US-Syn"]
    assert towers.dataset.lat.item() == 50.0 and towers.dataset.igbp.item() == "ENF"
    np.testing.assert_allclose(towers.dataset.nee.values[0], synthetic_monthly()["NEE_VUT_REF"])
    assert towers.dataset.source.item() == f"{SHUTTLE}/{FLUXMET}"
    assert towers.merged["used"].tolist() == [True, False]
    assert towers.provenance["file"].str.startswith(SHUTTLE).all()
    assert towers.provenance["product"].iloc[0] == "FLUXNET shuttle product"


def test_archives_in_an_archive_and_folders_in_archives(tmp_path):
    places = {"BE-Syn": 4, "DE-Syn": 10}

    def icos(site):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr(f"{site}/ICOSETC_{site}_FLUXNET_MM_L2.csv", text(synthetic_monthly()))
            opened.writestr(f"{site}/ICOSETC_{site}_VARINFO_FLUXNET_MM_L2.csv", "VARIABLE,UNIT\nNEE,x\n")
            info = f"SITE_ID,GROUP_ID,VARIABLE,DATAVALUE\n{site},1,LOCATION_LAT,51\n"
            info += f"{site},1,LOCATION_LONG,{places[site]}\n"
            opened.writestr(f"{site}/ICOSETC_{site}_SITEINFO_L2.csv", info + f"{site},2,IGBP,CRO\n")
        return buffer.getvalue()

    outer = {f"ICOSETC_{site}_ARCHIVE_L2.zip": icos(site) for site in places}
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    put(tmp_path / "deep" / "deeper" / "release.zip", outer, zipfile.ZIP_STORED)
    towers = read_towers([tmp_path], TowerSource()).dataset
    assert towers.site.values.tolist() == ["BE-Syn", "DE-Syn"]
    assert towers.network.values.tolist() == ["icos-etc", "icos-etc"] and (towers.igbp == "CRO").all()


def test_compressed_tables_inside_archives(tmp_path):
    content = gzip.compress(text(synthetic_monthly()).encode())
    put(tmp_path / "a.zip", {flx_name("AA-Syn") + ".gz": content})
    found = recognise([tmp_path])
    assert len(read_table(found.towers[0][1], ["TIMESTAMP"])) == 24


@pytest.mark.parametrize("name", [f"../../{flx_name('AA-Syn')}", f"/{flx_name('AA-Syn')}", f"..\\{flx_name('AA-Syn')}"])
def test_names_with_paths_touch_no_other_file(tmp_path, name):
    inner = tmp_path / "in" / "here"
    inner.mkdir(parents=True)
    victim = tmp_path / flx_name("AA-Syn")
    victim.write_text("left alone")
    put(inner / "a.zip", {name: text(synthetic_monthly())})
    write_bif(inner / "FLX_AA-Flx_BIF_MM_20260101.csv", {"AA-Syn": (50.0, 10.0, "ENF")})
    before = sorted(tmp_path.rglob("*"))
    towers = read_towers([inner], TowerSource()).dataset
    assert int(np.isfinite(towers.nee).sum()) == 24
    assert sorted(tmp_path.rglob("*")) == before and victim.read_text() == "left alone"


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path):
    name = flx_name("AA-Syn")
    put(tmp_path / "bomb.zip", {name: b"0" * (40 << 20)})
    (member,) = members(tmp_path / "bomb.zip", Limits())
    with pytest.raises(
        ValueError, match=r"unpacks from \d+ to 41943040 bytes, but at most 20971520 are allowed.*raise"
    ):
        read_member(member)
    (small,) = members(tmp_path / "bomb.zip", Limits(bytes=1 << 20, ratio=1e9))
    with pytest.raises(ValueError, match="at most 1048576 are allowed"):
        read_member(small)
    (allowed,) = members(tmp_path / "bomb.zip", Limits(ratio=1e9))
    assert len(read_member(allowed)) == 40 << 20


def test_limits_are_the_configuration(tmp_path):
    put(tmp_path / "a.zip", {flx_name("AA-Syn"): text(synthetic_monthly())})
    (_, member) = recognise([tmp_path], TowerSource(maximum_member_gb=1e-6, maximum_compression=7)).towers[0]
    assert (member.limits.bytes, member.limits.ratio) == (1073, 7)
    with pytest.raises(ValueError, match="maximum_member_gb"):
        read_table(member)


def test_a_gzip_bomb_is_refused(tmp_path):
    content = gzip.compress(b"0" * (30 << 20))
    with pytest.raises(ValueError, match="bomb unpacks from"):
        gunzip(content, "bomb", Limits(ratio=10))
    assert len(gunzip(content, "fine", Limits(ratio=1e6))) == 30 << 20


def damaged(path, change):
    content = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(content)))
    return path


def test_damaged_archives_end_in_one_sentence(tmp_path):
    name = flx_name("AA-Syn")
    path = put(tmp_path / "a.zip", {name: os.urandom(4000)}, zipfile.ZIP_STORED)
    damaged(path, lambda b: b[:-30])
    with pytest.raises(ValueError, match=r"a\.zip \(\d+ bytes\) cannot be read as a zip archive.*download it again"):
        members(path, Limits())
    path = put(tmp_path / "b.zip", {name: os.urandom(4000)}, zipfile.ZIP_STORED)
    damaged(path, lambda b: b[:1000] + b"\0" * 50 + b[1050:])
    with pytest.raises(ValueError, match=r"b\.zip: 'FLX_AA-Syn.*cannot be unpacked.*CRC.*download it again"):
        read_member(members(path, Limits())[0])


def test_a_directory_that_lies_about_the_size_is_found(tmp_path):
    content = text(synthetic_monthly()).encode()
    path = put(tmp_path / "a.zip", {flx_name("AA-Syn"): content})

    def lie(archive):
        at = archive.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
        archive[at : at + 4] = (len(content) - 100).to_bytes(4, "little")
        return archive

    damaged(path, lie)
    with pytest.raises(ValueError, match="cannot be unpacked"):
        read_member(members(path, Limits())[0])


def test_encrypted_members_are_refused(tmp_path):
    path = put(tmp_path / "a.zip", {flx_name("AA-Syn"): "x,y\n1,2\n"})

    def mark(archive):
        archive[archive.index(b"PK\x03\x04") + 6] |= 1
        archive[archive.rindex(b"PK\x01\x02") + 8] |= 1
        return archive

    damaged(path, mark)
    with pytest.raises(ValueError, match=r"is encrypted.*unpack it by hand"):
        read_member(members(path, Limits())[0])


def test_one_name_twice_and_three_levels(tmp_path):
    with pytest.warns(UserWarning), zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr("x.csv", "1")
        opened.writestr("x.csv", "2")
    with pytest.raises(ValueError, match=r"holds 'x\.csv' twice"):
        members(tmp_path / "a.zip", Limits())
    put(tmp_path / "one.zip", {"x.csv": "1"})
    put(tmp_path / "two.zip", {"one.zip": (tmp_path / "one.zip").read_bytes()})
    put(tmp_path / "three.zip", {"two.zip": (tmp_path / "two.zip").read_bytes()})
    assert [m.stored for m in members(tmp_path / "two.zip", Limits())] == ["x.csv"]
    with pytest.raises(ValueError, match="three levels deep"):
        members(tmp_path / "three.zip", Limits())


def test_a_text_with_the_ending_zip(tmp_path):
    (tmp_path / "a.zip").write_text("no archive")
    with pytest.raises(ValueError, match=r"a\.zip .*cannot be read as a zip archive"):
        recognise([tmp_path])


def test_an_archive_without_anything_known_is_named(tmp_path, caplog):
    put(tmp_path / "other.zip", {"readme.txt": "x", "notes.csv": "x\n1\n"})
    pd.DataFrame({"site": ["AA-Syn"], "lat": [1], "lon": [2]}).to_csv(tmp_path / "sites.csv", index=False)
    with caplog.at_level(logging.WARNING):
        found = recognise([tmp_path])
    assert [path.name for path in found.ignored] == ["other.zip"] and "other.zip: format not recognised" in caplog.text


def test_neighbours(tmp_path):
    put(tmp_path / "a.zip", {"d/x_MM_.csv": "1", "d/x_HH_.csv": "2", "y_HH_.csv": "3"})
    monthly = next(m for m in members(tmp_path / "a.zip", Limits()) if "MM" in m.name)
    assert beside(monthly, "x_HH_.csv") == Member(tmp_path / "a.zip", "d/x_HH_.csv")
    assert beside(monthly, "y_HH_.csv") is None
    (tmp_path / "x_HH_.csv.gz").write_bytes(b"")
    assert beside(tmp_path / "x_MM_.csv", "x_HH_.csv") == tmp_path / "x_HH_.csv.gz"
    assert beside(tmp_path / "x_MM_.csv", "z.csv") is None
