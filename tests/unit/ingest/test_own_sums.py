"""Tables of annual sums: what is read, and what ends in a sentence."""

import pytest

from dere.ingest.tower.own_sums import YearSum, read_own_sums


def table(folder, text):
    path = folder / "sums.csv"
    path.write_text(text)
    return path


def test_sums_have_their_standard_deviations(tmp_path):
    path = table(
        tmp_path, "site,year,nee,nee_std,gpp,gpp_std\n,2001,-5,3,,\nA,2001,-210,30,,\nA,2002,-180,25,1500,100\n"
    )
    of_nee = [YearSum(2001, "nee", -210.0, 30.0), YearSum(2002, "nee", -180.0, 25.0)]
    found = read_own_sums(path)
    assert list(found) == ["A"] and set(found["A"]) == {*of_nee, YearSum(2002, "gpp", 1500.0, 100.0)}
    assert list(read_own_sums(table(tmp_path, "year,nee,nee_std\n2001,-210,0\n"), "ZZ-One")) == ["ZZ-One"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site,year\nA,2001\n", "has none of the columns nee, gpp, reco"),
        ("site,year,nee\nA,2001,-210\n", "nee_std"),
        ("site,nee,nee_std\nA,-210,3\n", "year"),
        ("site,year,nee,nee_std\nA,2001,-210,\n", "nee_std of 2001 is nan, but the standard deviation of nee"),
        ("site,year,nee,nee_std\nA,2001,-210,-3\n", "nee_std of 2001 is -3"),
        ("site,year,nee,nee_std\nA,2001,-21000,3\n", "at most 8000 gC m-2 in a year are expected; convert it"),
        ("site,year,nee,nee_std\nA,2001,-210,3\nA,2001,-210,3\n", "year 2001 stands twice"),
        ("site,year,nee,nee_std\nA,2001.5,-210,3\n", "year 2001.5 is no calendar year"),
        ("site,year,nee,nee_std\nA,2001,,3\n", "no row has a number of nee"),
    ],
)
def test_a_wrong_table_ends_in_a_sentence(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_own_sums(table(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.csv does not exist, but a table of annual sums is expected"):
        read_own_sums(tmp_path / "nothing.csv")
