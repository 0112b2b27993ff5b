"""The learning curve from runs of made-up scores: which runs there are, and what stands in the table."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import learning_curve

from dere.config.splits import SplitsConfig
from dere.harmonise.learning_curve import with_kept_towers
from dere.harmonise.splits import split_table

SITES = [f"S{i:02d}" for i in range(30)]


def made(files, own, cores, gpu):
    """Leave what a run leaves: RMSE = 1 + 1 / towers, doubled at the last tower; fold 0 tests six towers."""
    config = yaml.safe_load(own.read_text())
    splits = SplitsConfig(**config["splits"])
    folder = Path("results") / config["run"]
    places = pd.DataFrame(
        {"id": SITES, "cluster": SITES, "fold": np.arange(30) % 5, "lat": 0.0, "lon": 0.0, "cell": -1}
    )
    table = with_kept_towers(split_table(places, places.iloc[:0]), splits)
    for name in ("data", "tables"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "data" / "splits.csv", index=False)
    number = splits.training_towers or 24
    rows = [
        {"site": site, "method": method, "backbone": "none", "fold": fold, "seed": seed, "flux": flux, "scale": scale,
         "rows": "measured", "quality": 0.5, "nse": 1 - 1 / number, "rmse": (1 + 1 / number) * (1 + (site == "S25"))}
        for site in SITES[::5] for method in ("gbm", "reference_own_climatology")
        for fold, seed in (("0", "0"), ("0", "1"), ("all", "ensemble")) for flux in ("gpp", "nee")
        for scale in ("monthly", "anomaly")
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "tables" / "site_skill.csv", index=False)


def test_sizes_and_draws_end_in_a_table_and_a_figure(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((root / "config.yaml").read_text())
    words = ["--methods", "gbm", "--sizes", "5", "10", "--draws", "2", "--folder", "curve"]
    learning_curve.main(words, run=made)
    table = pd.read_csv("curve/learning_curve.csv", keep_default_na=False, na_values=[""])
    assert len(table) == 5 * 2 and set(table["method"]) == {"gbm"} and (table["sites"] == 6).all()
    assert table["asked"].value_counts().to_dict() == {5: 4, 10: 4}
    for size in (5, 10):
        part = table[table["asked"] == size]
        assert part["towers"].tolist() == [size] * 4
        assert part["rmse_ratio"].tolist() == pytest.approx([(1 + 1 / size) / (1 + 1 / 24)] * 4)
        assert part["nse"].tolist() == pytest.approx([1 - 1 / size] * 4)
    everything = table[table["asked"].isna()]
    assert everything["towers"].tolist() == [24, 24] and everything["rmse_ratio"].tolist() == [1, 1]
    assert Path("curve/learning_curve.png").stat().st_size > 10_000
    own = yaml.safe_load(Path("curve/demo_towers5_draw1.yaml").read_text())
    assert own == {
        "run": "demo_towers5_draw1", "splits": {"training_towers": 5, "training_draw": 1}, "methods": ["gbm"]
    }  # fmt: skip
