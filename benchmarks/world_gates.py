"""Gates of the built-in world: the simulation is no twin of nature and not useless, and the world looks real.

Run: python benchmarks/world_gates.py results/demo/raw [--json gates.json]; with DERE_REALDATA=<folder> the same
figures are computed for the real 166-site extract beside the world's, by the same code. Every figure is measured in
this one run; the gate fails with exit status 1.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd

from dere.ingest.tower.bif import read_bif
from dere.io import read_json, read_netcdf
from dere.variables import FLUXES, PLANT_TYPES, TARGETS, convert
from dere.world.geography import Grid

log = logging.getLogger(__name__)

DRIVERS = ("TA", "SW_IN", "LW_IN", "VPD", "PA", "P", "WS")
LAGS = (1, 2, 3)
GOOD = 0.5
GATE = (0.2, 0.7)
MINIMUM_MONTHS = 12


def tidy(table: pd.DataFrame, site: str, lat: float, lon: float, igbp: str) -> pd.DataFrame:
    """One site's months: drivers with lags, labels, quality; RECO := NEE + GPP."""
    table = table.replace(-9999, np.nan)
    out = pd.DataFrame({"site": site, "lat": lat, "lon": lon, "igbp": igbp, "time": table["TIMESTAMP"].astype(int)})
    for name in DRIVERS:
        absent = pd.Series(np.nan, index=table.index)
        out[name] = table.get(f"{name}_ERA", absent).fillna(table.get(f"{name}_F", absent))
        for lag in LAGS:
            out[f"{name}_{lag}"] = out[name].shift(lag)
    out["quality"] = table["NEE_VUT_REF_QC"].fillna(0)
    out["nee"] = table["NEE_VUT_REF"]
    out["gpp"] = table["GPP_NT_VUT_REF"]
    out["reco"] = out["nee"] + out["gpp"]
    out["gpp_day"] = table.get("GPP_DT_VUT_REF", np.nan)
    reported = table.get("RECO_NT_VUT_REF")
    out["residual"] = np.nan if reported is None else (reported - out["reco"]).abs()
    return out


def read_world(folder: Path) -> pd.DataFrame:
    """All months of the world's towers."""
    sites = read_bif(next(folder.glob("*BIF*.csv")))
    frames = []
    for path in sorted(folder.glob("FLX_*FULLSET_MM*.csv")):
        site = path.name.split("_")[1]
        row: Any = sites.loc[site]
        frames.append(tidy(pd.read_csv(path), site, row["lat"], row["lon"], row["igbp"]))
    return pd.concat(frames, ignore_index=True)


def read_real(folder: Path) -> pd.DataFrame:
    """All months of the real 166-site extract."""
    frames = []
    for path in sorted((folder / "fluxnet2015-monthly").glob("*_MM.csv.gz")):
        table = pd.read_csv(path)
        first = table.iloc[0]
        frames.append(tidy(table, first["Site"], first["Lat"], first["Lon"], first["PFT"]))
    frame = pd.concat(frames, ignore_index=True)
    frame["residual"] = np.nan  # the extract's RECO is NEE + GPP by construction
    return frame


def nse(observed: np.ndarray, predicted: np.ndarray) -> float:
    """Nash-Sutcliffe efficiency."""
    return float(1 - np.mean((observed - predicted) ** 2) / np.var(observed))


def site_scores(frame: pd.DataFrame, flux: str, prediction: np.ndarray) -> tuple[float, float, float, float]:
    """Median and quartiles of the sites' NSE, and the share of the squared error that is a constant per site."""
    work = frame.assign(prediction=prediction).dropna(subset=[flux, "prediction"])
    scores, level, total = [], 0.0, 0.0
    for _, one in work.groupby("site"):
        if len(one) < MINIMUM_MONTHS:
            continue
        error = one["prediction"].to_numpy() - one[flux].to_numpy()
        scores.append(nse(one[flux].to_numpy(), one["prediction"].to_numpy()))
        level += len(one) * error.mean() ** 2
        total += (error**2).sum()
    quartiles = np.quantile(scores, [0.5, 0.25, 0.75])
    return float(quartiles[0]), float(quartiles[1]), float(quartiles[2]), float(level / total)


def cross_validate(frame: pd.DataFrame, flux: str, seed: int = 0) -> np.ndarray:
    """Quick LightGBM on unseen sites, five folds; NaN outside good months."""
    features = [name for driver in DRIVERS for name in (driver, *(f"{driver}_{lag}" for lag in LAGS))]
    x = frame[features].assign(igbp=frame["igbp"].astype("category"))
    sites = frame["site"].unique()
    fold = pd.Series(np.random.default_rng(seed).permutation(len(sites)) % 5, index=sites)[frame["site"]].to_numpy()
    good = (frame["quality"] >= GOOD) & frame[flux].notna()
    out = np.full(len(frame), np.nan)
    for k in range(5):
        model = lightgbm.LGBMRegressor(
            n_estimators=250, learning_rate=0.04, num_leaves=24, min_child_samples=25, subsample=0.7, subsample_freq=1,
            colsample_bytree=0.7, n_jobs=1, random_state=seed, verbose=-1,
        )  # fmt: skip
        model.fit(x[good & (fold != k)], frame.loc[good & (fold != k), flux])
        rows = good & (fold == k)
        out[rows] = model.predict(x[rows])
    return out


def describe(frame: pd.DataFrame) -> dict[str, float]:
    """Figures of one set of towers that can be compared with another."""
    usable = frame["nee"].notna() & frame["gpp"].notna()
    good = usable & (frame["quality"] >= GOOD)
    bad = ~good
    month = frame["time"] % 100
    kept = frame[good]
    cold = kept[kept["TA"] < 0]
    mean = kept.groupby("site")[list(FLUXES)].mean()
    runs = np.concatenate([_run_lengths(b.to_numpy()) for _, b in bad.groupby(frame["site"])])
    early = frame.groupby("site").cumcount() < 6
    north = frame["lat"] > 45
    out = {
        "sites": float(frame["site"].nunique()),
        "site-months": float(len(frame)),
        "good months": float(good.mean()),
        "months without a value": float((~usable).mean()),
        "bad in the first half-year": float(bad[early].mean()),
        "bad in winter, north of 45 N": float(bad[north & month.isin([12, 1, 2])].mean()),
        "bad in summer, north of 45 N": float(bad[north & month.isin([6, 7, 8])].mean()),
        "bad in winter, north of 60 N": float(bad[(frame["lat"] > 60) & month.isin([12, 1, 2])].mean()),
        "gap length, median (months)": float(np.median(runs)),
        "gap length, 90 % (months)": float(np.quantile(runs, 0.9)),
        "mean air temperature (degC)": float(kept["TA"].mean()),
        "mean precipitation (mm d-1)": float(kept["P"].mean()),
        "negative GPP, all good months": float((kept["gpp"] < 0).mean()),
        "negative GPP, good months below 0 degC": float((cold["gpp"] < 0).mean()),
        "published residual, median": float(frame["residual"].median()),
        "published residual above 0.5": float((frame["residual"].dropna() > 0.5).mean()),
        "day-time minus night-time GPP, sd": float((kept["gpp_day"] - kept["gpp"]).std()),
    }
    for flux in FLUXES:
        season = kept.groupby([kept["site"], kept["time"] % 100])[flux].transform("mean")
        out[f"mean {flux.upper()}"] = float(kept[flux].mean())
        out[f"sd of months, {flux.upper()}"] = float(kept[flux].std())
        out[f"sd of site means, {flux.upper()}"] = float(mean[flux].std())
        out[f"sd of anomalies, {flux.upper()}"] = float((kept[flux] - season).std())
    for flux in FLUXES:
        median, low, high, level = site_scores(frame, flux, cross_validate(frame, flux))
        out[f"LightGBM NSE, {flux.upper()} (median)"] = median
        out[f"LightGBM NSE, {flux.upper()} (lower quartile)"] = low
        out[f"LightGBM NSE, {flux.upper()} (upper quartile)"] = high
        out[f"site-level share of error, {flux.upper()}"] = level
    return out


def like_the_world(real: pd.DataFrame, world: pd.DataFrame, seed: int) -> pd.DataFrame:
    """As many real sites as the world has, drawn at random, with at most their last ten years."""
    rng = np.random.default_rng(seed)
    chosen = rng.choice(real["site"].unique(), size=min(world["site"].nunique(), real["site"].nunique()), replace=False)
    part = real[real["site"].isin(set(chosen))]
    return part.groupby("site").tail(120).reset_index(drop=True)


def _run_lengths(flags: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def cell_simulation(raw: Path) -> tuple[Grid, np.ndarray, np.ndarray]:
    """Raw simulation per cell: (cell,) grid index and (cell, time, flux), mixture weighted with the tabulated ages."""
    folder = raw / "simulation"
    meta = read_json(folder / "meta.json")
    cell = np.flatnonzero(np.load(folder / "mask2d.npy").ravel())
    weight = pd.read_csv(raw / "cover" / "lat_lon_age_weights.csv").filter(like="weight_").to_numpy()
    index = [TARGETS.index(flux) for flux in FLUXES]
    total = np.zeros(())
    for a, age in enumerate(meta["ages"]):
        values = np.load(folder / f"glob_Y{age:03d}.npy", mmap_mode="r")[:, 1:, :, index]
        total = total + weight[:, a, None, None, None] * values
    fluxes = convert(total.reshape(len(cell), -1, len(FLUXES)), "kgC m-2 yr-1", "gC m-2 d-1", "simulation")
    return Grid(meta["grid_degrees"]), cell, fluxes


def simulation_gate(raw: Path, towers: pd.DataFrame) -> dict[str, float]:
    """Median NSE of the raw simulation of the covering cell at towers (measured, truth) and virtual towers (truth)."""
    grid, cell, fluxes = cell_simulation(raw)
    start = read_json(raw / "simulation" / "meta.json")["start_year"]

    def at(lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        index = grid.cell_of(lat, lon)
        row = np.searchsorted(cell, index).clip(max=len(cell) - 1)
        return row, cell[row] == index

    out: dict[str, float] = {}
    row, known = at(towers["lat"].to_numpy(), towers["lon"].to_numpy())
    step = (towers["time"] // 100 - start) * 12 + towers["time"] % 100 - 1
    good = (towers["quality"] >= GOOD).to_numpy() & known
    for f, flux in enumerate(FLUXES):
        prediction = np.where(good, fluxes[row, step, f], np.nan)
        median, low, high, _ = site_scores(towers, flux, prediction)
        out[f"towers, measured, {flux}"] = median
        out[f"towers, measured, {flux}, quartiles"] = (round(low, 2), round(high, 2))  # type: ignore[assignment]
    for kind in ("towers", "virtual_towers"):
        truth = read_netcdf(raw / "truth" / f"{kind}.nc")
        row, known = at(truth["lat"].to_numpy(), truth["lon"].to_numpy())
        for f, flux in enumerate(FLUXES):
            true = truth["flux_value"].sel(flux=flux).to_numpy()
            usable = known & (true.std(axis=1) > 1e-3)
            scores = [nse(true[i], fluxes[row[i], :, f]) for i in np.flatnonzero(usable)]
            out[f"{kind}, truth, {flux}"] = float(np.median(scores))
        out[f"{kind} outside the grid's land"] = float((~known).sum())
    return out


def competition_gate(raw: Path) -> dict[str, float]:
    """Mean square of what pure stands do not explain of the mixture, over the mixture's variance, per flux.

    All land cells, ages and months count alike. ``weighted sum`` takes the simulated plant fractions as they are, so
    a constant offset or factor counts as unexplained; ``best sum`` gives each stand's weighted flux a constant of its
    own and adds one (least squares), which leaves only what varies between cells, ages and months.
    """
    folder = raw / "simulation"
    ages = read_json(folder / "meta.json")["ages"]
    index = [TARGETS.index(flux) for flux in FLUXES]
    mixed, parts = [], []
    for age in ages:
        share = np.load(folder / f"glob_F{age:03d}.npy")[:, 1:, None, None]  # (cell, year, 1, 1, stand)
        pure = [np.load(folder / f"glob_Y_{s}{age:03d}.npy")[:, 1:][..., index] for s in PLANT_TYPES]
        mixed.append(np.load(folder / f"glob_Y{age:03d}.npy")[:, 1:][..., index].reshape(-1, len(index)))
        parts.append((share * np.stack(pure, -1)).reshape(-1, len(index), len(PLANT_TYPES)))
    mixture, part = np.concatenate(mixed).astype(float), np.concatenate(parts).astype(float)
    out = {}
    for f, flux in enumerate(FLUXES):
        whole, terms = mixture[:, f], np.column_stack([part[:, f], np.ones(len(part))])
        constants = np.linalg.solve(terms.T @ terms, terms.T @ whole)
        out[f"mixture {flux} beyond the weighted sum"] = float(((whole - part[:, f].sum(1)) ** 2).mean() / whole.var())
        out[f"mixture {flux} beyond the best sum"] = float(((whole - terms @ constants) ** 2).mean() / whole.var())
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("raw", type=Path)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    world = read_world(arguments.raw / "towers")
    gate = simulation_gate(arguments.raw, world)
    gate |= competition_gate(arguments.raw)
    log.info("Raw simulation (covering cell, tabulated ages), median NSE over sites")
    for name, value in gate.items():
        log.info("  %-46s %s", name, value if isinstance(value, tuple) else f"{value:.3f}")
    columns = {"world": describe(world)}
    if os.environ.get("DERE_REALDATA"):
        real = read_real(Path(os.environ["DERE_REALDATA"]))
        columns["real, all sites"] = describe(real)
        draws = [describe(like_the_world(real, world, seed)) for seed in range(3)]
        columns["real, as many sites"] = {name: float(np.mean([d[name] for d in draws])) for name in draws[0]}
    table = pd.DataFrame(columns)
    log.info("\n%s", table.round(3).to_string())
    if arguments.json:
        arguments.json.write_text(json.dumps({"gate": gate, "table": table.to_dict()}, indent=2, default=str) + "\n")
    checked = [gate["towers, measured, gpp"], gate["virtual_towers, truth, gpp"]]
    passed = all(GATE[0] <= value <= GATE[1] for value in checked)
    verdict = "holds" if passed else "FAILS"
    log.info("gate %s: raw simulation's median GPP NSE %.2f and %.2f, wanted %g to %g", verdict, *checked, *GATE)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
