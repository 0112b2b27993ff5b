"""Tables saved again by a spreadsheet of another locale are read rightly, or the sentence says what is wrong.

Public reports of the kind: supernova1963/eedc-homeassistant#22 (decimal commas), rlguy/Blender-FLIP-Fluids#225
(semicolons and commas in one file).
"""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.archives import Member
from dere.ingest.cover.age_weights import read_site_age_weights
from dere.ingest.simulation.process_model_drivers import parse_co2
from dere.ingest.tables import read_table, read_text
from dere.ingest.tower.bif import read_bif, read_sites
from dere.ingest.tower.site_citations import read_site_citations
from dere.ingest.tower.towers import read_towers

PLAIN = synthetic_monthly().round(4).to_csv(index=False, lineterminator="\r\n")
GERMAN = PLAIN.replace(",", ";").replace(".", ",")


def dressed(path, content):
    path.write_bytes(content)
    return path


DRESSES = {
    "semicolons": PLAIN.replace(",", ";").encode(),
    "tabs": PLAIN.replace(",", "\t").encode(),
    "bars": PLAIN.replace(",", "|").encode(),
    "stated semicolon": b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
    "mark and stated comma": b"\xef\xbb\xbfsep=,\r\n" + PLAIN.encode(),
    "UTF-8 with a mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "UTF-16 with a mark": PLAIN.encode("utf-16"),
    "UTF-16 with tabs": PLAIN.replace(",", "\t").encode("utf-16"),
    "UTF-16 low byte first": PLAIN.encode("utf-16-le"),
    "UTF-16 high byte first": PLAIN.encode("utf-16-be"),
    "UTF-32": PLAIN.encode("utf-32"),
    "CR": PLAIN.replace("\r\n", "\r").encode(),
    "CR CR LF": PLAIN.replace("\r\n", "\r\r\n").encode(),
    "CR in UTF-16": PLAIN.replace("\r\n", "\r").encode("utf-16"),
    "LF, then CR": PLAIN.replace("\r\n", "\n", 5).replace("\r\n", "\r").encode(),
}


@pytest.mark.parametrize("dress", DRESSES)
def test_one_way_to_read_is_taken(tmp_path, dress):
    path = dressed(tmp_path / "a.csv", DRESSES[dress])
    expected = read_table(dressed(tmp_path / "plain.csv", PLAIN.encode()))
    pd.testing.assert_frame_equal(read_table(path), expected)
    assert len(expected) == 24 and expected["TA_F"].iloc[0] == -2.0


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            GERMAN.encode(),
            r"separated by semicolons and has decimal commas \('-?\d+,\d+' in row 2\).*save it with commas",
        ),
        (("\ufeff" + GERMAN).encode(), "semicolons and has decimal commas"),
        (GERMAN.replace(";", "\t").encode("utf-16"), "separated by tabs and has decimal commas"),
        (GERMAN.replace("\r\n", "\r").encode(), "semicolons and has decimal commas"),
        (b'"a";"b"\n"1";"2,5"\n', r"decimal commas \('2,5' in row 2\)"),
        (b"a;b\n1;2\n3;2,5", r"decimal commas \('2,5' in row 3\)"),
        (b"a (x, y);b;c\n1;2;3\n3;-1.234,5;4", r"semicolons and has decimal commas \('-1\.234,5' in row 3\)"),
        (b'a,b\n1,"2,5"\n2,"3,5"\n', r"column b has decimal commas \('2,5'\), but decimal points are expected"),
        (b"a,b\n1,2,5\n2,3,5\n3,4,5\n", "row 2 has 3 columns, but the header has 2; most rows are longer"),
        (b"a,b,c\n1;2;3\n4;5;6\n", "row 2 has 1 columns.*header is separated by commas and the row by semicolons"),
        (PLAIN.encode("utf-16")[:-1], "encoding UTF-16 but damaged.*truncated data at byte"),
        (b"a,b\n1,2\n\0\0\0\0\0\0\n", r"zero byte at 8 of 15.*damaged"),
        (b"PK\x03\x04" + bytes(50), "named like a table, but it is a zip archive or an xlsx workbook; give it"),
        (b"\x89HDF\r\n\x1a\n", "but it is a NetCDF-4 or HDF5 file"),
        (b"\n<!DOCTYPE html><html>", "but it is a web page, perhaps of a login"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "but it is compressed with gzip"),
        ("a,b\n1,Hyytiälä\n".encode("latin-1"), r"not in the encoding UTF-8 \(byte 0xe4 in row 2\); save it again"),
    ],
    ids=range(17),
)
def test_what_is_wrong_is_said_before_columns_are_counted(tmp_path, content, sentence):
    path = dressed(tmp_path / "a.csv", content)
    with pytest.raises(ValueError, match=sentence) as caught:
        read_table(path)
    assert "a.csv" in str(caught.value) and "it is truncated" not in str(caught.value)


def test_a_column_may_be_called_like_the_first_bytes_of_a_format(tmp_path):
    assert read_table(dressed(tmp_path / "a.csv", b"PAR1,BZh\n1,2\n"))["PAR1"].tolist() == [1]


def test_text_with_commas_between_semicolons_is_no_decimal_comma(tmp_path):
    path = dressed(tmp_path / "a.csv", b"site;about;n\nAA-Syn;dry, open;1\nBB-Syn;from 1,5 to 2,5 m;2\n")
    assert read_table(path)["n"].tolist() == [1, 2]


def test_a_cell_of_text_in_a_workbook(tmp_path):
    pd.DataFrame({"a": ["1,5", "2,5"]}).to_excel(tmp_path / "a.xlsx", index=False)
    with pytest.raises(ValueError, match="column a has decimal commas"):
        read_table(tmp_path / "a.xlsx")


def test_inside_archives_and_compressed(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr("b.csv", GERMAN)
        opened.writestr("c.csv.gz", gzip.compress(PLAIN.encode("utf-16")))
    with pytest.raises(ValueError, match=r"a\.zip: 'b\.csv' is separated by semicolons and has decimal commas"):
        read_table(Member(tmp_path / "a.zip", "b.csv"))
    assert len(read_table(Member(tmp_path / "a.zip", "c.csv.gz"))) == 24


def test_site_tables_bif_and_citations_in_other_dresses(tmp_path):
    sites = {"AA-Syn": (50.5, 10.25, "ENF"), "BB-Syn": (-1.5, 20.0, "GRA")}
    write_bif(tmp_path / "bif.csv", sites)
    plain = read_bif(tmp_path / "bif.csv")
    text = (tmp_path / "bif.csv").read_bytes().decode("latin-1")
    for content in (text.replace(";", "\t").encode("utf-16"), text.replace("\n", "\r").encode("latin-1")):
        pd.testing.assert_frame_equal(read_bif(dressed(tmp_path / "bif.csv", content)), plain)
    table = "site\tlat\tlon\nAA-Syn\t50.5\t10.25\n"
    assert read_sites(dressed(tmp_path / "sites.csv", table.encode("utf-16")))["lat"].tolist() == [50.5]
    with pytest.raises(ValueError, match=r"sites\.csv is separated by tabs and has decimal commas \('50,5' in row 2\)"):
        read_sites(dressed(tmp_path / "sites.csv", table.replace(".", ",").encode("utf-16")))
    with pytest.raises(ValueError, match=r"bif\.csv: column lat has decimal commas \('50,5'\)"):
        read_bif(dressed(tmp_path / "bif.csv", text.replace(".", ",").encode("latin-1")))
    cited = dressed(tmp_path / "c.csv", "# own\nsite_id\tdoi\tcitation\nAA-Syn\t10.1/x\ta, b\n".encode("utf-16"))
    assert read_site_citations(cited)["citation"].tolist() == ["a, b"]


def test_weights_and_co2_in_other_dresses(tmp_path):
    table = "SITE_ID;weight_1;weight_2\nAA-Syn;0.25;0.75\n"
    read = read_site_age_weights(dressed(tmp_path / "w.csv", table.encode("utf-16")), (1, 20))
    np.testing.assert_array_equal(read["age_weight"], [[0.25, 0.75]])
    with pytest.raises(ValueError, match="decimal commas"):
        read_site_age_weights(dressed(tmp_path / "w.csv", table.replace(".", ",").encode()), (1, 20))
    assert (
        parse_co2(read_text(dressed(tmp_path / "co2.txt", "2000 369\r2001 371\r".encode("utf-16"))), "f")[24012] == 371
    )


def test_a_tower_folder_is_refused_with_the_remedy(tmp_path):
    write_bif(tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv", {"AA-Syn": (50.0, 10.0, "ENF")})
    path = dressed(tmp_path / flx_name("AA-Syn"), GERMAN.encode())
    with pytest.raises(ValueError, match=r"decimal commas.*save it with commas between columns and points"):
        read_towers([tmp_path], TowerSource())
    dressed(path, PLAIN.replace(",", ";").encode("utf-16"))
    found = read_towers([tmp_path], TowerSource()).dataset
    np.testing.assert_allclose(found["nee"].values[0], synthetic_monthly()["NEE_VUT_REF"], atol=1e-4)
