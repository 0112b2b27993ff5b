"""The packed runs of tests/fixtures/value_runs to their end: every value of every leaf with few values.

All but one are left out unless the environment says ``DERE_VALUES=1`` (CONTRIBUTING.md): together they take minutes.
"""

import os

import pandas as pd
import pytest

import value_runs
from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.harmonise.site_roles import SEEN, UNSEEN
from dere.io import read_netcdf
from value_inputs import write_inputs

ALWAYS = "stamps_end"
WANTED = os.environ.get("DERE_VALUES", "") not in ("", "0")
ON_REQUEST = pytest.mark.skipif(not WANTED, reason="takes minutes; set DERE_VALUES=1 to run every value to the end")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if name == ALWAYS else pytest.param(name, marks=ON_REQUEST) for name in value_runs.PACKED]
)
def test_a_packed_run_comes_to_its_end(name, checkout, warm):
    write_inputs(checkout.folder / value_runs.PLACE, value_runs.inputs_of(name))
    files = [checkout.configured(file, tree) for file, tree in value_runs.placed(name)]
    checkout.finish(warm, *files)
    results = checkout.folder / "results" / name
    config = value_runs.raw(name)
    skill = pd.read_csv(results / "tables" / "skill.csv")
    assert set(skill["method"]) - {OWN_CLIMATOLOGY, OWN_LEVEL} == set(config["methods"]) and skill["rmse"].notna().any()
    wanted = {f".{form}" for form in config["figures"]["formats"]}
    assert {path.suffix for path in (results / "figures").iterdir() if path.is_file()} >= wanted
    said = "".join(path.read_text() for path in (results / "logs").rglob("*.log"))
    assert " finished in " in said and "Traceback" not in said and " ERROR " not in said
    on_all = list(results.glob(f"predictions/*/*/fold{config['splits']['folds']}/seed0.nc"))
    assert len(on_all) == config["all_towers"]
    for path in on_all:
        # the towers of all folds have been learned from
        assert set(read_netcdf(path)["role"].values.astype(str)) <= {SEEN, UNSEEN}
