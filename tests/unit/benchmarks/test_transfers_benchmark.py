"""The comparison of transfers: what stands in its tables, from made-up scores and reports."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import transfers

FACTOR = {"baseline": 1.0, "kgml": 0.8, "kgml_stack": 1.25}


def scores(run, method, fold, seed, root, settings):
    """RMSE of the plain network (another one at each tower and seed) times `FACTOR`, and a stage that reports."""
    assert settings == {"members": 3}
    manifest = root / method / "manifest.json"
    manifest.parent.mkdir(parents=True)
    reported = [{"quantity": "simulation_rmse", "flux": "gpp", "value": 1.0 + seed}] if method == "kgml_stack" else []
    about = {"stage": method, "fold": fold, "seed": seed, "params": {"backbone_name": "lags"}, "reported": reported}
    manifest.write_text(json.dumps(about))
    plain = 1 + np.arange(6) + seed
    return pd.DataFrame(
        {"towers": "test", "flux": "gpp", "method": method, "fold": fold, "seed": seed, "site": list("abcdef"),
         "cluster": list("aabbcc"), "nse": 0.1 * np.arange(6) + seed, "rmse": FACTOR[method] * plain}
    )  # fmt: skip


def test_every_method_is_compared_with_the_plain_network_at_the_same_towers_and_seeds(tmp_path, monkeypatch):
    tree = {"evaluation": {"bootstrap": 50, "seed": 0}}
    monkeypatch.setattr(transfers.dere, "open_run", lambda path: SimpleNamespace(tree=tree))
    monkeypatch.setattr(transfers, "scores", scores)
    words = ["run", "--methods", "kgml", "kgml_stack", "--seeds", "0", "1", "--members", "3"]
    transfers.main([*words, "--folder", str(tmp_path)])
    table = pd.read_csv(tmp_path / "transfers.csv").set_index(["method", "against"])
    assert len(table) == 6
    for method, factor in FACTOR.items():
        other = table.loc[(method, "kgml")]
        assert (other["rmse_ratio"], other["ratio_high"]) == pytest.approx((factor / 0.8,) * 2)
        row = table.loc[(method, "baseline")]
        assert (row["rmse_ratio"], row["ratio_low"], row["ratio_high"]) == pytest.approx((factor,) * 3)
        assert row["nse"] == pytest.approx(0.75) and (row["seeds"], row["sites"]) == (2, 6)
    said = pd.read_csv(tmp_path / "reported.csv").to_numpy().tolist()
    assert said == [["kgml_stack", "simulation_rmse", "gpp", 1.5]]
