"""Whether what networks learned of simulated methane reaches wetlands whose labels no stage saw (docs/methane.md).

Run: python benchmarks/methane_proof.py results/proof --fold 0 --seed 1

For a run of the built-in world with ``splits.training_towers``: the wetlands of no role that learns are predicted by
the constant of the learned labels, by the simulation itself, by the network that was pre-trained on it and saw no
tower, and by every network trained on towers. ``loss`` is what the tower stages minimise, with each tower's weight by
its own variability, but wetlands count alike: few wetlands whose level no input tells decide its mean, so its median
and ``ratio`` stand beside it: RMSE over that of the network from nothing, geometric mean over wetlands (below 1 =
better), with the 95 % interval of resampled wetlands.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from measuring import table
from numpy.typing import NDArray

from dere import exchange as exchanges
from dere.config.windows import WindowConfig
from dere.io import read_netcdf
from dere.methods import single_stages
from dere.training import checkpoint
from dere.training.fitted import Fitted
from dere.training.read_places import site_places
from dere.training.roles import TRAINED
from dere.workflow.members import read_roles

CH4 = exchanges.get("ch4")
PER_AGE = {"baseline": False, "kgml_simulation": True, "kgml_towers": True}
"""Stages, and whether their networks decode every age."""
MONTHS = 12
"""Labelled months of a wetland that is scored."""
BALANCE = 0.8
"""That of the tower stages as shipped."""
RESAMPLES = 5000


def labelled(towers: xr.Dataset, label: NDArray[np.floating]) -> xr.Dataset:
    """Sites with enough labels and their windows alone."""
    wanted = np.isfinite(label).sum(1) >= MONTHS
    of_window = towers["window_site"].values
    kept = np.flatnonzero(wanted[of_window])
    chosen = towers.isel(site=np.flatnonzero(wanted), window=kept)
    return chosen.assign(window_site=("window", (np.cumsum(wanted) - 1)[of_window[kept]]))


def series(fitted: Fitted, stage: str, towers: xr.Dataset, roles: pd.DataFrame) -> NDArray[np.float64]:
    """Methane (site, time) that a stage's networks predict, gC m-2 d-1; mean over members."""
    windows = WindowConfig(**fitted.facts["params"]["harmonise"])
    places = site_places(towers, roles, satellites=windows.satellites, channels=windows.channels, exchange=CH4)
    return single_stages.predict(fitted, places, per_age=PER_AGE[stage], unseen=True, gpu=0).mean[..., 0]


def scores(predicted: NDArray[np.floating], label: NDArray[np.floating], std: float) -> dict[str, float]:
    """Scores over the labelled months of wetlands, both (site, time)."""
    has = np.isfinite(label)
    error = np.where(has, predicted - label, 0.0)
    loss, season = [], []
    for own, wrong, values, there in zip(predicted, error, label, has, strict=True):
        truth = values[there]
        weight = (std**2 / (truth.var() + 0.25 * std**2)) ** BALANCE
        loss.append(weight * (wrong[there] ** 2).mean() / std**2)
        season.append(np.corrcoef(own[there], truth)[0, 1] if np.ptp(own[there]) > 0 else np.nan)
    truth = label[has]
    return {
        "wetlands": len(label),
        "pooled NSE": 1.0 - float((error**2).sum() / ((truth - truth.mean()) ** 2).sum()),
        "loss": float(np.mean(loss)),
        "median loss": float(np.median(loss)),
        "median correlation": float(np.nanmedian(season)) if np.isfinite(season).any() else np.nan,
    }


def ratio(one: NDArray[np.floating], other: NDArray[np.floating], label: NDArray[np.floating]) -> str:
    """RMSE by wetland of one prediction over that of another, (site, time) all: geometric mean, 95 % interval."""
    has = np.isfinite(label)
    first, second = (np.where(has, values - label, 0.0) for values in (one, other))
    logs = 0.5 * np.log((first**2).sum(1) / (second**2).sum(1))
    drawn = logs[np.random.default_rng(0).integers(0, len(logs), (RESAMPLES, len(logs)))].mean(1)
    low, high = np.exp(np.quantile(drawn, [0.025, 0.975]))
    return f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    """Show the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of the run's results")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--backbone", default="lstm")
    given = parser.parse_args()
    folder = given.run / "ch4"
    whole = read_netcdf(folder / "data" / "towers.nc")
    towers = labelled(whole, whole["flux_value"].values[..., 0])
    roles = read_roles(folder / "data" / "splits.csv", given.fold)
    learned = roles.loc[(roles["kind"] == "site") & roles["role"].isin(TRAINED), "id"].astype(str)
    unseen = ~np.isin(towers["site"].values.astype(str), learned)
    label = towers["flux_value"].values[..., 0]
    std = float(np.nanstd(label[~unseen]))
    predictions = {
        "constant": np.full(label.shape, np.nanmean(label[~unseen])),
        "simulation": towers["simulated"].values[..., 0],
    }
    models = folder / "models" / given.backbone / f"fold{given.fold}" / f"seed{given.seed}"
    for stage in PER_AGE:
        if (models / stage).is_dir():
            predictions[stage] = series(checkpoint.read(models / stage, CH4), stage, towers, roles)
    found = {name: scores(values[unseen], label[unseen], std) for name, values in predictions.items()}
    head = ["predicted by", *next(iter(found.values()))]
    lines = [[name, *(f"{value:.3g}" for value in own.values())] for name, own in found.items()]
    if "baseline" in predictions:
        plain = predictions["baseline"][unseen]
        head.append("ratio")
        for line in lines:
            line.append(ratio(predictions[line[0]][unseen], plain, label[unseen]))
    print(table(head, lines))


if __name__ == "__main__":
    main()
