"""The whole pipeline at tiny size: what it makes, how it uses the machine, how it refuses."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

import dere
from dere.backbones import names
from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.figures.catalogue import CATALOGUE
from dere.imputation.scores import METHODS
from dere.run_config.root import normalise
from dere.tables.declared import table_of
from dere.tables.scores import undeclared
from joined import joined_methods as methods
from joined import joined_stages as stages

RESULTS = "results/tiny"
FIRST = "transformer"
MEMBERS = [(name, backbone) for name, m in methods().items() for backbone in (names() if m.per_backbone else ["none"])]
TRAININGS = ("train_pure", "train_kgml_simulation", "train_plant_types_simulated")


def most_at_once(output, rules):
    """Return how many jobs of ``rules`` ran at the same time, from what Snakemake says, in its order."""
    running, most, rule = set(), 0, ""
    for line in output.splitlines():
        if begun := re.match(r"(?:local)?rule (\w+):$", line):
            rule = begun[1]
        elif (number := re.match(r"    jobid: (\d+)$", line)) and rule in rules:
            running.add(number[1])
            most = max(most, len(running))
        elif ended := re.match(r"Finished jobid: (\d+)", line):
            running.discard(ended[1])
    assert most and not running, "every job has begun and ended"
    return most


def test_tables_and_products_exist(tiny):
    tables = {path.stem for path in (tiny.folder / RESULTS / "tables").glob("*.csv")}
    wanted = {
        "skill",
        "site_skill",
        "paired",
        "calibration",
        "site_calibration",
        "closure",
        "totals",
        "cost",
        "comparison",
        "imputation",
    }
    wanted.add("sites")
    assert wanted | {"provenance", "citations"} <= tables
    assert len(list((tiny.folder / RESULTS / "products").glob("*_mon_dere_gn_*.nc"))) == 3


def test_every_method_is_judged(tiny):
    skill = pd.read_csv(tiny.folder / RESULTS / "tables" / "skill.csv")
    assert set(skill["method"]) == {*methods(), OWN_CLIMATOLOGY, OWN_LEVEL}
    assert {"all", "virtual", "map"} <= set(skill["grouping"])


@pytest.mark.parametrize(("method", "backbone"), MEMBERS)
def test_predictions_of_every_member_are_complete_closed_and_have_a_spread(tiny, method, backbone):
    towers = xr.open_dataset(tiny.folder / RESULTS / "data" / "towers.nc")
    splits = pd.read_csv(tiny.folder / RESULTS / "data" / "splits.csv")
    sites = splits[splits["kind"] == "site"]
    worth = {0: "cross_validated", -1: "unseen"}
    wanted = {row.id: worth.get(row.fold, "seen_in_training") for row in sites.itertuples()}
    for name in ("fold0/seed0.nc", "ensemble.nc"):
        file = xr.open_dataset(tiny.folder / RESULTS / "predictions" / method / backbone / name)
        found = file["prediction"]
        assert dict(zip(found["site"].values.tolist(), file["role"].values.tolist(), strict=True)) == wanted
        inside = towers["record"].sel(site=found["site"])
        for part in (found, file["std"], file["quantile_value"]):
            assert bool((part.notnull() == inside).all())
        residual = found.sel(flux="reco") - found.sel(flux="gpp") - found.sel(flux="nee")
        assert float(abs(residual).max()) < 1e-4


def test_every_site_is_listed_and_given_away_with_its_role(tiny):
    table = pd.read_csv(tiny.folder / RESULTS / "tables" / "sites.csv").set_index("site")
    towers = xr.open_dataset(tiny.folder / RESULTS / "data" / "towers.nc")
    assert set(table.index) == set(towers["site"].values)
    assert set(table["role"]) == {"cross_validated", "unseen", "seen_in_training"}
    public = pd.read_csv(tiny.folder / RESULTS / "products" / "towers.csv.gz")
    assert public.groupby("site")["role"].unique().explode().to_dict() == table["role"].to_dict()
    scored = pd.read_csv(tiny.folder / RESULTS / "tables" / "site_skill.csv").query("rows != 'map'")["site"]
    assert not set(scored) & set(table.index[table["role"] == "seen_in_training"])


def test_the_comparison_has_every_method_on_every_backbone(tiny):
    table = pd.read_csv(tiny.folder / RESULTS / "tables" / "comparison.csv")
    # references stand at test towers alone
    assert len(table) == (len(MEMBERS) * 2 + 2) * 3
    networks = table[table["backbone"] != "none"]
    assert set(networks["backbone"]) == set(names())
    assert networks[["nse", "nse_ensemble", "rmse", "parameters", "seconds"]].notna().all(axis=None)
    assert networks.loc[networks["method"] == "dere", "ratio_kgml"].notna().all()
    shared = networks.drop_duplicates(["method", "backbone"]).set_index("method")["shared_stages"].fillna("")
    # the last stage and its labels serve the mean of methods too
    assert set(shared.loc["dere"]) == {"pure mixture age plant_types_simulated plant_types_observed towers uncertain "
                                       "imputation impute_labels"}  # fmt: skip
    assert set(shared.loc["kgml"]) == {""}


@pytest.fixture(scope="module")
def opened(tiny):
    return dere.open_run(tiny.folder / RESULTS)


@pytest.mark.parametrize(
    ("method", "at"),
    [
        ("gbm", "sites"),
        ("gp", "sites"),
        ("blend", "sites"),
        ("dere", "sites"),
        ("baseline", "cells"),
        ("dere", "cells"),
    ],
)
def test_the_library_predicts_what_the_rules_have_written(opened, method, at):
    """No rule makes maps of a method that is not given away, so that there is nothing to compare those with."""
    made = dere.predict(opened.fitted(method), opened, at=at)
    if at == "sites" or method == "dere":
        xr.testing.assert_identical(made, opened.predictions(method, cells=at == "cells").load())
    else:
        assert made["prediction"].sizes["cell"] == opened.drivers.sizes["cell"] and bool((made["std"] > 0).all())


def test_the_library_fits_what_the_rules_have_written(opened):
    made, written = (model.stages["baseline"] for model in (dere.fit("baseline", opened), opened.fitted("baseline")))
    assert set(made.arrays) == set(written.arrays)
    for name, values in written.arrays.items():
        np.testing.assert_array_equal(made.arrays[name], values, err_msg=name)
    assert {**made.facts, "folder": ""} == {**written.facts, "folder": ""}


def test_the_library_judges_as_the_evaluation_did(opened, tmp_path):
    """The tables of one prediction are the run's rows of it, also where it comes as somebody's csv."""
    predicted = opened.predictions("gbm").load()
    judged = dere.evaluate(predicted, opened)
    for name in ("skill", "site_skill", "calibration", "paired"):
        table, found = opened.tables[name], getattr(judged, name)
        own = table["method"].eq("gbm") | (table["against"].eq("gbm") if "against" in table else False)
        rows = table[own & (table["seed"].ne("ensemble") if "seed" in table else True)]
        key = [column for column in table if table[column].dtype == "str"]
        first, second = (t.fillna(dict.fromkeys(key, "")).sort_values(key, ignore_index=True) for t in (rows, found))
        pd.testing.assert_frame_equal(first, second, check_exact=True, check_dtype=False)
    asked = predicted.isel(site=predicted["role"].values != "seen_in_training")
    wide = asked["prediction"].to_dataset("flux").to_dataframe().reset_index()
    wide[["site", "time", "gpp", "reco", "nee"]].to_csv(tmp_path / "mine.csv", index=False)
    mine = dere.evaluate(tmp_path / "mine.csv", opened)
    assert set(mine.skill["method"]) == {"mine"}
    names_apart = ["method", "backbone"]
    pd.testing.assert_frame_equal(
        mine.skill.drop(columns=names_apart), judged.skill.drop(columns=names_apart), check_exact=True
    )


def test_labels_are_made_once_for_all_backbones(tiny):
    cost = pd.read_csv(tiny.folder / RESULTS / "tables" / "cost.csv")
    assert (cost["rule"] == "train_imputation").sum() == (cost["rule"] == "impute_labels").sum() == 1
    assert (cost["rule"] == "train_uncertain").sum() == len(names())


def test_imputed_months_are_scored_for_every_gap_and_method(tiny):
    table = pd.read_csv(tiny.folder / RESULTS / "tables" / "imputation.csv")
    assert set(table["method"]) == {*METHODS, "labels"}
    assert set(table["fold"].astype(str)) == {"0", "all"} and {"site", "years", "all"} <= set(table["gap"])
    assert table["crps"].notna().all()


def test_gaps_of_every_labelled_tower_are_filled(tiny):
    splits = pd.read_csv(tiny.folder / RESULTS / "data" / "splits.csv")
    wanted = set(splits.query("kind == 'site' and fold >= 0")["id"])
    for step in ("monthly", "annual"):
        file = xr.open_dataset(tiny.folder / RESULTS / "towers_filled" / f"{step}.nc")
        assert set(file["site"].values.tolist()) == wanted and set(file["role"].values) <= {
            "training",
            "validation",
            "test",
        }
        assert bool((file["reco_member"] - file["gpp_member"] == file["nee_member"]).any())
    assert (tiny.folder / RESULTS / "towers_filled" / "annual.csv").read_text().startswith("site,year,")


def test_closure_holds_in_every_file(tiny):
    closure = pd.read_csv(tiny.folder / RESULTS / "tables" / "closure.csv")
    assert {"prediction", "product"} == set(closure["kind"]) and len(closure) > 8
    assert closure["maximum_residual"].max() < 1e-5


def test_without_a_gpu_trainings_ran_on_the_cpu(tiny):
    for log in (tiny.folder / RESULTS / "logs").rglob("train_*.log"):
        assert "CUDA" not in log.read_text()


def test_cost_names_every_training(tiny):
    cost = pd.read_csv(tiny.folder / RESULTS / "tables" / "cost.csv")
    trained = {rule for rule in cost["rule"] if rule.startswith("train_")}
    assert trained == {f"train_{name}" for name in stages()} | {"train_imputation"}
    assert bool((cost[["seconds", "cpu_seconds", "max_rss_mb"]] > 0).all(axis=None))


def test_the_settings_that_trees_tried_are_their_history(tiny):
    for stage in ("gbm", "gbm_sim"):
        folder = tiny.folder / RESULTS / "models" / "none" / "fold0" / "seed0" / stage
        table = pd.read_csv(folder / "history.csv")
        assert {"gpp", "reco", "nee"} <= set(table["flux"]) and table["score"].notna().all()


def test_resolved_configuration_is_complete(tiny):
    written = yaml.safe_load((tiny.folder / RESULTS / "config.yaml").read_text())
    assert normalise(written) == written and written["run"] == "tiny"


def test_nothing_half_written_stays(tiny):
    assert not list((tiny.folder / RESULTS).rglob("*.partial.*"))
    assert not list((tiny.folder / RESULTS).rglob("last*.pt"))


def test_everything_made_of_the_invented_world_says_so(tiny):
    files = sorted((tiny.folder / RESULTS).rglob("*.nc"))
    assert {"raw", "interim", "data", "labels", "predictions", "products"} <= {
        path.relative_to(tiny.folder / RESULTS).parts[0] for path in files
    }
    for path in files:
        with xr.open_dataset(path) as data:
            assert data.attrs["source"].startswith("invented world"), path
    for table in ("provenance", "citations"):
        rows = pd.read_csv(tiny.folder / RESULTS / f"tables/{table}.csv")
        made = rows[rows["source"] != "software"] if "source" in rows else rows
        assert made["product"].str.startswith("invented world, in the layout of ").all()


def test_every_column_of_every_table_of_the_run_is_declared(tiny):
    run = tiny.folder / RESULTS
    parts = ("tables", "data", "models", "towers_filled", "products", "figures")
    files = [path for part in parts for path in (run / part).rglob("*.csv*")]
    assert len(files) > 40
    for path in files:
        table = table_of(path.relative_to(run).as_posix())
        assert table, f"{path}: add it to src/dere/tables/tables.csv"
        assert not undeclared(table, pd.read_csv(path, nrows=0).columns), path


def test_the_first_page_says_what_the_data_are_and_leads_to_files_that_there_are(tiny):
    text = (tiny.folder / RESULTS / "index.html").read_text(encoding="utf-8")
    assert "Invented data: simulation, plant types, towers of the built-in world" in text
    assert text.count("data:image/png") == 3 and "3 test towers" in text
    links = set(re.findall(r'href="(?!https?:|data:)([^"]+)"', text)) - {"report.html"}
    assert len(links) > 30 and not [link for link in links if not (tiny.folder / RESULTS / link).is_file()]


def test_report_holds_every_figure_and_the_configuration(tiny):
    report = tiny.folder / "report.html"
    made = tiny.snakemake("--report", str(report))
    assert made.returncode == 0, made.stdout[-3000:]
    text = report.read_text()
    figures = {path.stem for path in (tiny.folder / RESULTS / "figures").glob("*.png")}
    assert figures == set(CATALOGUE)
    for name in figures:
        assert f"{RESULTS}/figures/{name}.png" in text, name
    assert f"{RESULTS}/config.html" in text
    assert "Invented data: simulation, plant types, towers" in text, "the first page"
    assert all(f"{RESULTS}/tables/{name}.csv" in text for name in ("skill", "imputation"))


def test_an_unknown_key_ends_the_run_in_a_sentence(tiny):
    refused = tiny.snakemake("--dry-run", "--config", "trees={'setings': 3}")
    assert refused.returncode != 0
    assert "trees.setings is not a known configuration key; did you mean settings?" in refused.stdout


def test_a_missing_source_ends_the_run_in_a_sentence(tiny):
    real = ["--dry-run", "--config", "sources={'towers': {'paths': ['nowhere']}}"]
    mixed = tiny.snakemake(*real)
    assert mixed.returncode != 0
    assert "sources.towers.paths names real files, but simulation and cover would come from" in mixed.stdout
    refused = tiny.snakemake(*real, "allow_invented=true")
    assert refused.returncode != 0
    assert "nowhere: this source folder does not exist or is empty" in refused.stdout


def test_the_default_run_can_be_planned(checkout):
    planned = checkout.snakemake("--dry-run", "--cores", "2", tiny=False)
    assert planned.returncode == 0, planned.stdout[-3000:]


def test_a_broken_input_ends_in_a_sentence_and_leaves_no_output(tiny):
    """A truncated prediction: one sentence in the log, a non-zero exit, nothing half-written."""
    victim = tiny.folder / RESULTS / "predictions" / "climatology" / "none" / "fold0" / "seed0.nc"
    content = victim.read_bytes()
    try:
        victim.write_bytes(content[: len(content) // 2])
        broken = tiny.snakemake("--cores", "1", "--until", "ensemble", "--show-failed-logs")
        assert broken.returncode != 0
        assert re.search(r"seed0\.nc \(\d+ bytes\) cannot be read as NetCDF .*it is truncated", broken.stdout)
        assert not list((tiny.folder / RESULTS / "predictions").glob("*/*/ensemble.nc"))
    finally:
        victim.write_bytes(content)


@pytest.mark.parametrize("gpu", [1, 0])
def test_gpu_rules_overlap_only_without_a_gpu(tiny, gpu):
    folder = f"{RESULTS}/models/{FIRST}/fold0/seed0"
    files = [f"{folder}/{rule.removeprefix('train_')}/model.safetensors" for rule in TRAININGS]
    forced = ["--forcerun", *files, "--until", *files]
    made = tiny.snakemake("--cores", "2", "--resources", f"gpu={gpu}", *forced)
    assert made.returncode == 0, made.stdout[-3000:]
    assert most_at_once(made.stdout, TRAININGS) == (2 if gpu == 0 else 1)


def test_the_same_seed_gives_the_same_weights(tiny):
    """Retraining above left what follows the trainings untouched: equal weights are found by their content."""
    late = {"ensemble", "evaluate", "comparison", "products", "figures", "opening", "explorer", "cost", "all"}
    assert set(tiny.pending()) <= late
    made = tiny.snakemake("--cores", "2", "--resources", "gpu=0")
    assert made.returncode == 0, made.stdout[-3000:]
