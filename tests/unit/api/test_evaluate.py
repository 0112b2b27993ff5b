"""Predictions of others are judged on the rows of a run, whatever form they come in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import dere
from dere.api.foreign import read
from tiny_run import write_run


@pytest.fixture(scope="module")
def opened(canonical, tmp_path_factory):
    """A run in which climatology was judged."""
    folder = write_run(tmp_path_factory.mktemp("judged"), canonical)
    run = dere.open_run(folder)
    judged = dere.evaluate(dere.predict(dere.fit("climatology", run), run), run)
    (folder / "tables").mkdir()
    judged.site_skill.to_csv(folder / "tables" / "site_skill.csv", index=False)
    return run


@pytest.fixture(scope="module")
def table(opened):
    """What somebody's own model says: the label of every month plus one, closed."""
    towers = opened.towers.load()
    tested = towers["site"].isin(["XX-S00", "XX-S03", "XX-S06", "XX-S09"])
    values = towers["flux_value"].astype(float).isel(site=tested.values).fillna(1.0) + 1.0
    wide = values.to_dataset("flux").to_dataframe().reset_index()[["site", "time", "gpp", "reco"]]
    return wide.assign(nee=wide["reco"] - wide["gpp"])


@pytest.fixture(scope="module")
def judged(opened, table):
    return dere.evaluate(table, opened, "plus one")


def test_a_site_may_be_called_as_a_missing_value_is(tmp_path):
    (tmp_path / "mine.csv").write_text("site,month,gpp\nNA,2001-01,1\n NaN ,2001-02,\n")
    assert read(tmp_path / "mine.csv")[0]["site"].tolist() == ["NA", " NaN "]


def test_files_are_closed_after_refused_predictions(opened, table):
    # a notebook keeps the last error, and with it what its functions held
    with pytest.raises(ValueError, match="expected sites are missing") as kept:
        dere.evaluate(table[:36], opened)
    held = {Path(link).resolve() for link in Path("/proc/self/fd").iterdir()}
    assert kept and not [path for path in held if opened.folder in path.parents]


def test_scores_are_those_of_what_was_handed_in(judged):
    pooled = "scale == 'monthly' and statistic == 'median' and grouping == 'all' and fold == 'all'"
    scores = judged.skill.query(pooled).set_index("flux")
    np.testing.assert_allclose(scores.loc[["gpp", "reco"], "bias"], 1.0, atol=1e-6)
    np.testing.assert_allclose(scores.loc[["gpp", "reco"], "rmse"], 1.0, atol=1e-6)
    assert set(judged.skill["method"]) == {"plus one"} and set(scores["sites"]) == {3}
    assert judged.calibration.empty and judged.closure["maximum_residual"].max() < 1e-12
    assert "plus one" in repr(judged)


def test_it_is_compared_with_what_the_run_has_judged(judged, table, opened):
    assert set(zip(judged.paired["method"], judged.paired["against"], strict=True)) == {("plus one", "climatology")}
    assert set(judged.paired["flux"]) == {"gpp", "reco", "nee"}
    # whose test towers they are can be said
    with pytest.raises(ValueError, match=r"3 of 4 expected sites are missing \(first: XX-S01\)"):
        dere.evaluate(table, opened, fold=1)
    # what has the name of a method of the run takes its place
    assert dere.evaluate(table, opened, "climatology").paired.empty


def stating(table, unit):
    """A dataset whose variables state a unit."""
    dataset = table.set_index(["site", "time"]).to_xarray()
    return dataset.assign({name: dataset[name].assign_attrs(units=unit) for name in dataset})


def later_too(dataset):
    """A dataset with predictions on more months than the towers have."""
    later = dataset.assign_coords(time=dataset["time"] + np.timedelta64(30 * 366, "D"))
    both = xr.concat([dataset, later], "time")[["gpp", "reco", "nee"]]
    return both.to_dataarray("flux").to_dataset(name="prediction")


def middle_of_month(table, gpp):
    """A dataset whose months are called otherwise than those of the towers."""
    dataset = later_too(stating(table.assign(gpp=gpp), "gC m-2 d-1"))
    return dataset.assign_coords(time=dataset["time"] + np.timedelta64(3, "D"))


def forms(table, folder):
    dataset = table.set_index(["site", "time"]).to_xarray()
    table.to_csv(folder / "mine.csv", index=False)
    dataset.to_netcdf(folder / "mine.nc")
    yield folder / "mine.csv", {}
    yield str(folder / "mine.nc"), {}
    yield dataset[["gpp", "reco", "nee"]].to_dataarray("flux").to_dataset(name="prediction"), {}
    months = table["time"].dt.strftime("%Y-%m")
    yield table.drop(columns="time").assign(month=months).sample(frac=1, random_state=0), {}
    later = table.assign(time=table["time"] + pd.DateOffset(years=30))
    yield pd.concat([table, later]), {}
    yield later_too(dataset), {}
    yield stating(table.assign(**table[["gpp", "reco", "nee"]] / 8.64e7), "kgC m-2 s-1"), {}
    yield table.assign(site=" " + table["site"]), {}
    yield table.drop(columns="nee"), {"close": True}
    yield table.assign(nee=5.0), {"close": True}


def test_every_form_gives_the_same_numbers(judged, table, opened, tmp_path):
    for given, options in forms(table, tmp_path):
        found = dere.evaluate(given, opened, "plus one", **options)
        pd.testing.assert_frame_equal(found.site_skill, judged.site_skill, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t.iloc[:-5], r"15 of 432 predicted values are missing .* \(first: gpp of XX-S09 in 2003-09\)"),
        (lambda t: t[t["site"] != "XX-S03"], r"1 of 4 expected sites are missing \(first: XX-S03\)"),
        (lambda t: t.assign(site="XX-S01"), "rows are of a site and month that have one already"),
        (lambda t: pd.concat([t, t.assign(site="XX-S01")[:36]]), r"1 sites are too many \(first: XX-S01\)"),
        (lambda t: pd.concat([t, t[:2]]), r"2 rows are of .* \(first: XX-S00 in 2001-02\); give one row"),
        (lambda t: t.drop(columns="nee"), "it has the columns site, time, gpp, reco, but nee is missing"),
        (lambda t: t.drop(columns="time"), "but time or month is missing"),
        (lambda t: t.assign(gpp="much"), r"144 values of gpp are no numbers \(first: much\)"),
        (lambda t: t.assign(site=t["site"].where(t.index != 3)), r"1 rows have no site \(first: data row 4\)"),
        (lambda t: t.assign(site=t["site"].mask(t.index < 2, " ")), "2 rows have no site"),
        (lambda t: pd.concat([t, t["gpp"]], axis=1), "has column gpp 2 times"),
        (lambda t: t.assign(gpp=-9999.0), r"gpp are impossible \(first: -9999 for XX-S00 .*-9999 is a number"),
        (lambda t: t.assign(reco=90.0, nee=90 - t["gpp"]), "values of reco are impossible .* -20 to 45 gC m-2 d-1"),
        (lambda t: t.assign(nee=-t["nee"]), "holds with the other sign of nee"),
        (lambda t: t.assign(**(t[["gpp", "reco", "nee"]] * 1e-8)), "it looks like kg m-2 s-1"),
        (lambda t: stating(t, "mol m-2 s-1"), "gpp has unit 'mol m-2 s-1', but 'gC m-2 d-1' is needed"),
        (lambda t: t.iloc[:0], "it has no rows, but one per site and month is expected"),
        (lambda t: t.assign(time="soon"), r"144 values of time are no date \(first: soon\); write months as 2001-01"),
        (lambda t: t.assign(nee=t["nee"] + 0.01), r"\|RECO - GPP - NEE\| reaches 0\.01"),
        (lambda t: later_too(stating(t, "gC m-2 d-1")).isel(time=0), "it needs a variable prediction over"),
        (lambda t: later_too(stating(t, "gC m-2 d-1")).isel(site=[0, 0]), "site XX-S00 occurs 2 times"),
        (lambda t: later_too(stating(t, "gC m-2 d-1")).drop_vars("time"), "time axis has 72 months"),
        (lambda t: middle_of_month(t, -9999.0), r"gpp are impossible \(first: -9999 for XX-S00"),
        (lambda t: t.set_index(["site", "time"]).to_xarray()[[]], "it needs a variable prediction"),
    ],
)  # fmt: skip
def test_what_is_not_complete_is_refused_with_counts(table, opened, change, sentence):
    with pytest.raises(ValueError, match=f"^predictions.* {sentence}"):
        dere.evaluate(change(table), opened)


def test_what_others_are_computed_from_is_needed(table, opened):
    with pytest.raises(ValueError, match="but gpp is missing"):
        dere.evaluate(table.drop(columns="gpp"), opened, close=True)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "does not exist, but a csv or NetCDF"),
        ("empty.csv", b"", "is empty, but a header row"),
        ("twice.csv", b"site,gpp,gpp\n", "has column gpp 2 times"),
        ("wide.csv", b"site,month,gpp\nA,2001-01,1,5\n", "row 2 has 4 columns, but the header has 3"),
        ("header.csv", b"site,month,gpp,reco,nee\n", "it has no rows"),
        ("semicolon.csv", b"site;month;gpp\nA;2001-01;1,5\n", "the separator looks like ;"),
        ("case.csv", b"site,month,GPP,reco,nee\n", r"gpp is missing \('GPP' must be written gpp\)"),
        ("bytes.csv", b"site,\xff\xfe", "cannot be read as csv"),
        ("text.nc", b"site", "cannot be read as NetCDF"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_sentence(opened, tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        dere.evaluate(tmp_path / name, opened)
