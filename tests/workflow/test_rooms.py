"""A room can be taken away: what is left configures itself, can be planned, and runs to the end; nothing retrains."""

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from itertools import zip_longest
from pathlib import Path

import pandas as pd
import pytest
import yaml

from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.methods import methods, rooms, stages
from dere.rooms import members

RESULTS = "results/tiny"
METHODS = members("dere.methods", "METHODS")
BACKBONES = members("dere.backbones", "BACKBONE")
METRICS = members("dere.evaluation.metrics", "METRIC")
TOGETHER = [[room for room in group if room] for group in zip_longest(METHODS, BACKBONES, METRICS)]
"""Rooms of different kinds, taken away together, since one plan costs as much as another."""
NEEDED = {f"dere.evaluation.metrics.{name}" for name in ("rmse", "nse", "bias")}
"""Scores that other tables need, as their files say."""
KEPT_BACKBONE = "transformer"
LATE = {"ensemble", "evaluate", "cost", "comparison", "changes", "products", "figures", "opening"}
LATE |= {"explorer", "resolved_config", "all"}


def take_away(folder, *taken):
    """Take rooms out of a checkout and write the configuration of what is left, as ``make config`` does."""
    for room in taken:
        path = folder / "src" / Path(*room.split("."))
        shutil.rmtree(path) if path.is_dir() else path.with_suffix(".py").unlink()
    made = subprocess.run(
        [sys.executable, "-m", "dere.run_config.render", "config.yaml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr


def with_those_over(room):
    """Return a room of methods and those that cannot be without it: they combine its methods, or use its stages."""
    own = {method for method, found in rooms()[0].items() if found == room}
    over = [
        name
        for name, method in methods().items()
        if own & {*method.parts} or room in {rooms()[1][stage] for stage in method.stages}
    ]
    return [room, *dict.fromkeys(found for name in over if (found := rooms()[0][name]) != room)]


def small(folder, room):
    """Return the tiny configuration without what one room of methods and one backbone do not know."""
    tree = yaml.safe_load((folder / "config" / "tiny.yaml").read_text())
    own = [stage for stage in stages().values() if rooms()[1][stage.name] == room]
    sections = {stage.path[0] for stage in own}
    tree["backbones"] = [KEPT_BACKBONE]
    tree["networks"] = {KEPT_BACKBONE: tree["networks"][KEPT_BACKBONE]}
    tree["stages"] = {k: v for k, v in tree["stages"].items() if k in {"defaults", *(stage.name for stage in own)}}
    others = {stage.path[0] for stage in stages().values()} - sections - {"stages"}
    return {name: section for name, section in tree.items() if name not in others}


def test_scores_that_others_need_say_so():
    texts = {room: import_module(room).__doc__ for room in METRICS}
    assert {room for room, text in texts.items() if re.search("needs? this file", text)} == NEEDED


@pytest.mark.parametrize("room", METHODS)
def test_a_room_of_methods_imports_no_other(room):
    folder = Path(import_module(room).__file__).parent
    imported = re.findall(
        r"^ *(?:from|import) (dere\.methods\.\w+)", "".join(map(Path.read_text, folder.glob("*.py"))), re.M
    )
    assert not {*imported} & {*METHODS} - {room}


@pytest.mark.parametrize("taken", TOGETHER, ids=lambda taken: "-".join(room.rpartition(".")[2] for room in taken))
def test_without_a_room_a_run_can_be_planned(fresh, warm, taken):
    take_away(fresh.folder, *with_those_over(taken[0]), *taken[1:])
    planned = fresh.snakemake("--dry-run", "--cores", "2", tiny=False, warm=warm)
    assert planned.returncode == 0 and "This was a dry-run" in planned.stdout, planned.stdout[-3000:]
    for room in taken[:1]:
        own = [method for method, found in rooms()[0].items() if found == room]
        assert not re.search(rf"rule predict_({'|'.join(own)}):", planned.stdout)
    assert "rule predict_" in planned.stdout


@pytest.mark.parametrize("room", ["dere.methods.climatology", "dere.methods.trees", "dere.methods.kgml"])
def test_a_room_of_methods_runs_to_the_end_alone(continued, warm, room):
    """Without the other methods, the other backbones and all scores that nothing needs; what was trained stays."""
    folder = continued.folder
    tree = small(folder, room)
    continued.restore("src")
    take_away(
        folder,
        *(other for other in METHODS if other != room),
        *(other for other in BACKBONES if not other.endswith(f".{KEPT_BACKBONE}")),
        *(other for other in METRICS if other not in NEEDED),
    )
    shown = continued.finish(warm, continued.configured("rest.yaml", tree), tiny=False)
    own = [name for name, method in methods().items() if rooms()[0][name] == room]
    ran = set(re.findall(r"^(?:local)?rule (\w+):$", shown, re.M))
    assert ran <= LATE | {f"map_{own[-1]}"} and {"evaluate", "products", "figures"} <= ran
    skill = pd.read_csv(folder / RESULTS / "tables" / "skill.csv")
    assert set(skill["method"]) == {*own, OWN_CLIMATOLOGY, OWN_LEVEL}
    scores = {room.rpartition(".")[2] for room in METRICS}
    assert scores & set(skill) == {room.rpartition(".")[2] for room in NEEDED}
    comparison = pd.read_csv(folder / RESULTS / "tables" / "comparison.csv")
    assert list(dict.fromkeys(comparison["method"])) == [*own, OWN_LEVEL, OWN_CLIMATOLOGY]
    assert len(list((folder / RESULTS / "products").glob("*.nc"))) == 3
