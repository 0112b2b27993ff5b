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
from shown_code import PAGE, blocks

ROOT = Path(__file__).parents[3]
PROGRAM = ROOT / "tests" / "fixtures" / "train_and_judge.py"
PARTS = ("Snakefile", "config.yaml", "config", "workflow", "src", "envs", "profiles")
FILES = {
    "src/dere/methods/ridge.py": "METHODS",
    "src/dere/backbones/gru.py": "BACKBONE",
    "src/dere/evaluation/metrics/agreement.py": "METRIC",
    "src/dere/exchange/net.py": "EXCHANGE",
    "src/dere/ingest/tower/peat.py": "SOURCES",
}
MEMBERS = ("methods=[climatology,ridge,baseline]", "backbones=[gru]", "exchanges=[co2,net]")


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
    "ingest_towers": ("dere.ingest.tower.fluxnet", "dere.ingest.tower.fluxnet.family"),
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


@pytest.fixture(scope="module")
def judged(extended, canonical, tmp_path_factory):
    """What the new method, and old ones on the new network, reach on each exchange."""
    files = json.dumps({name: str(path) for name, path in canonical.items()})
    folder = tmp_path_factory.mktemp("judged")
    found = json.loads(run(extended, str(PROGRAM), files, str(folder)).splitlines()[-1])
    assert found["package"] == str(extended / "src" / "dere" / "__init__.py")
    return found


@pytest.mark.parametrize(
    ("exchange", "fluxes", "networks"),
    [("co2", {"gpp", "reco", "nee"}, ("baseline", "kgml", "dere_towers")), ("net", {"nee"}, ("baseline",))],
)
def test_they_train_and_predict(judged, exchange, fluxes, networks):
    found = judged[exchange]
    assert found["backbones"] == {"ridge": "none", **dict.fromkeys(networks, "gru")}
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


READING = """
import json, sys
from pathlib import Path
from dere.config.towers import TowerSource
from dere.ingest.source import of_modules
from dere.ingest.tower.discovery import wanted
from dere.ingest.tower.towers import read_towers
folder = Path(sys.argv[1])
modules = wanted([folder])
dataset, provenance, _ = read_towers([folder], TowerSource(), among=of_modules(modules))
names = ("nee", "gpp_nt", "air_temperature", "precipitation", "nee_quality")
months = {name: dataset[name].sel(site="FI-Pea").values[:2].tolist() for name in names}
print(json.dumps([modules, months, provenance.set_index("file").loc["peat_FI-Pea.csv"].astype(str).to_dict()]))
"""


def test_its_towers_are_read(extended, tmp_path):
    months = [200000 + 100 * year + month for year in (1, 2) for month in range(1, 13)]
    rows = [f"{month},-1,-2,{273.15 + 5 if month > 200101 else -99},31,80" for month in months]
    (tmp_path / "peat_FI-Pea.csv").write_text("\n".join(["TIMESTAMP,NEE,UPTAKE,T_AIR,RAIN,MEASURED", *rows]) + "\n")
    (tmp_path / "sites.csv").write_text("site,lat,lon,igbp\nFI-Pea,62,24,WET\n")
    modules, found, origin = json.loads(run(extended, "-c", READING, str(tmp_path)).splitlines()[-1])
    assert modules == ["dere.ingest.tower.peat", "dere.ingest.tower.site_table"]
    per_day = 12.011e-6 * 86400
    assert found["nee"] == pytest.approx([-per_day] * 2) and found["gpp_nt"] == pytest.approx([2 * per_day] * 2)
    assert found["air_temperature"] == pytest.approx([float("nan"), 5], nan_ok=True)
    assert found["precipitation"] == pytest.approx([1, 31 / 28]) and found["nee_quality"] == pytest.approx([0.8] * 2)
    assert (origin["product"], origin["version"]) == ("peat towers", "peat towers v1")
    assert float(origin["gaps_of_temperature"]) == 1
