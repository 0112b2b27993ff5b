"""A run packed into a bundle: it predicts as the run does, and a changed file is refused."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import dere
from dere.api.bundles import bundles, open_trained
from dere.api.packing import CARD, STEP
from dere.cli import main
from dere.harmonise.site_roles import SEEN
from dere.io import write_netcdf, write_table
from dere.training.read_places import site_places
from dere.workflow import layout
from tiny_run import write_run

OF_ALL = 3
"""The fold that tests no tower: there are three."""


def place(fold):
    return {"backbone": "none", "fold": fold, "seed": 0}


@pytest.fixture(scope="module")
def run(canonical, tmp_path_factory):
    """A run of trees, process and their mean, fitted in one fold and on all towers."""
    settings = {
        "methods": ["gbm", "gp", "blend"],
        "blend": {"methods": ["gbm", "gp"]},
        "trees": {"settings": 2, "inner_folds": 2, "trees": 10},
        "gp": {"rows": 150, "search_rows": 60, "steps": 2},
        "sources": {"simulation": {"provider": "builtin"}},
        "products": {"method": "blend"},
        "all_towers": True,
    }
    run = dere.open_run(write_run(tmp_path_factory.mktemp("packed"), canonical, **settings))
    for fold in (0, OF_ALL):
        for method in ("gbm", "gp"):
            folder = run.folder / layout.checkpoint("co2", method).format(**place(fold))
            dere.fit(method, run, fold=fold, folder=folder.parent)
        made = dere.predict(run.fitted("blend", fold=fold), run)
        write_netcdf(made, run.folder / layout.predictions("co2", "blend").format(**place(fold)))
    judged = dere.evaluate(run.predictions("blend"), run)
    citations = pd.DataFrame({"product": ["made"], "licence": ["none"], "citation": ["nobody"], "sites": [9]})
    provenance = pd.DataFrame({"source": ["towers"], "first_month": ["2001-01"], "last_month": ["2003-12"]})
    tables = {"skill": judged.skill, "calibration": judged.calibration}
    for name, table in (tables | {"citations": citations, "provenance": provenance}).items():
        write_table(table, run.folder / layout.table("co2", name))
    return run


@pytest.fixture(scope="module")
def packed(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "made"
    about = dere.pack(run, folder)
    return folder, about


def test_models_of_the_bundle_predict_as_those_of_the_run(run, packed):
    folder, about = packed
    small = open_trained(folder)
    places = site_places(run.towers.load(), run.splits, satellites=False, channels="none", exchange=run.exchange)
    own, other = (dere.predict(each.fitted("blend", fold=OF_ALL), places)["prediction"] for each in (run, small))
    change = float(abs(own - other).max())
    assert 0 < change <= about["change"]["largest"] < 0.01 * float(own.std())
    assert about["bytes"] == sum(path.stat().st_size for path in folder.rglob("*.*") if path.name != "bundle.json")
    large = {
        path.relative_to(run.folder): path.stat().st_size for path in run.folder.glob("models/*/*/*/*/*.safetensors")
    }
    mine = {name: (folder / name).stat().st_size for name in large if (folder / name).exists()}
    assert {name.parts[2] for name in mine} == {f"fold{OF_ALL}"} and len(mine) == 2
    assert sum(mine.values()) < 0.6 * sum(large[name] for name in mine)


def test_stored_predictions_are_of_unseen_towers_alone_and_close_exactly(run, packed):
    folder, _ = packed
    with run.predictions("blend") as whole, open_trained(folder).predictions("blend") as small:
        unseen = whole["role"].values != SEEN
        assert 0 < unseen.sum() < len(unseen) and set(small.data_vars) == {"prediction", "std", "quantile_value"}
        assert not np.isfinite(small["prediction"].values[~unseen]).any()
        values = small["prediction"].transpose("site", "time", "flux").values[unseen]
        assert abs(values - whole["prediction"].transpose("site", "time", "flux").values[unseen]).max() <= 1.5 * STEP
        np.testing.assert_array_equal(values[..., 1], values[..., 0] + values[..., 2])
        assert {name: str(value) for name, value in small.attrs.items()} == {
            name: str(value) for name, value in whole.attrs.items()
        }
    with open_trained(folder).predictions("blend", fold=OF_ALL) as on_all:
        assert "site" not in on_all.dims and on_all.attrs["fold"] == OF_ALL


def test_towers_of_the_bundle_are_predicted_by_what_had_not_seen_them_or_not_at_all(packed, tmp_path):
    steady = {"air_temperature": 10.0, "precipitation": 2.0, "shortwave": 150.0, "longwave": 300.0, "vpd": 5.0}
    steady |= {"pressure": 95.0, "wind": 3.0, "co2": 380.0, "lat": 10.0, "lon": 20.0, "igbp": "ENF"}
    months = pd.period_range("2001-01", "2003-12", freq="M").astype(str)
    table = pd.concat([pd.DataFrame({"month": months, "site": site, **steady}) for site in ("XX-S00", "XX-S01")])
    table.to_csv(tmp_path / "mine.csv", index=False)
    found = dere.predict_sites(dere.open_trained(packed[0]), tmp_path / "mine.csv")
    # folds 1 and 2 are not in this run, but all towers have been learned from
    assert found.sites.set_index("site")["status"].to_dict() == {"XX-S00": "stored", "XX-S01": "not predicted"}
    assert found.dataset.attrs["fitted_on"] == "all towers" and found.dataset.attrs["folds"] == "0"
    with open_trained(packed[0]).predictions("blend") as stored:
        theirs = stored["prediction"].sel(site="XX-S00").values
        np.testing.assert_array_equal(found.dataset["prediction"].sel(site="XX-S00").values, theirs)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda folder: (folder / CARD).write_text("better"),
            r"README.md has another checksum than bundle.json states",
        ),
        (lambda folder: (folder / "models/known_sites.nc").unlink(), "known_sites.nc does not exist, but bundle.json"),
        (lambda folder: edit(folder, format=2), "format is 2, but this version of dere reads 1"),
    ],
)
def test_a_changed_bundle_is_refused(packed, tmp_path, change, sentence):
    folder = shutil.copytree(packed[0], tmp_path / "copy")
    change(folder)
    with pytest.raises((ValueError, FileNotFoundError), match=sentence):
        open_trained(folder)


def edit(folder, **changes):
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_an_unknown_bundle_is_a_sentence_with_those_there_are(tmp_path):
    shown = CliRunner().invoke(main, ["predict", "--trained", "nowhere", "mine.csv", "--out", str(tmp_path / "out")])
    assert shown.exit_code == 1 and "nowhere is no trained bundle" in shown.output
    assert all(name in shown.output for name in bundles())


def test_a_run_or_a_bundle_is_needed(tmp_path):
    shown = CliRunner().invoke(main, ["predict", "mine.csv", "--out", str(tmp_path / "out")])
    assert shown.exit_code == 2 and "RUN and SITES are needed, or --trained NAME" in shown.output


def test_what_is_there_stays_unless_it_is_a_bundle_and_may_go(run, packed, tmp_path):
    folder = shutil.copytree(packed[0], tmp_path / "copy")
    words = ["pack", str(run.folder), "--out", str(folder), "--card", str(tmp_path / "card.md")]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 1 and "exists already" in refused.output
    (folder / CARD).write_text("old")
    done = CliRunner().invoke(main, [*words, "--overwrite"])
    assert done.exit_code == 0 and "checksums in bundle.json" in done.output
    assert open_trained(folder).name == "invented" and (tmp_path / "card.md").read_text() == (folder / CARD).read_text()
    (tmp_path / "own").mkdir()
    for options in ([], ["--overwrite"]):
        other = CliRunner().invoke(main, ["pack", str(run.folder), "--out", str(tmp_path / "own"), *options])
        assert other.exit_code == 1 and "is not replaced" in other.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["card.md", "copy", "own"]


def test_the_card_has_the_numbers_of_the_tables(run, packed):
    text = (packed[0] / CARD).read_text()
    skill = run.tables["skill"].query("scale == 'monthly' and grouping == 'all' and fold == 'all' and seed == 'all'")
    nse = skill.query("flux == 'gpp' and statistic == 'median'")["nse"].item()
    assert f"| `blend` | {nse:.2f} [" in text and "made (none): nobody" in text
    assert "9 towers in 9 clusters" in text


def test_a_run_without_models_of_all_towers_is_not_packed(invented, tmp_path):
    with pytest.raises(ValueError, match="all_towers is false, so that no model has learned from all towers"):
        dere.pack(dere.open_run(invented), tmp_path / "bundle")
    assert not list(tmp_path.iterdir())
