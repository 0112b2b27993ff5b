"""Months of one's own are read in any order and unit that is known; what is wrong is a sentence."""

import numpy as np
import pytest
import xarray as xr

from dere.ingest.tower.own_months import read_own_months


def written(tmp_path, text, name="own.csv"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_months_are_read_in_order_with_units_and_quality(tmp_path):
    header = "site,month,gpp [umolCO2 m-2 s-1],reco,quality,note"
    text = f"{header}\nA,2001-03,2,3,0.5,x\nA,2001-01,1,-9999,,y\nB,200102,,2,1,\n"
    found = read_own_months(written(tmp_path, text))
    assert list(found) == ["A", "B"] and list(found["A"].flux) == ["gpp", "reco"]
    np.testing.assert_array_equal(found["A"].month, [2001 * 12, 2001 * 12 + 2])
    np.testing.assert_allclose(found["A"].flux["gpp"], np.array([1, 2]) * 12.011e-6 * 86400, rtol=1e-3)
    np.testing.assert_array_equal(found["A"].flux["reco"], [np.nan, 3.0])
    np.testing.assert_array_equal(found["A"].quality, [1.0, 0.5])
    np.testing.assert_array_equal(found["B"].month, [2001 * 12 + 1])


def test_a_table_of_one_site_needs_no_column_site(tmp_path):
    path = written(tmp_path, "month,nee,nee_quality\n2001-03,-2,0.7\n")
    assert read_own_months(path, "A")["A"].quality == [0.7]
    with pytest.raises(ValueError, match=r"own.csv has no column site"):
        read_own_months(path)


def test_netcdf_over_site_and_time_is_read_alike(tmp_path):
    time = np.array(["2001-01-15", "2001-02-15"], "datetime64[ns]")
    data = xr.Dataset(
        {"nee": (("site", "time"), [[1.0, np.nan]], {"units": "gC m-2 d-1"})}, coords={"site": ["A"], "time": time}
    )
    data.to_netcdf(tmp_path / "own.nc")
    found = read_own_months(tmp_path / "own.nc")["A"]
    np.testing.assert_array_equal(found.month, [2001 * 12])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("site,month,flux\nA,2001-01,1\n", "none of the columns nee, gpp, reco"),
        ("site,month,nee\nA,2001-01,\nA,2001-02,-9999\n", "no row has a number of nee"),
        ("site,month,nee\nA,2001-01,1\nA,2001-01,2\n", "month 2001-01 occurs more than once"),
        ("site,month,nee\nA,January,1\n", "month 'January' is none"),
        ("site,month,nee\nA,2001-01,high\n", "nee"),
        ("site,month,nee [t ha-1]\nA,2001-01,1\n", "nee has unit 't ha-1'"),
        ("site,month,gpp\nA,2001-06,60\nA,2001-07,58\n", "has median 59, but -5 to 25 gC m-2 d-1 is expected"),
        ("site,month,nee,quality\nA,2001-06,-2,3\n", "quality reaches 3 to 3"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path, text, sentence):
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(")):
        read_own_months(written(tmp_path, text))


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"own.csv does not exist, but a table of own months is expected"):
        read_own_months(tmp_path / "own.csv")
