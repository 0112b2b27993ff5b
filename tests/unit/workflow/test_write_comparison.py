"""The edge of the comparison: files in, a checked table out."""

import json

import pandas as pd
import pytest

from dere.evaluation.comparison import columns
from dere.evaluation.transfers import COLUMNS
from dere.run_config.root import normalise
from dere.workflow import targets
from dere.workflow.comparison import write_comparison


def outputs(folder):
    return {name: folder / f"{name}.csv" for name in ("comparison", "transfers")}


@pytest.fixture
def run(tmp_path):
    """Tables and manifests of a run of two methods on two backbones, as the other rules leave them."""
    config = normalise({"backbones": ["transformer", "timexer"], "methods": ["gbm", "dere"]})
    members = targets.training_jobs(config)
    skill, cost, manifests = [], [], []
    for name, parts in members.items():
        method, backbone = name.split("/")
        for fold, seed in (("0", "0"), ("all", "all"), ("all", "ensemble")):
            skill.append(
                {"method": method, "backbone": backbone, "fold": fold, "seed": seed, "flux": "gpp", "scale": "monthly",
                 "grouping": "all", "group": "all", "statistic": "median", "nse": 0.5, "rmse": 1.5, "sites": 4}
            )  # fmt: skip
        for job in parts["jobs"]:
            rule, _, rest = job.partition("/")
            place = "/".join(filter(None, [rest, "fold0/seed0"]))
            cost.append({"rule": rule, "wildcards": place, "seconds": 2.0, "cpu_seconds": 1.0, "max_rss_mb": 300.0})
        for stage in parts["networks"]:
            path = tmp_path / backbone / stage / "manifest.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"stage": stage, "parameters": 7, "params": {"backbone_name": backbone}}))
            manifests.append(path)
    pair = {"method": "dere", "backbone": "timexer", "against": "gbm", "against_backbone": "none", "scale": "monthly",
            "grouping": "all", "flux": "gpp", "rmse_ratio": 0.9, "ratio_low": 0.8, "ratio_high": 1.1}  # fmt: skip
    files = {}
    for name, rows in (("skill", skill), ("cost", cost), ("paired", [pair])):
        files[name] = tmp_path / f"{name}.csv"
        pd.DataFrame(rows).drop_duplicates().to_csv(files[name], index=False)
    return files, manifests, members, targets.references(config)


def test_the_table_of_a_run_is_written(run, tmp_path):
    files, manifests, members, references = run
    write_comparison(files, manifests, outputs(tmp_path), members, references)
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert list(table.columns) == columns(references)
    assert list(zip(table["method"], table["backbone"], strict=True)) == [
        ("gbm", "none"), ("dere", "transformer"), ("dere", "timexer")
    ]  # fmt: skip
    assert list(table["parameters"].fillna(0)) == [0, 14, 14]
    assert list(table["seconds"]) == [2, 18, 18] and set(table["seeds"]) == {1}
    assert table["shared_stages"].iloc[2] == "imputation impute_labels"


def test_a_missing_manifest_ends_in_a_sentence(run, tmp_path):
    files, manifests, members, references = run
    with pytest.raises(ValueError, match="stage uncertain of backbone timexer has no parameters"):
        write_comparison(files, manifests[:-1], outputs(tmp_path), members, references)
    assert not (tmp_path / "comparison.csv").exists()


def test_references_come_last_without_ratio_and_cost_and_every_row_says_what_was_tried(run, tmp_path):
    files, manifests, members, references = run
    skill = pd.read_csv(files["skill"])
    own = skill[skill["method"] == "gbm"].assign(method="reference_own_climatology", nse=0.9)
    pd.concat([own, skill]).to_csv(files["skill"], index=False)
    facts = {"gbm/none": {"tried": 12}, "towers/timexer": {"candidate_validation_losses": [0.3, 0.2]}}
    for name, of_stage in facts.items():
        stage, backbone = name.split("/")
        path = tmp_path / f"{stage}_{backbone}.json"
        path.write_text(json.dumps({"stage": stage, "params": {"backbone_name": backbone}, **of_stage}))
        manifests.append(path)
    write_comparison(files, manifests, outputs(tmp_path), members, references)
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert table["tried"].fillna(-1).tolist() == [12, 1, 2, -1]
    last = table.iloc[-1]
    assert last["method"] == "reference_own_climatology" and last["nse"] == 0.9
    assert last[["parameters", "seconds", *(name for name in table if name.startswith("ratio_"))]].isna().all()


def test_what_stages_report_is_a_table_of_its_own(run, tmp_path):
    files, manifests, members, references = run
    write_comparison(files, manifests, outputs(tmp_path), members, references)
    assert list(pd.read_csv(tmp_path / "transfers.csv").columns) == list(COLUMNS)
    rows = [{"quantity": "simulation_rmse", "flux": "gpp", "value": 0.5}, {"quantity": "size", "flux": "", "value": 2}]
    about = {"stage": "towers", "fold": 1, "seed": 2, "parameters": 7, "params": {"backbone_name": "timexer"}}
    manifests.append(tmp_path / "reporting.json")
    manifests[-1].write_text(json.dumps(about | {"reported": rows}))
    write_comparison(files, manifests, outputs(tmp_path), members, references)
    found = pd.read_csv(tmp_path / "transfers.csv", dtype=str).to_numpy().tolist()
    assert found == [
        ["towers", "timexer", "1", "2", "simulation_rmse", "gpp", "0.5"],
        ["towers", "timexer", "1", "2", "size", "all", "2.0"],
    ]
