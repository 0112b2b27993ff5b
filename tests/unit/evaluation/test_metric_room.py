"""A score is one file: a new one becomes a column of every table, one that nothing needs may go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dere.evaluation import metrics, schemas, site_scores, tables
from dere.evaluation.metrics.base import Metric
from dere.exchange import DEFAULT, get

PACKAGE = Path(metrics.__file__).parents[2]
ORDER = ("rmse", "nse", "r2", "bias", "mae", "sigma_ratio", "kge")
NEW = """
import numpy as np
from dere.evaluation.metrics.base import Metric

METRIC = Metric(
    name="worst",
    label="largest error",
    unit="flux",
    better="lower",
    function=lambda pairs: np.nanmax(abs(pairs.predicted - pairs.observed), axis=-1, initial=0.0),
    reference="none",
    rank=45,
    bounds=(0.0, np.inf),
)
"""
PROGRAM = """
import json
import dere
from made_towers import make_towers, prediction_file
from dere.config.evaluation import EvaluationConfig
from dere.evaluation.judge import judge
from dere.evaluation.predictions import sites_with_role
from dere.training.roles import PREDICTED

towers, members = make_towers()
sites = sites_with_role(members, PREDICTED)
values = 1.1 * towers["true_flux"].sel(site=sites).values
file = prediction_file(values, towers, sites, method="m")
config = EvaluationConfig(bootstrap=20, minimum_years=3)
found = judge({"m": file, "n": file.assign_attrs(method="n")}, towers, members.drop(columns="role"), config)
first = found["site_skill"].query("scale == 'monthly' and flux == 'gpp' and quality == 0.5").iloc[0]
print(json.dumps({
    "package": dere.__file__,
    "skill": list(found["skill"].columns),
    "site_skill": list(found["site_skill"].columns),
    "paired": len(found["paired"]),
    "worst": float(first.get("worst", -1)),
    "site": first["site"],
}))
"""


@pytest.fixture
def copied(tmp_path):
    """A copy of the package whose metrics may be changed, and what the judge makes with it."""
    shutil.copytree(PACKAGE, tmp_path / "dere", ignore=shutil.ignore_patterns("__pycache__"))

    def judged() -> dict:
        here = str(Path(__file__).parents[2] / "fixtures")
        environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{here}", "PYTHONDONTWRITEBYTECODE": "1"}
        text = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, check=True
        ).stdout
        found: dict = json.loads(text)
        assert found["package"] == str(tmp_path / "dere" / "__init__.py")
        return found

    return tmp_path / "dere" / "evaluation" / "metrics", judged


def test_columns_stand_in_the_order_of_the_ranks():
    assert metrics.SCORES == ORDER
    assert [name for name in site_scores.COLUMNS if name in ORDER] == list(ORDER)
    assert [name for name in tables.COLUMNS if name in ORDER] == list(ORDER)


def test_a_new_file_is_a_new_column_of_every_table(copied, towers):
    folder, judged = copied
    (folder / "worst.py").write_text(NEW)
    found = judged()
    for name in ("skill", "site_skill"):
        assert [column for column in found[name] if column in (*ORDER, "worst")] == [*ORDER[:4], "worst", *ORDER[4:]]
    observed = towers["flux_value"].sel(site=found["site"], flux="gpp").values
    good = np.isfinite(observed) & (towers["flux_quality"].sel(site=found["site"], flux="gpp").values >= 0.5)
    assert found["worst"] == pytest.approx(np.abs(0.1 * observed[good]).max())


def test_scores_that_nothing_needs_may_go(copied):
    folder, judged = copied
    for name in ("r2", "mae", "sigma_ratio", "kge"):
        (folder / f"{name}.py").unlink()
    found = judged()
    for name in ("skill", "site_skill"):
        assert [column for column in found[name] if column in ORDER] == ["rmse", "nse", "bias"]
    assert found["paired"]


@pytest.mark.parametrize(
    ("name", "value"), [("nse", 1.01), ("kge", 1.01), ("rmse", -0.1), ("mae", -0.1), ("sigma_ratio", -0.1), ("r2", 1.1)]
)
def test_the_bounds_of_a_score_are_those_of_its_column(name, value):
    column = schemas.schema("skill", get(DEFAULT)).columns[name]
    assert metrics.METRICS[name].bounds != (-np.inf, np.inf)
    inside, outside = (any(not check(pd.Series([v])).check_passed for check in column.checks) for v in (0.5, value))
    assert (inside, outside) == (False, True)


def test_declarations_say_what_readers_need():
    for metric in metrics.METRICS.values():
        assert metric.label and metric.reference
        low, high = metric.bounds
        assert {"lower": low == 0, "higher": high == 1, "zero": low < 0 < high, "one": low == 0}[metric.better]


@pytest.mark.parametrize("name", ORDER)
def test_the_unit_of_a_score_is_that_of_the_flux_where_it_says_so(name):
    rng = np.random.default_rng(2)
    o, p = rng.normal(2, 1, (2, 40))
    factor = {"flux": 10.0, "1": 1.0}[metrics.METRICS[name].unit]
    assert metrics.score(name, 10 * o, 10 * p) == pytest.approx(factor * metrics.score(name, o, p))


def test_a_metric_is_called_as_its_file():
    metric = Metric("nse", "", "1", "higher", lambda pairs: pairs.count, "", 1)
    with pytest.raises(ValueError, match=r"metrics\.other declares the metric 'nse'; call it as its file"):
        metrics.ordered({"dere.evaluation.metrics.other": metric})
