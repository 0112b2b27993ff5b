"""docs/extending.md: its code, put into a copy of the repository as it stands there, is found, trained and judged."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dere.workflow.digest import covered, digest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "extending.md"
PARTS = ("Snakefile", "config.yaml", "config", "workflow", "src", "envs", "profiles")
FILES = {
    "src/dere/methods/ridge.py": "METHODS",
    "src/dere/backbones/gru.py": "BACKBONE",
    "src/dere/evaluation/metrics/agreement.py": "METRIC",
    "src/dere/exchange/net.py": "EXCHANGE",
}
MEMBERS = ("methods=[climatology,ridge,baseline]", "backbones=[gru]", "exchanges=[co2,net]")


def blocks():
    """Path to code of every file that the page shows."""
    return dict(re.findall(r"^`(src/\S+\.py)`\n\n```python\n(.*?)^```$", PAGE.read_text(), re.M | re.S))


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A copy of the repository with the files of the page."""
    folder = tmp_path_factory.mktemp("extended")
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    for path, text in blocks().items():
        (folder / path).write_text(text)
    return folder


def run(folder, *command):
    """Output of a command in a copy of the repository, with the package that lies there."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def test_each_is_one_new_file_with_one_declaration():
    found = blocks()
    assert list(found) == list(FILES) and PAGE.read_text().count("```python") == len(FILES)
    for path, marker in FILES.items():
        assert not (ROOT / path).exists()
        assert re.findall(r"^([A-Z]+) = ", found[path], re.M)[-1] == marker


def test_the_code_keeps_the_house_style(extended):
    run(extended, "-m", "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), *FILES)
    run(extended, "-m", "ruff", "format", "--check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), *FILES)


OLD_CODE = {
    "train": ("dere.exchange.co2", "dere.methods.kgml", "dere.methods.kgml.network", "dere.backbones.timexer.network"),
    "predict": ("dere.exchange.co2", "dere.methods.trees", "dere.methods.trees.predicting"),
    "harmonise": ("dere.exchange.co2",),
    "evaluate": ("dere.exchange.co2",),
}


def test_none_of_them_is_code_of_what_was_there_but_the_score_of_the_judge(extended):
    def code(folder, script, modules):
        return digest(
            covered(folder / "workflow" / "scripts" / f"{script}.py", folder / "src", modules), folder / "src"
        )

    changed = [name for name, own in OLD_CODE.items() if code(ROOT, name, own) != code(extended, name, own)]
    assert changed == ["evaluate"]


CONFIGURATION = """
import json
from dere.run_config.root import normalise
given = {"methods": ["ridge", "baseline"], "backbones": ["gru"], "exchanges": ["co2", "net"],
         "stages": {"ridge": {"penalty": 0.5}}, "networks": {"gru": {"width": 8}}}
print(json.dumps([normalise(given), normalise({"methods": ["ridge"]})["stages"]["ridge"], normalise({})["methods"]]))
"""


def test_the_configuration_knows_them(extended):
    complete, shipped, methods = json.loads(run(extended, "-c", CONFIGURATION))
    assert complete["stages"]["ridge"] == {"penalty": 0.5} and shipped == {"penalty": 0.01}
    assert set(complete["stages"]) == {"defaults", "ridge", "baseline"}
    assert list(complete["networks"]) == ["gru"] and complete["networks"]["gru"]["width"] == 8
    assert methods.index("simulation") < methods.index("ridge") < methods.index("gbm")


def test_a_dry_run_lists_their_rules(extended):
    shown = run(
        extended, "-m", "snakemake", "--workflow-profile", "none", "--dry-run", "--cores", "1",
        "--configfile", "config/tiny.yaml", "--config", *MEMBERS,
    )  # fmt: skip
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", shown, re.M))
    of_one = {"train_climatology", "train_ridge", "train_baseline", "predict_climatology", "predict_ridge",
              "predict_baseline", "ensemble", "evaluate", "cost", "comparison", "products", "statistics"}  # fmt: skip
    assert {*of_one, *(f"{name}_net" for name in of_one), "map_baseline", "harmonise_net"} <= set(jobs)
    assert all(jobs[name] == "1" for name in jobs if name.startswith(("train_", "predict_")))
    assert "results/tiny/models/gru/fold0/seed0/baseline/model.safetensors" in shown
    assert "results/tiny/net/models/none/fold0/seed0/ridge/model.safetensors" in shown


TRAINED_AND_JUDGED = """
import json, sys
from pathlib import Path
import dere
from dere.backbones import declaration
from dere.config.evaluation import EvaluationConfig
from dere.evaluation.judge import judge
from dere.io import read_netcdf, write_netcdf
from dere.methods import rooms, stages
from dere.workflow.members import read_splits
from dere.workflow.predict import predict_sites
from dere.workflow.rule_job import RuleJob
from dere.workflow.train import train

files, folder = {name: Path(path) for name, path in json.loads(sys.argv[1]).items()}, Path(sys.argv[2])
of_methods, of_stages = rooms()
harmonise = {"window": 24, "satellites": False, "minimum_training_quality": 0.5}
small = {"baseline": {"epochs": 2, "steps_per_epoch": 3, "batch": 4}, "ridge": {}}
size = declaration("gru").section(width=16, heads=2, feedforward=24).model_dump()


def predicted(name, files, folder, exchange):
    stage = stages()[name]
    about = {"backbone_name": "gru" if stage.per_backbone else "none", "harmonise": harmonise}
    params = {"stage": type(stage.section)(**small[name]).model_dump(), "backbone": size, **about}
    own = {file: files[file] for file in ("splits", *stage.reads)}
    train(RuleJob(own, {}, folder / name, params, 0, 0, name, of_stages[name], exchange))
    sites = {file: files[file] for file in ("towers", "splits")}
    output = folder / f"{name}.nc"
    predict_sites(RuleJob(sites, {name: folder / name}, output, about, 0, 0, name, of_methods[name], exchange))
    return read_netcdf(output)


# what harmonise and statistics make of an exchange of one flux without a simulation
towers, statistics = read_netcdf(files["towers"]), read_netcdf(files["statistics"])
nee = towers.sel(flux=["nee"]).drop_vars(["initial_state", "target", "stand"])
of_nee = statistics.isel(flux=[2], target=[towers["target"].values.tolist().index("nee")])
of_net = {
    "splits": files["splits"],
    "towers": write_netcdf(nee, folder / "net" / "towers.nc"),
    "statistics": write_netcdf(of_nee, folder / "net" / "statistics.nc"),
}
config = EvaluationConfig(bootstrap=20, minimum_months=3, minimum_years=2)
splits, found = read_splits(files["splits"]), {"package": dere.__file__}
for exchange, own in {"co2": files, "net": of_net}.items():
    predictions = {name: predicted(name, own, folder / exchange, exchange) for name in small}
    truth = read_netcdf(own["towers"])
    tables = judge(predictions, truth, splits, config, exchange=dere.exchange.get(exchange))
    pooled = "scale == 'monthly' and statistic == 'median' and grouping == 'all' and fold == 'all'"
    wide = tables["skill"].query(pooled).pivot(index="method", columns="flux", values=["agreement", "r2"])
    scores = {name: wide[name].to_dict("index") for name in ("agreement", "r2")}
    found[exchange] = {
        "columns": list(tables["skill"].columns),
        "backbones": {name: str(file.attrs["backbone"]) for name, file in predictions.items()},
        **scores,
        "spread": {name: float(file["std"].min()) for name, file in predictions.items()},
    }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def judged(extended, canonical, tmp_path_factory):
    """What the new method, and the network of an old one on the new backbone, reach on each exchange."""
    files = json.dumps({name: str(path) for name, path in canonical.items()})
    folder = tmp_path_factory.mktemp("judged")
    found = json.loads(run(extended, "-c", TRAINED_AND_JUDGED, files, str(folder)).splitlines()[-1])
    assert found["package"] == str(extended / "src" / "dere" / "__init__.py")
    return found


@pytest.mark.parametrize(("exchange", "fluxes"), [("co2", {"gpp", "reco", "nee"}), ("net", {"nee"})])
def test_they_train_and_predict(judged, exchange, fluxes):
    found = judged[exchange]
    assert found["backbones"] == {"ridge": "none", "baseline": "gru"}
    assert all(spread > 0 for spread in found["spread"].values())
    assert all(set(scores) == fluxes for scores in found["agreement"].values())
    # the invented fluxes are the light times a factor of the site
    assert all(r2 > 0.99 for r2 in found["r2"]["ridge"].values())


def test_the_score_is_a_column_in_its_place(judged):
    for exchange in ("co2", "net"):
        columns = judged[exchange]["columns"]
        assert columns[columns.index("agreement") - 1] == "sigma_ratio"
        assert columns[columns.index("agreement") + 1] == "kge"
        values = [value for scores in judged[exchange]["agreement"].values() for value in scores.values()]
        assert all(0 <= value <= 1 for value in values)
    # the regression, which can follow the light, agrees better than a network after six steps
    scores = judged["net"]["agreement"]
    assert scores["ridge"]["nee"] > scores["baseline"]["nee"]
