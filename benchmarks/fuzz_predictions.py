"""The reader of predictions that somebody else made; invented numbers."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from fuzz_readers import Reader, Target
from fuzz_tables import Table

import made_towers
from dere import exchange as exchanges
from dere.api.foreign import as_prediction, read
from dere.api.plausible import check_plausible
from dere.config.evaluation import EvaluationConfig
from dere.evaluation.judge import judge

FOREIGN = Table(("gpp", "reco", "nee"), site="site", free=True, missing="", whole=True, units={"gpp": (1e-8, 0.0)})


@functools.cache
def judged() -> tuple[Any, Any]:
    """Towers and splits on which predictions are judged."""
    towers, members = made_towers.make_towers(sites=10, predict=2, years=3)
    return towers.drop_vars("true_flux"), members.drop(columns="role")


def write_predictions(folder: Path, seed: int) -> None:
    """What somebody's own model says of the test and predict towers, with six digits."""
    towers, members = judged()
    names = members.loc[members["fold"] <= 0, "id"]
    rng = np.random.default_rng(seed)
    rows = []
    for site in names:
        for month in towers["time"].values.astype("datetime64[M]").astype(str):
            gpp, reco = rng.uniform(1, 8), rng.uniform(1, 6)
            gpp, reco = round(float(gpp), 5), round(float(reco), 5)
            rows.append((site, month, f"{gpp:.5f}", f"{reco:.5f}", f"{reco - gpp:.5f}"))
    pd.DataFrame(rows, columns=["site", "month", "gpp", "reco", "nee"]).to_csv(folder / "mine.csv", index=False)


def evaluate(folder: Path) -> object:
    """Read, check and judge the predictions; the scores themselves are compared too."""
    towers, splits = judged()
    co2 = exchanges.get(exchanges.DEFAULT)
    given, what = read(folder / "mine.csv")
    attrs = {"method": "mine", "backbone": "none", "fold": 0, "seed": 0}
    dataset = as_prediction(given, towers["time"].values, co2, attrs, close=False, what=what)
    check_plausible(dataset, towers, co2, what)
    config = EvaluationConfig(minimum_months=3, bootstrap=10)
    judge({what: dataset}, towers, splits, config, exchange=co2)
    return dataset


@functools.cache
def readers() -> tuple[Reader, ...]:
    """The reader of predictions."""
    return (
        Reader(
            "predictions",
            write_predictions,
            evaluate,
            (Target("mine.csv", "table", FOREIGN, without=("stamp shifted",)),),
            ("T0", "gpp", "reco", "nee"),
        ),
    )
