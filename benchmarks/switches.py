"""What the switches bf16 and compile do to speed and skill.

Run: python benchmarks/switches.py results/demo [--seeds 0 1 2 --ways float32 bf16 compile]. Trains the network of the
comparison methods on the towers of a finished run's canonical data (fold 0), once per seed and switch, all in this one
run and taking turns, and predicts the test towers. The question is whether the skill with a switch lies within the
spread over seeds without it. Seconds per epoch are the best of all trainings; what torch.compile spends at the start
shows in the seconds of the whole training.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from measuring import parser, start, table

from dere.config.windows import WindowConfig
from dere.evaluation.metrics import score
from dere.io import read_json, read_netcdf
from dere.run_config.root import normalise
from dere.training.compiling import compiler
from dere.variables import FLUXES
from dere.workflow.predict import predict_sites
from dere.workflow.rule_job import RuleJob
from dere.workflow.train import train

log = logging.getLogger(__name__)

SWITCHES: dict[str, dict[str, bool]] = {
    "float32": {},
    "bf16": {"bf16": True},
    "compile": {"compile": True},
    "both": {"bf16": True, "compile": True},
}
QUALITY = 0.5
METHOD: dict[str, Any] = {"name": "baseline", "room": "dere.methods.baseline"}


def skill(predictions: Path, towers: Path) -> list[float]:
    """Median over test towers of the efficiency of GPP, RECO and NEE in well measured months."""
    predicted, observed = read_netcdf(predictions), read_netcdf(towers)
    truth = observed.sel(site=predicted["site"])
    good = truth["flux_quality"] >= QUALITY
    scores = [
        score(
            "nse",
            truth["flux_value"].where(good).sel(flux=flux).transpose("site", "time").values,
            predicted["prediction"].sel(flux=flux).transpose("site", "time").values,
        )
        for flux in FLUXES
    ]
    return [float(np.nanmedian(score)) for score in scores]


def one(files: dict[str, Path], params: dict[str, Any], seed: int, gpu: int, folder: Path) -> dict[str, float]:
    """Train, predict and score."""
    began = time.perf_counter()
    train(RuleJob(files, {}, folder / "model", params, 0, seed, **METHOD, gpu=gpu))
    seconds = time.perf_counter() - began
    parents = {"baseline": folder / "model"}
    sites = {name: files[name] for name in ("towers", "splits")}
    predict_sites(RuleJob(sites, parents, folder / "sites.nc", params, 0, seed, **METHOD, gpu=gpu))
    history = pd.read_csv(folder / "model" / "history.csv")
    return {
        "seconds": seconds,
        "epoch": float(history["seconds"].iloc[1:].min()),
        "validation": read_json(folder / "model" / "manifest.json")["best_validation_loss"],
        **dict(zip(FLUXES, skill(folder / "sites.nc", files["towers"]), strict=True)),
    }


def measure(data: Path, config: Path, seeds: list[int], ways: list[str], gpu: int, **stage: Any) -> pd.DataFrame:
    """One row per switch and seed."""
    whole = normalise(yaml.safe_load(config.read_text()))
    files = {"towers": data / "towers.nc", "splits": data / "splits.csv"}
    files |= {"statistics": data / "statistics" / "fold0.nc"}
    settings = {name: whole["harmonise"][name] for name in WindowConfig.model_fields}
    rows = []
    for seed in seeds:
        for way in ways:
            params = {
                "stage": whole["stages"]["baseline"] | stage | SWITCHES[way],
                "backbone_name": "transformer",
                "backbone": whole["networks"]["transformer"],
                "harmonise": settings,
            }
            with tempfile.TemporaryDirectory() as folder:
                rows.append({"switch": way, "seed": seed, **one(files, params, seed, gpu, Path(folder))})
            log.info("%s", {k: round(v, 4) if isinstance(v, float) else v for k, v in rows[-1].items()})
    return pd.DataFrame(rows)


def report(rows: pd.DataFrame) -> str:
    """Means over seeds, and how far a switch moves the skill against the spread over seeds without it."""
    base = rows[rows["switch"] == "float32"].set_index("seed")
    lines = []
    for way, part in rows.groupby("switch", sort=False):
        part = part.set_index("seed")
        change = (part[list(FLUXES)] - base.loc[part.index, list(FLUXES)]).mean()
        line = [way, f"{part['epoch'].min():.2f}", f"{part['seconds'].min():.0f}"]
        line += [f"{part['validation'].mean():.4f}"]
        line += [
            f"{part[flux].mean():.3f} ({change[flux]:+.3f}; sd of seeds {base[flux].std():.3f})" for flux in FLUXES
        ]
        lines.append(line)
    head = ["switch", "seconds per epoch", "seconds in all", "validation loss", *(f.upper() for f in FLUXES)]
    return table(head, lines)


def main(given: list[str] | None = None) -> None:
    options: argparse.ArgumentParser = parser(__doc__, 1)
    options.add_argument("run", type=Path, help="folder of a finished run, for example results/demo")
    options.add_argument("--config", type=Path, default=Path("config.yaml"))
    options.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options.add_argument("--ways", nargs="+", choices=list(SWITCHES), default=["float32", "bf16", "compile"])
    options.add_argument("--epochs", type=int, help="instead of the config's")
    arguments = options.parse_args(given)
    start(arguments)
    logging.getLogger("dere").setLevel(logging.WARNING)
    if compiler() is None:
        log.info("no C++ compiler: what compile does is not measured")
        arguments.ways = [way for way in arguments.ways if "compile" not in SWITCHES[way]]
    stage = {} if arguments.epochs is None else {"epochs": arguments.epochs}
    gpu = int(arguments.device.startswith("cuda"))
    rows = measure(arguments.run / "data", arguments.config, arguments.seeds, arguments.ways, gpu, **stage)
    log.info("\n%s", report(rows))


if __name__ == "__main__":
    main()
