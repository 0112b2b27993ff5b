"""``dere predict`` on a copy of the finished run without its data: every site is there, or named with the reason."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import dere
from dere.cli import main
from dere.intervals.spread import with_truth
from dere.io import read_netcdf
from joined import joined_methods as methods

CORE = ("air_temperature", "precipitation", "shortwave", "longwave", "vpd", "pressure", "wind", "co2")


def table_of(towers, site, name, north=0.0, **columns):
    """Plain table of a tower's drivers under another name, somewhat to the north."""
    one = towers.sel(site=site)
    inside = one["record"].values.astype(bool)
    about = {"site": name, "lat": float(one["lat"]) + north, "lon": float(one["lon"]), "igbp": str(one["igbp"].item())}
    months = one["time"].values[inside].astype("datetime64[M]").astype(str)
    data = {driver: one[driver].values[inside] for driver in (*CORE, "lai_satellite", "evi_satellite")}
    return pd.DataFrame({"month": months, **about, **data, **columns})


@pytest.fixture(scope="module")
def copied(tiny, tmp_path_factory):
    """Return the folder of a copy without data, the run's towers, and a table of own sites."""
    results = tiny.folder / "results" / "tiny"
    folder = tmp_path_factory.mktemp("elsewhere") / "results" / "tiny"
    left = shutil.ignore_patterns("data", "interim", "raw", "labels", "figures", "products", "logs", "benchmarks")
    shutil.copytree(results, folder, ignore=left)
    towers = read_netcdf(results / "data" / "towers.nc")
    stored = read_netcdf(folder / "predictions" / "dere" / "lags" / "ensemble.nc")
    of_role = {
        role: stored["site"].values[stored["role"].values == role].tolist() for role in np.unique(stored["role"])
    }
    tested, seen, unseen = (of_role[role][0] for role in ("cross_validated", "seen_in_training", "unseen"))
    tables = [
        table_of(towers, seen, "ZZ-New", north=3.0),
        table_of(towers, tested, tested),
        # 0.5 km away, under another name
        table_of(towers, unseen, "ZZ-Virtual", north=0.5 / 111.2),
        table_of(towers, seen, "ZZ-Seen"),
        table_of(towers, tested, "ZZ-Short", north=5.0).head(7),
    ]
    path = folder.parent.parent / "mine.csv"
    pd.concat(tables).to_csv(path, index=False)
    return folder, path, {"tested": tested, "seen": seen, "unseen": unseen}


def test_the_command_predicts_own_sites_without_the_data_of_the_run(copied, tmp_path):
    folder, path, known = copied
    words = ["predict", str(folder), str(path), "--out", str(tmp_path / "out"), "--backbone", "lags"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    called = [sys.executable, "-m", "dere", *words]
    shown = subprocess.run(called, capture_output=True, text=True, env=environment, check=False)
    assert shown.returncode == 0, shown.stderr
    assert "5 sites: 2 stored, 2 not predicted, 1 predicted" in shown.stdout and "files: 1 read" in shown.stdout

    sites = pd.read_csv(tmp_path / "out" / "sites.csv", keep_default_na=False).set_index("site")
    assert sites["status"].to_dict() == {
        known["tested"]: "stored",
        "ZZ-New": "predicted",
        "ZZ-Seen": "not predicted",
        "ZZ-Short": "not predicted",
        "ZZ-Virtual": "stored",
    }
    assert sites.loc["ZZ-Virtual", "known_as"] == known["unseen"]
    assert abs(float(sites.loc["ZZ-Virtual", "known_km"]) - 0.5) < 0.01
    assert "record of 7 months" in sites.loc["ZZ-Short", "reason"]
    assert "has seen its labels" in sites.loc["ZZ-Seen", "reason"]

    months = pd.read_csv(tmp_path / "out" / "predictions.csv")
    assert set(months["site"]) == {known["tested"], "ZZ-New", "ZZ-Virtual"}
    np.testing.assert_allclose(months["reco"], months["gpp"] + months["nee"], atol=1e-6)
    index = months.set_index("site")["extrapolation_index"]
    assert index["ZZ-New"].between(0, 1).all() and index["ZZ-Virtual"].isna().all()
    with xr.open_dataset(tmp_path / "out" / "predictions.nc") as series:
        assert series.sizes["station"] == 3 and series.attrs["method"] == "dere"
        assert "invented world" in series.attrs["source"]

    again = subprocess.run(called, capture_output=True, text=True, env=environment, check=False)
    assert again.returncode == 1 and "is not empty" in again.stderr and "Traceback" not in again.stderr


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (lambda t: t.assign(air_temperature=t["air_temperature"] + 273.15), "it looks like K: convert it to degC"),
        (lambda t: t.drop(columns="lat"), "mine.csv has no column lat"),
        (lambda t: t.drop(columns="longwave"), "lacks longwave in 36 of 36 months"),
        (lambda t: t.assign(lat=np.nan), "column lat holds no number"),
        (lambda t: t.head(9), "record of 9 months, at least 12 are needed"),
    ],
)
def test_a_wrong_table_is_a_sentence_and_nothing_is_written(copied, tmp_path, changed, sentence):
    folder, path, _ = copied
    table = pd.read_csv(path)
    changed(table[table["site"] == "ZZ-New"]).to_csv(tmp_path / "mine.csv", index=False)
    shown = CliRunner().invoke(
        main, ["predict", str(folder), str(tmp_path / "mine.csv"), "--out", str(tmp_path / "out")]
    )
    assert shown.exit_code == 1 and sentence in shown.output and shown.output.startswith("Error: ")
    assert [found.name for found in tmp_path.iterdir()] == ["mine.csv"]


def test_sites_of_the_run_get_the_bits_that_it_has_stored(copied):
    """And the interval of the truth that follows from what is stored, which is of the label."""
    folder, path, known = copied
    run = dere.open_run(folder)
    found = dere.predict_sites(run, path, backbone="lags").dataset
    stored = run.ensemble("dere", "lags").load()
    # one fold and seed: the file itself
    with run.predictions("dere", "lags") as file:
        kept = file[["prediction", "std", "quantile_value"]].sel(site=[known["tested"], known["unseen"]]).load()
    stored = stored.assign(with_truth(kept, run.exchange)[["std", "quantile_value"]])
    for own, site in ((known["tested"], known["tested"]), ("ZZ-Virtual", known["unseen"])):
        for name in ("prediction", "std", "quantile_value"):
            theirs = stored[name].sel(site=site, time=found["time"].values)
            np.testing.assert_array_equal(found[name].sel(site=own).transpose(*theirs.dims), theirs)


@pytest.mark.parametrize("method", methods())
def test_every_method_predicts_a_site_that_no_model_has_seen(copied, method):
    folder, path, _ = copied
    found = dere.predict_sites(dere.open_run(folder), path, method)
    one = found.dataset["prediction"].sel(site="ZZ-New").transpose("time", "flux").values
    assert np.isfinite(one).all() and len(one) == 36
    np.testing.assert_allclose(one[:, 1], one[:, 0] + one[:, 2], atol=1e-6)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"method": "nothing"}, "method: nothing is none of the run's; choose from climatology"),
        ({"fold": 2}, r"fold: 2 is none of the run's \(0\)"),
        ({"seed": 5}, r"seed: 5 is none of the run's \(0\)"),
        ({"backbone": "fedformer", "method": "gbm"}, "backbone: gbm has no network"),
    ],
)
def test_a_wrong_choice_is_a_sentence(copied, words, sentence):
    folder, path, _ = copied
    with pytest.raises(ValueError, match=sentence):
        dere.predict_sites(dere.open_run(folder), path, **words)


def test_a_run_that_lacks_a_model_or_what_goes_with_them_says_so(copied, tmp_path):
    folder, path, _ = copied
    part = tmp_path / "results" / "tiny"
    shutil.copytree(folder, part, ignore=shutil.ignore_patterns("trees", "known_sites.nc"))
    with pytest.raises(FileNotFoundError, match=r"known_sites.nc does not exist, and neither does .*towers.nc"):
        dere.predict_sites(dere.open_run(part), path)
    shutil.copy(folder / "models" / "known_sites.nc", part / "models")
    for model in part.glob("models/none/*/*/*/manifest.json"):
        model.unlink()
    with pytest.raises(FileNotFoundError, match=r"manifest.json does not exist; rule train_gbm makes it"):
        dere.predict_sites(dere.open_run(part), path, "gbm")
