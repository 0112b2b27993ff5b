"""What a simulation adds, from runs of made-up scores: which runs there are, and what stands in the table."""

import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import simulation_value

SITES = [f"S{i:02d}" for i in range(12)]
FACTOR = {"kgml": 0.9, "dere_towers": 0.8, "gbm_sim": 1.1}


def made(files, own, cores, gpu):
    """Leave what a run leaves: RMSE 1 without a simulation, `FACTOR` with it, less .1 where it sees the satellites."""
    config = yaml.safe_load(own.read_text())
    folder = Path("results") / config["run"]
    for name in ("data", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    fold = [i // 2 % 5 for i in range(12)]
    pd.DataFrame(
        {"id": SITES, "kind": "site", "cluster": [f"C{i // 2}" for i in range(12)], "fold": fold,
         "lat": 0.0, "lon": 0.0, "cell": -1}
    ).to_csv(folder / "data" / "splits.csv", index=False)  # fmt: skip
    sees = config["sources"]["simulation"]["leaf_area"] == "satellite"
    rows = [
        {"site": site, "method": method, "backbone": "lags", "fold": 0, "seed": "0", "flux": "gpp", "scale": "monthly",
         "rows": "measured", "quality": 0.5, "nse": 0.5, "rmse": FACTOR.get(method, 1.0) - 0.1 * sees}
        for site in SITES for method in config["methods"]
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "tables" / "site_skill.csv", index=False)


def test_each_form_is_compared_with_the_same_kind_of_method_without_a_simulation(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((root / "config.yaml").read_text())
    simulation_value.main(["--sizes", "5", "all", "--protocols", "class:EBF", "--folder", "value"], run=made)
    table = pd.read_csv("value/simulation_value.csv", keep_default_na=False, na_values=[""])
    assert len(table) == 3 * 2 * 3
    assert table["protocol"].value_counts().to_dict() == {"clusters": 12, "class:EBF": 6}
    assert table["asked"].dropna().tolist() == [5] * 6
    for row in table.itertuples():
        expected = FACTOR[row.method] - 0.1 * (row.simulation == "satellite")
        assert (row.rmse_ratio, row.ratio_low, row.ratio_high) == pytest.approx((expected,) * 3)
        assert (row.sites, row.clusters) == (12, 6)


def test_one_form_alone_has_the_methods_without_a_simulation_too(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((root / "config.yaml").read_text())
    simulation_value.main(["--sizes", "all", "--forms", "satellite", "--folder", "value"], run=made)
    table = pd.read_csv("value/simulation_value.csv")
    assert set(table["simulation"]) == {"satellite"} and len(table) == 3
    assert table.set_index("method")["rmse_ratio"].to_dict() == pytest.approx(
        {method: (factor - 0.1) / 0.9 for method, factor in FACTOR.items()}
    )


def test_methods_without_a_simulation_are_made_once():
    methods = ["gbm", "gbm_sim", "baseline", "kgml"]
    first, second = (
        simulation_value.overlay("towers", "climate:arid,polar", form, methods, form == simulation_value.FORMS[0])
        for form in simulation_value.FORMS
    )
    assert first["methods"] == methods and second["methods"] == ["gbm_sim", "kgml"]
    assert first["splits"] == {"protocol": "climate", "left_out": ["arid", "polar"]} and first["folds"] == [0]
    assert first["run"] != second["run"]


@pytest.mark.parametrize("word", ["0", "-5", "class", "climate:", "site:EBF", "some"])
def test_other_words_are_refused(word):
    with pytest.raises(ValueError, match=f"{word} is no number of towers"):
        simulation_value.case_of(word)
