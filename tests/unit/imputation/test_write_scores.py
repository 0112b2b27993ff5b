"""The edge of the scores: checkpoints in, one checked table of all folds and seeds out."""

import pandas as pd
import pytest

from dere.evaluation.imputation_table import COLUMNS
from dere.exchange.co2 import EXCHANGE
from dere.imputation.fit import describe
from dere.imputation.scores import METHODS
from dere.io import file_sha256, write_netcdf
from dere.training import checkpoint
from dere.training.fitted import Fitted
from dere.training.weights import arrays_of
from dere.workflow.score_imputation import write_scores


@pytest.fixture
def run(tmp_path, trained, towers, splits):
    """Files, and the manifests of one training saved as two seeds."""
    files = {"towers": tmp_path / "towers.nc", "splits": tmp_path / "splits.csv"}
    write_netcdf(towers, files["towers"])
    splits.to_csv(files["splits"], index=False)
    imputer, history = trained
    manifests = []
    for seed in (3, 4):
        folder = tmp_path / f"seed{seed}"
        about = {"fold": 0, "seed": seed, "split": file_sha256(files["splits"])}
        made = Fitted(arrays_of(imputer.state_dict()), describe(imputer, about), history)
        checkpoint.save(folder, made, EXCHANGE)
        manifests.append(folder / "manifest.json")
    return files, manifests


def test_every_seed_stands_in_the_table_and_all_together(run, config, tmp_path, caplog):
    files, manifests = run
    with caplog.at_level("INFO"):
        write_scores(files, manifests, tmp_path / "imputation.csv", config.model_copy(update={"scored_samples": 4}))
    table = pd.read_csv(tmp_path / "imputation.csv", dtype={"fold": str, "seed": str})
    assert tuple(table.columns) == COLUMNS
    assert set(zip(table["fold"], table["seed"], strict=True)) == {("0", "3"), ("0", "4"), ("all", "all")}
    assert set(table.loc[table["igbp"] != "all", "fold"]) == {"all"} and {"ENF", "GRA"} & set(table["igbp"])
    assert set(table["method"]) == set(METHODS)
    one = table.query(
        "gap == 'all' and igbp == 'all' and scale == 'monthly' and method == 'diffusion' and flux == 'nee'"
    )
    values = one.set_index("seed")["values"]
    assert values["all"] == values["3"] + values["4"] and (one["sites"] == 3).all()
    assert "2 trainings, CRPS of nee on hidden months: mix" in caplog.text


def test_where_the_truth_is_known_labels_are_judged_by_it(run, labels, config, tmp_path):
    files, manifests = run
    truth = labels["label"].fillna(0.0).rename(site="tower").to_dataset(name="tower_flux")
    files |= {"truth": tmp_path / "truth.nc"}
    write_netcdf(truth, files["truth"])
    made = tmp_path / "labels.nc"
    write_netcdf(labels, made)
    few = config.model_copy(update={"scored_samples": 2})
    write_scores(files, manifests[:1], tmp_path / "imputation.csv", few, [made])
    table = pd.read_csv(tmp_path / "imputation.csv").query("method == 'labels' and igbp == 'all'")
    assert set(table["gap"]) == {"observed", "filled"} and set(table["scale"]) == {"monthly", "annual"}
    months = table.query("fold == 'all' and scale == 'monthly'").set_index(["gap", "flux"])
    assert (months["sites"] == labels.sizes["site"]).all()
    # the truth is the middle of the trajectories
    assert (months["coverage_90"] > 0.95).all() and (months["bias"].abs() < 1e-4).all()
    assert table["crps_ratio"].isna().all()


def test_a_checkpoint_of_another_split_is_refused(run, config, splits, tmp_path):
    files, manifests = run
    splits.assign(cell=7).to_csv(files["splits"], index=False)
    with pytest.raises(ValueError, match="'split' of the checkpoint is"):
        write_scores(files, manifests, tmp_path / "imputation.csv", config)
    assert not (tmp_path / "imputation.csv").exists()
