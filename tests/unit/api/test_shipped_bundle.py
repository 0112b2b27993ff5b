"""The trained bundle of the package predicts a new site and knows its towers, offline, in seconds."""

import socket
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dere
from dere.api.bundles import MANIFEST, bundles, folder_of, verified
from dere.cli import main
from dere.io import read_json

NAME = "real-towers"
PAGE = Path(__file__).parents[3] / "docs" / "trained-bundle.md"
LIMIT = 6e6
"""Bytes."""


def beech_forest(site, lat, lon):
    """Three years of a temperate climate with leaves in summer."""
    months = pd.period_range("2005-01", "2007-12", freq="M")
    summer = -np.cos(2 * np.pi * (months.month.to_numpy() - 0.5) / 12)
    return pd.DataFrame(
        {
            "site": site,
            "month": months.astype(str),
            "lat": lat,
            "lon": lon,
            "igbp": "DBF",
            "air_temperature": 9.0 + 9.0 * summer,
            "precipitation": 2.0 + 0.3 * summer,
            "shortwave": 125.0 + 95.0 * summer,
            "longwave": 315.0 + 35.0 * summer,
            "vpd": 4.0 + 3.0 * summer,
            "pressure": 97.0,
            "wind": 2.5,
            "co2": 382.0,
            "lai_satellite": 2.5 + 2.0 * summer,
            "evi_satellite": 0.35 + 0.2 * summer,
        }
    )


@pytest.fixture(scope="module")
def predicted(tmp_path_factory):
    """Folder of what the command writes of a new site and of a tower of the bundle, without a network."""
    folder = tmp_path_factory.mktemp("shipped")
    table = pd.concat([beech_forest("ZZ-New", 49.0, 6.0), beech_forest("DE-Tha", 50.96, 13.57)])
    table.to_csv(folder / "mine.csv", index=False)

    def refused(*arguments, **options):
        raise OSError("no network here")

    words = ["predict", "--trained", NAME, str(folder / "mine.csv"), "--out", str(folder / "out")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refused)
        shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert "fitted on all towers; at towers of the run mean over folds 0 1 2 3 4" in shown.output
    return folder / "out"


def test_a_new_site_is_predicted_with_closing_fluxes_and_intervals(predicted):
    sites = pd.read_csv(predicted / "sites.csv", keep_default_na=False).set_index("site")
    assert sites["status"].to_dict() == {"DE-Tha": "stored", "ZZ-New": "predicted"}
    months = pd.read_csv(predicted / "predictions.csv").query("site == 'ZZ-New'")
    assert len(months) == 36 and months[["gpp", "reco", "nee", "nee_q05", "nee_q95"]].notna().all(None)
    np.testing.assert_allclose(months["reco"], months["gpp"] + months["nee"], atol=1e-6)
    assert (months["gpp_q05"] < months["gpp_q95"]).all()
    of_month = months["gpp"].to_numpy().reshape(3, 12).mean(0)
    # a beech forest of Lorraine: hardly any in winter, 6 to 14 gC m-2 d-1 in June and July
    assert of_month[[0, 1, 11]].max() < 2 and 5 < of_month[5:7].mean() < 14


def test_a_tower_of_the_bundle_gets_its_stored_cross_validated_prediction(predicted):
    run = dere.open_trained(NAME)
    fold = int(run.known_sites["fold"].sel(site="DE-Tha"))
    with run.predictions("blend", fold=fold) as stored:
        assert str(stored["role"].sel(site="DE-Tha").item()) == "cross_validated"
        theirs = stored["prediction"].sel(site="DE-Tha", flux="nee").to_series().dropna()
    months = pd.read_csv(predicted / "predictions.csv").query("site == 'DE-Tha'")
    mine = pd.Series(months["nee"].to_numpy(), pd.to_datetime(months["month"]).dt.to_period("M"))
    assert len(mine) == len(theirs) > 100
    np.testing.assert_allclose(mine, theirs.to_numpy(), atol=1e-6)


def test_the_bundle_is_whole_small_and_of_this_version():
    assert NAME in bundles()
    folder = folder_of(NAME)
    about = verified(folder)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    assert there == set(about["files"]) and about["bytes"] < LIMIT
    assert about["code_version"] == dere.__version__ and about["change"]["share_of_spread"] < 0.01
    assert read_json(folder / MANIFEST)["name"] == NAME


def test_the_page_is_the_card():
    assert PAGE.read_text() == (folder_of(NAME) / "README.md").read_text(), "make bundle writes both"
