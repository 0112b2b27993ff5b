"""The imputation's two trainings go on after their last complete epoch, to the same bits."""

import pytest

import killing
from dere.io import file_sha256, read_json, write_netcdf, write_table
from dere.workflow.rule_job import RuleJob
from dere.workflow.train_imputation import train
from small_imputation import small_config


@pytest.fixture(scope="module")
def job(towers, splits, statistics, tmp_path_factory):
    root = tmp_path_factory.mktemp("imputation")
    config = small_config()
    few = {"epochs": 3, "steps_per_epoch": 2, "batch": 4}
    point = config.point.model_copy(update={"training": config.point.training.model_copy(update=few)})
    config = config.model_copy(update={"point": point, "training": config.training.model_copy(update=few)})
    files = {
        "towers": write_netcdf(towers, root / "towers.nc"),
        "splits": write_table(splits, root / "splits.csv"),
        "statistics": write_netcdf(statistics, root / "statistics.nc"),
    }
    return lambda folder: RuleJob(files, {}, folder, config.model_dump(mode="json"), 0, 3)


def test_killed_imputation_has_the_weights_of_one_that_was_not(job, tmp_path):
    whole, folder, epochs = tmp_path / "whole", tmp_path / "killed", tmp_path / "epochs.txt"
    train(job(whole))
    plan = [
        ("half of a state is written", 2),
        ("a state has its name", 3),
        ("a state is written but has no name yet", 2),
        ("training has ended", 1),
        ("the checkpoint is complete", 1),
        (None, 1),
    ]
    attempts = [
        lambda m=moment, c=count: killing.run(train, job(folder), epochs=epochs, moment=m, count=c)
        for moment, count in plan
    ]
    assert killing.killed_often(folder, epochs, attempts) == len(plan) - 1
    names = [name for name, _ in killing.begun(epochs)]
    # three epochs of each, and one more for each kill before a state had its name
    assert (names.count("last_point.pt"), names.count("last.pt")) == (4, 4)
    assert file_sha256(folder / "model.safetensors") == file_sha256(whole / "model.safetensors")
    assert read_json(folder / "manifest.json") == read_json(whole / "manifest.json")
    assert {path.name for path in folder.iterdir()} == {"model.safetensors", "manifest.json", "history.csv"}
