"""Whichever method is given away and stands in the foreground, a plug-in too, the run goes to the end."""

import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL
from dere.figures.catalogue import CATALOGUE
from joined import joined_methods as methods
from shown_code import blocks

RESULTS = "results/tiny"
SAME = {
    "world_map",
    "training_history",
    "comparison",
    "label_weights",
    "skill_comparison",
    "calibration",
    "pit",
    "site_calibration",
}
"""Figures that do not depend on the method; the finished run has drawn them."""
LATE = {"ensemble", "evaluate", "cost", "comparison", "changes", "products", "figures", "opening"}
LATE |= {"explorer", "resolved_config", "all"}


@pytest.mark.parametrize("method", methods())
def test_a_method_is_given_away_and_shown(continued, warm, method):
    chosen = {
        "products": {"method": method},
        "figures": {"method": method, "skip": sorted(SAME)},
        "backbones": ["transformer"],
    }
    folder = continued.folder / RESULTS
    for old in (folder / "figures").glob("*.png"):
        old.unlink()
    shown = continued.finish(warm, continued.configured("chosen.yaml", chosen))
    ran = set(re.findall(r"^(?:local)?rule (\w+):$", shown, re.M))
    maps = {f"map_{name}" for name in (*methods()[method].parts, method)}
    assert ran <= LATE | maps and {f"map_{method}", "products", "evaluate", "figures"} <= ran
    public = [xr.open_dataset(path) for path in sorted((folder / "products").glob("*.nc"))]
    assert [dataset.attrs["variable_id"] for dataset in public] == ["gpp", "nee", "reco"]
    values = {dataset.attrs["variable_id"]: dataset[dataset.attrs["variable_id"]] for dataset in public}
    there = values["gpp"].notnull()
    assert bool(there.any()) and all(bool((one.notnull() == there).all()) for one in values.values())
    rest = (values["reco"] - values["gpp"] - values["nee"]).where(there, 0.0)
    assert float(np.abs(rest).max()) < 1e-6 * float(np.abs(values["gpp"]).max())
    for name, dataset in zip(values, public, strict=True):
        assert bool((dataset[f"{name}_q95"] >= dataset[f"{name}_q05"]).where(there, True).all())
    assert (public[0].attrs["references"] != "not stated") == bool(methods()[method].references)
    towers = pd.read_csv(folder / "products" / "towers.csv.gz")
    assert set(towers["flux"]) == set(values) and towers[["predicted", "std"]].notna().all(axis=None)
    closure = pd.read_csv(folder / "tables" / "closure.csv")
    assert closure.loc[closure["kind"] == "product", "file"].str.partition("/")[0].tolist() == [method]
    skill = pd.read_csv(folder / "tables" / "skill.csv")
    assert skill.loc[skill["grouping"] == "map", "method"].unique().tolist() == [method]
    drawn = {path.stem for path in (folder / "figures").glob("*.png")}
    assert drawn == set(CATALOGUE) - SAME - (
        set() if "plant_fraction" in methods()[method].gives else {"plant_fractions"}
    )


@pytest.fixture(scope="module")
def beside(continued):
    """Put the method that docs/extending.md shows beside the checkout's own folders, unchanged."""
    path = continued.folder / "mine" / "ridge.py"
    path.parent.mkdir()
    path.write_text(blocks()["src/dere/methods/ridge.py"])
    return path


WITH_RIDGE = {"plugins": ["mine/ridge.py"], "methods": ["climatology", "ridge"], "backbones": ["transformer"]}


def test_a_plug_in_that_the_run_does_not_use_reruns_nothing(beside, continued):
    """The tests before have given away another method, so that a little may be pending without it too."""
    before = continued.pending()
    assert set(before) <= LATE | {"map_dere"}
    after = continued.pending(continued.configured("unused.yaml", {"plugins": ["mine/ridge.py"]}))
    # the files behind a reason have no order
    kinds = [
        {rule: {why.partition(":")[0] for why in whys} for rule, whys in found.items()} for found in (before, after)
    ]
    assert kinds[0] == kinds[1]


def test_a_plug_in_is_trained_judged_and_given_away(beside, continued, warm):
    folder = continued.folder / RESULTS
    overlay = continued.configured("ridge.yaml", WITH_RIDGE)
    shown = continued.finish(warm, overlay)
    ran = set(re.findall(r"^(?:local)?rule (\w+):$", shown, re.M))
    own = {"train_ridge", "predict_ridge", "map_ridge"}
    assert own <= ran <= own | LATE
    known = set(pd.read_csv(folder / "tables" / "skill.csv")["method"])
    assert known == {"climatology", "ridge", OWN_CLIMATOLOGY, OWN_LEVEL}
    assert {path.name.split("_")[0] for path in (folder / "products").glob("*.nc")} == {"gpp", "reco", "nee"}
    # the file is code of the rules that use it
    text = beside.read_text()
    beside.write_text(text.replace('"""Predict places', '"""Say of places'))
    assert continued.pending(overlay) == {}
    beside.write_text(text + "\nEDITED = 1\n")
    assert own <= set(continued.pending(overlay)) <= own | LATE
    beside.unlink()
    refused = continued.snakemake("--dry-run", "--cores", "1", overlay)
    assert refused.returncode == 1 and "plugins: mine/ridge.py is not there" in refused.stdout
    assert "Traceback" not in refused.stdout
