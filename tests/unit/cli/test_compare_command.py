"""``dere compare``."""

import shutil

import pytest
import yaml

from dere.workflow import layout
from two_runs_scores import scores


@pytest.fixture
def runs(invented, tmp_path):
    """Two folders with configuration and scores, the second with another learning rate and smaller errors of trees."""
    folders = []
    for name, factor, rate in (("one", 1.0, 1e-3), ("two", 0.9, 2e-3)):
        folder = tmp_path / name
        folder.mkdir()
        tree = yaml.safe_load((invented / layout.CONFIGURATION).read_text())
        tree["run"] = name
        tree["stages"]["baseline"]["learning_rate"] = rate
        (folder / layout.CONFIGURATION).write_text(yaml.safe_dump(tree))
        (folder / "tables").mkdir()
        scores(factor).to_csv(folder / "tables" / "site_skill.csv", index=False)
        folders.append(str(folder))
    return folders


def test_configurations_and_scores_are_shown_and_written(dere, runs, tmp_path):
    found = dere("compare", *runs, "--csv", str(tmp_path / "both.csv"))
    assert found.exit_code == 0, found.output
    assert "stages.baseline.learning_rate  0.001" in found.output and "\nrun " not in found.output
    gbm = next(line for line in found.output.splitlines() if line.startswith("gbm"))
    assert gbm.split()[:5] == ["gbm", "none", "test", "GPP", "10"] and gbm.split()[-4:] == [
        "0.900",
        "0.900",
        "to",
        "0.900",
    ]
    assert (tmp_path / "both.csv").read_text().startswith("method,backbone,grouping")


def test_a_run_without_scores_and_an_unknown_scale_end_in_a_sentence(dere, runs, tmp_path):
    assert "choose one of them" in dere("compare", *runs, "--scale", "weekly").output
    shutil.rmtree(tmp_path / "two" / "tables")
    missing = dere("compare", *runs)
    assert missing.exit_code == 1 and "site_skill.csv does not exist" in missing.output
