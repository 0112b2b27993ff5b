"""The packed runs of tests/fixtures/value_runs to their end: every value of every leaf with few values.

All but one are left out unless the environment says ``DERE_VALUES=1`` (CONTRIBUTING.md): together they take minutes.
"""

import os

import pandas as pd
import pytest

import value_runs
from value_inputs import write_inputs

ALWAYS = "stamps_end"
WANTED = os.environ.get("DERE_VALUES", "") not in ("", "0")
ON_REQUEST = pytest.mark.skipif(not WANTED, reason="takes minutes; set DERE_VALUES=1 to run every value to the end")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    before = os.environ.get(value_runs.INPUTS)
    folder = tmp_path_factory.mktemp("inputs")
    os.environ[value_runs.INPUTS] = str(folder)
    yield folder
    os.environ.pop(value_runs.INPUTS) if before is None else os.environ.update({value_runs.INPUTS: before})


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name == ALWAYS else pytest.param(name, marks=ON_REQUEST) for name in value_runs.PACKED]
)
def test_a_packed_run_comes_to_its_end(name, inputs, checkout, warm):
    write_inputs(inputs, value_runs.inputs_of(name))
    given = [str(file) for file in value_runs.overlays(name)]
    checkout.finish(warm, *given)
    results = checkout.folder / "results" / name
    config = value_runs.raw(name)
    skill = pd.read_csv(results / "tables" / "skill.csv")
    assert set(skill["method"]) == set(config["methods"]) and skill["rmse"].notna().any()
    wanted = {f".{form}" for form in config["figures"]["formats"]}
    assert {path.suffix for path in (results / "figures").iterdir() if path.is_file()} >= wanted
    said = "".join(path.read_text() for path in (results / "logs").rglob("*.log"))
    assert " finished in " in said and "Traceback" not in said and " ERROR " not in said
