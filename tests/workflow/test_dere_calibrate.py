"""``dere calibrate`` on the finished run: months of a site sharpen its prediction, or are refused in a sentence."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from test_dere_predict import table_of

from dere.cli import main
from dere.io import read_netcdf


@pytest.fixture(scope="module")
def asked(tiny, tmp_path_factory):
    """Return the folder of the run, the table of a site that no model has seen, and six months of it."""
    folder = tiny.folder / "results" / "tiny"
    towers = read_netcdf(folder / "data" / "towers.nc")
    # a real place, whose labels are those of another tower: what is known need not be near what is predicted
    site = next(str(one) for one in towers["site"].values if towers["flux_value"].sel(site=one).notnull().any())
    drivers = table_of(towers, site, "ZZ-New", north=3.0)
    where = tmp_path_factory.mktemp("own")
    drivers.to_csv(where / "mine.csv", index=False)
    shown = CliRunner().invoke(main, words(folder, where / "mine.csv", "--out", where / "plain", command="predict"))
    assert shown.exit_code == 0, shown.output
    plain = pd.read_csv(where / "plain" / "predictions.csv")
    own = (
        plain[["site", "month", "gpp", "reco"]]
        .iloc[12:18]
        .assign(reco=lambda t: t["reco"] + 0.4, nee=lambda t: t["reco"] - t["gpp"], quality=0.9)
    )
    own.to_csv(where / "own.csv", index=False)
    return folder, where, plain, own


def words(folder, sites, *more, command="calibrate", method="gbm"):
    """Return the words of a command as texts."""
    return [str(word) for word in (command, folder, sites, "--method", method, *more)]


def test_the_command_sharpens_a_site_by_six_months_of_its_own(asked, tmp_path):
    folder, where, plain, own = asked
    called = words(folder, where / "mine.csv", "--data", where / "own.csv", "--out", tmp_path / "out")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "dere", *called]
    shown = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "ZZ-New: 6 months of own data used: RMSE without them" in shown.stdout
    assert "ZZ-New: RECO is 0." in shown.stdout and "higher than predicted" in shown.stdout

    found = pd.read_csv(tmp_path / "out" / "predictions.csv")
    np.testing.assert_allclose(found["reco"], found["gpp"] + found["nee"], atol=1e-6)
    np.testing.assert_allclose(found["gpp_before"], plain["gpp"], atol=1e-8)
    np.testing.assert_allclose(found["reco_std_before"], plain["reco_std"], atol=1e-8)
    assert (found["reco"] - found["reco_before"]).mean() > 0.1
    others = found[found["own_values"] == 0]
    assert len(others) == len(found) - 6 and others["reco_std"].mean() < others["reco_std_before"].mean()
    effects = pd.read_csv(tmp_path / "out" / "effects.csv").set_index(["flux", "what"])
    assert 0.1 < effects.loc[("reco", "level"), "value"] < 0.45
    assert abs(effects.loc[("gpp", "level"), "value"]) < effects.loc[("gpp", "level"), "std"]
    assert (tmp_path / "out" / "members.nc").exists()

    # predict with the same table does the same, and a table of one site needs no column of sites
    own.drop(columns="site").to_csv(tmp_path / "bare.csv", index=False)
    called = words(folder, where / "mine.csv", "--site-data", tmp_path / "bare.csv", "--out", tmp_path / "same")
    again = CliRunner().invoke(main, ["predict", *called[1:]])
    assert again.exit_code == 0, again.output
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "same" / "predictions.csv"), found)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (lambda t: t.assign(site="ZZ-Other"), "site ZZ-Other is none of the sites that are predicted"),
        (lambda t: t.assign(month="1899-01").head(1), "none of its 1 months (1899-01 to 1899-01) lies in the record"),
        (lambda t: t.assign(nee=-t["nee"] - 6), "do not close"),
        (lambda t: t[["site", "month", "reco"]].assign(reco=24.0), "say --allow-conflict"),
        (lambda t: t[["site", "month"]], "none of the columns nee, gpp, reco"),
        (lambda t: pd.concat([t, t]), "occurs more than once"),
        (lambda t: t.assign(gpp=np.nan, reco=np.nan, nee=np.nan), "no row has a number of"),
    ],
)
def test_a_table_that_cannot_be_right_is_a_sentence_and_nothing_is_written(asked, tmp_path, changed, sentence):
    folder, where, _, own = asked
    changed(own).to_csv(tmp_path / "own.csv", index=False)
    called = words(folder, where / "mine.csv", "--data", tmp_path / "own.csv", "--out", tmp_path / "out")
    shown = CliRunner().invoke(main, called)
    assert shown.exit_code == 1 and sentence in shown.output and shown.output.startswith("Error: ")
    assert [found.name for found in tmp_path.iterdir()] == ["own.csv"]


def test_a_missing_table_is_a_sentence_before_anything_is_predicted(asked, tmp_path):
    folder, where, *_ = asked
    called = words(folder, where / "mine.csv", "--data", tmp_path / "none.csv", "--out", tmp_path / "out")
    shown = CliRunner().invoke(main, called)
    assert shown.exit_code == 1 and "none.csv does not exist, but a table of own months is expected" in shown.output
