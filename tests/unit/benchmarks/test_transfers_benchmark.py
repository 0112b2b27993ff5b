"""The comparison of transfers, from a run of made-up scores."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import transfers


def made(files, own, cores, gpu):
    """Leave what a run leaves: pairs with the plain network on either side, and stages that report."""
    config = yaml.safe_load(own.read_text())
    folder = Path("results") / config["run"]
    (folder / "tables").mkdir(parents=True)
    common = {"flux": "gpp", "scale": "monthly", "grouping": "all"}
    scores = [
        common | {"method": name, "fold": "all", "seed": seed, "group": "all", "statistic": statistic, "nse": nse}
        for name in config["methods"]
        for seed, statistic, nse in (("all", "median", 0.5), ("all", "q25", 0.1), ("ensemble", "median", 0.9))
    ]
    pd.DataFrame(scores).to_csv(folder / "tables" / "skill.csv", index=False)
    number = {"sites": 12, "clusters": 6, "seeds": 2}
    pairs = [
        ("baseline", "kgml", 1.25, 1.0, 2.0), ("kgml_stack", "baseline", 0.9, 0.8, 1.1), ("kgml", "kgml_stack", 2, 2, 2)
    ]  # fmt: skip
    pd.DataFrame(
        [
            common | number | {"method": a, "against": b, "rmse_ratio": r, "ratio_low": low, "ratio_high": high}
            for a, b, r, low, high in pairs
        ]
    ).to_csv(folder / "tables" / "paired.csv", index=False)
    for seed, stage in ((0, "kgml_stack"), (1, "kgml_stack"), (0, "kgml_weighted")):
        path = folder / "models" / "lags" / "fold0" / f"seed{seed}" / stage / "manifest.json"
        path.parent.mkdir(parents=True)
        rows = [{"quantity": "simulation_rmse", "flux": "gpp", "value": 1.0 + seed}]
        path.write_text(
            json.dumps({"stage": stage, "fold": 0, "seed": seed, "params": {"backbone_name": "lags"}, "reported": rows})
        )


def test_every_transfer_is_compared_with_the_plain_network_whichever_stood_first(tmp_path, monkeypatch):
    root = Path(__file__).parents[3]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((root / "config.yaml").read_text())
    words = ["--methods", "kgml", "kgml_stack", "--seeds", "0", "1", "--folder", "out"]
    transfers.main(words, run=made)
    own = yaml.safe_load(Path("out/demo_transfers.yaml").read_text())
    assert own == {"run": "demo_transfers", "methods": ["baseline", "kgml", "kgml_stack"], "seeds": [0, 1]}
    table = pd.read_csv("out/transfers.csv").set_index("method")
    assert table["nse"].tolist() == [0.5] * 3 and pd.isna(table.loc["baseline", "rmse_ratio"])
    ratios = table[["rmse_ratio", "ratio_low", "ratio_high"]]
    assert ratios.loc["kgml"].tolist() == pytest.approx([0.8, 0.5, 1.0])
    assert ratios.loc["kgml_stack"].tolist() == pytest.approx([0.9, 0.8, 1.1])
    said = pd.read_csv("out/reported.csv")
    assert said.to_numpy().tolist() == [["kgml_stack", "simulation_rmse", "gpp", 1.5]]
