"""What stage 6 of DERE gains over stage 4, and what it could gain: the same stage on other labels.

Run: python benchmarks/stage_six.py [FILES] --seeds 0 1 2 --folds 0

Makes a run of the given configuration (files as for ``dere run``) with the methods dere_towers and dere, named
<run>_stage_six, up to its evaluation. Then, for each fold and seed, from the run's own stages:

observed        stage 6 on observed months alone: the gain of more steps
imputed         stage 6 as published, on observed and imputed months; the run's own fit
truth           stage 6 with the true fluxes in the gaps (built-in world): what a perfect imputation would give
errors <share>  stage 4 again, labels weighted by the inverse of their stated error and the model's (``model_error``)

Written is stage_six.csv into --folder, one row per arm, kind of towers and flux: the ratio of monthly RMSE to stage 4
(geometric mean over towers and seeds; below 1 = the arm is better) with a 95 % interval over clusters of towers. Towers
are ``test`` (unseen), ``virtual`` (unseen, against the truth) and ``left out`` (by members; what may be chosen by).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from measuring import table as as_text
from overlays import Run, begin, made, make, options

import dere
from dere.api.fitting import jobs, settings_of
from dere.api.model import read_model
from dere.api.place import place_of
from dere.api.threads import threads
from dere.evaluation.bootstrap import geometric_ratio, resample_clusters
from dere.harmonise.label_months import labels_of, usable
from dere.imputation.labels import IMPUTED, NOTHING, PARTLY
from dere.io import read_netcdf, write_netcdf, write_table
from dere.training.prediction import HELD_OUT
from dere.workflow import layout
from dere.workflow.train import train

log = logging.getLogger(__name__)

STAGE_4, STAGE_6 = "dere_towers", "dere"
KEY = ["towers", "flux"]
GAPS = (IMPUTED, PARTLY)


@dataclass(frozen=True)
class Arm:
    """A stage that is fitted again.

    Parameters
    ----------
    name
        In the table.
    method, stage
        Whose stage.
    labels
        Makes its labels from the run's expanded ones, or None = as they are.
    settings
        Of the stage, in place of the run's.
    """

    name: str
    method: str
    stage: str
    labels: Callable[[xr.Dataset, dere.Run], xr.Dataset] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


def observed_only(labels: xr.Dataset, run: dere.Run) -> xr.Dataset:
    """Labels without those that are imputed."""
    gaps = labels["origin"].isin(GAPS)
    return labels.assign(origin=labels["origin"].where(~gaps, NOTHING).astype(np.int8))


def truth_in_gaps(labels: xr.Dataset, run: dere.Run) -> xr.Dataset:
    """Labels with true fluxes, as exact as the best observation, where they are imputed."""
    truth = run.truth
    if truth is None:
        raise ValueError(f"{run.folder} has no truth; leave the arm truth out (--arms)")
    sites, gaps = labels["site"].values, labels["origin"].isin(GAPS)
    known = truth["tower_flux"].rename(tower="site").sel(site=sites, flux=labels["flux"].values)
    known = known.sel(time=labels["time"].values).load()
    floor = float(run.tree["imputation"]["floor"]) ** 2
    exact = xr.DataArray(floor * np.eye(labels.sizes["component"]), dims=("component", "component2"))
    return labels.assign(
        label=labels["label"].where(~gaps, known).transpose("site", "time", "flux"),
        covariance=labels["covariance"].where(~gaps, exact).transpose("site", "time", "component", "component2"),
    )


def arms_of(names: Sequence[str], shares: Sequence[float]) -> list[Arm]:
    """Arms by name, and one of stage 4 for each share of the model's error."""
    labels = {"observed": observed_only, "imputed": None, "truth": truth_in_gaps}
    if unknown := [name for name in names if name not in labels]:
        raise ValueError(f"--arms: {unknown[0]} is none; choose from {', '.join(labels)}")
    sixth = [Arm(name, STAGE_6, "uncertain", labels[name]) for name in names]
    return sixth + [Arm(f"errors {share:g}", STAGE_4, "towers", settings={"model_error": share}) for share in shares]


def predicted(run: dere.Run, arm: Arm, fold: int, seed: int, folder: Path) -> xr.Dataset:
    """Fit the stage of an arm from the run's own earlier stages, and predict every site."""
    method = run.method(arm.method)
    place = place_of(run.tree, method, None, fold, seed)
    if arm.labels is None and not arm.settings:
        return run.predictions(arm.method, None, fold, seed).load()
    tree = settings_of(run, method, str(place["backbone"]), arm.settings)
    job = next(job for job in jobs(run, method, place, tree, folder, 0) if job.name == arm.stage)

    def own(stage: str) -> Path:
        return run.folder / layout.checkpoint(run.exchange.name, stage).format(**place)

    files = dict(job.files)
    if arm.labels is not None:
        files["labels"] = folder / "labels.nc"
        write_netcdf(arm.labels(read_netcdf(job.files["labels"]), run), files["labels"])
    job = replace(job, files=files, parents={stage: own(stage) for stage in job.parents})
    with threads(job.threads):
        train(job)
    folders = {stage: job.output if stage == arm.stage else own(stage) for stage in method.predicts_from}
    return dere.predict(read_model(method, run.exchange, place, tree, run.split, folders), run)


def scores(run: dere.Run, prediction: xr.Dataset) -> pd.DataFrame:
    """Monthly RMSE and cluster of every tower: ``towers`` (test, virtual, left out), ``flux``, ``site``."""
    judged = dere.evaluate(prediction, run).site_skill
    measured = (judged["rows"] == "measured") & (judged["quality"] == run.tree["evaluation"]["testing_quality"][0])
    rows = judged[(judged["scale"] == "monthly") & (measured | (judged["rows"] == "virtual"))]
    rows = rows.assign(towers=rows["rows"].replace("measured", "test"))
    return pd.concat([rows[[*KEY, "site", "cluster", "rmse"]], left_out(run, prediction)], ignore_index=True)


def left_out(run: dere.Run, prediction: xr.Dataset) -> pd.DataFrame:
    """RMSE of towers that the model learned from, each predicted by the members that left it out."""
    towers = run.towers[["flux_value", "flux_quality"]].sel(site=prediction["site"].values).load()
    flux, quality = labels_of(towers, run.exchange)
    good = usable(flux, quality, run.tree["evaluation"]["testing_quality"][0])
    own = prediction[HELD_OUT].sel(flux=list(run.exchange.names)).transpose("site", "time", "flux").values
    error = np.where(good, own - flux, np.nan)
    cluster = run.splits[run.splits["kind"] == "site"].set_index("id")["cluster"]
    rows = []
    for site, of_site in zip(prediction["site"].values.astype(str), error, strict=True):
        for name, values in zip(run.exchange.names, of_site.T, strict=True):
            known = values[np.isfinite(values)]
            if len(known) >= run.tree["evaluation"]["minimum_months"]:
                rows.append(("left out", name, site, cluster[site], float(np.sqrt((known**2).mean()))))
    return pd.DataFrame(rows, columns=[*KEY, "site", "cluster", "rmse"])


def compared(found: pd.DataFrame, resamples: int, seed: int) -> pd.DataFrame:
    """One row per arm, kind of towers and flux, against stage 4.

    Parameters
    ----------
    found
        `scores` of all arms, folds and seeds, with ``arm``, ``fold`` and ``seed``.
    """
    same = [*KEY, "fold", "seed", "site"]
    first = found[found["arm"] == STAGE_4].set_index(same)["rmse"]
    others = found[found["arm"] != STAGE_4].join(first, on=same, rsuffix="_first")
    others = others.assign(log=np.log(others["rmse"] / others["rmse_first"]))
    rows = []
    for (arm, towers, flux), part in others.groupby(["arm", *KEY], sort=False):
        by_site = part.groupby("site").agg(log=("log", "mean"), cluster=("cluster", "first"))
        drawn = resample_clusters(by_site["cluster"].to_numpy(str), resamples, np.random.default_rng(seed))
        ratio = geometric_ratio(np.exp(by_site["log"].to_numpy()), np.ones(len(by_site)), drawn)
        rows.append([arm, towers, flux, part["seed"].nunique(), len(by_site), *ratio])
    return pd.DataFrame(rows, columns=["arm", *KEY, "seeds", "sites", "rmse_ratio", "ratio_low", "ratio_high"])


def main(given: list[str] | None = None, run: Run = make) -> None:
    parser = options(__doc__, "results/stage_six")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--folds", nargs="+", type=int, default=[0])
    parser.add_argument("--arms", nargs="*", default=["observed", "imputed", "truth"])
    parser.add_argument("--errors", nargs="*", type=float, default=[0.1, 0.3], help="shares of the model's error")
    arguments = parser.parse_args(given)
    tree = begin(arguments)
    arms = arms_of(arguments.arms, arguments.errors)
    own = {"run": f"{tree['run']}_stage_six", "methods": [STAGE_4, STAGE_6]}
    opened = dere.open_run(made(own | {"folds": arguments.folds, "seeds": arguments.seeds}, arguments, run))
    tables = []
    for fold in arguments.folds:
        for seed in arguments.seeds:
            of_stage_4 = opened.predictions(STAGE_4, None, fold, seed).load()
            files = {STAGE_4: of_stage_4}
            for arm in arms:
                folder = arguments.folder / own["run"] / arm.name.replace(" ", "_") / f"fold{fold}_seed{seed}"
                folder.mkdir(parents=True, exist_ok=True)
                files[arm.name] = predicted(opened, arm, fold, seed, folder)
            for name, file in files.items():
                tables.append(scores(opened, file).assign(arm=name, fold=fold, seed=seed))
            # after every seed, so that a long comparison can be read while it runs
            table = compared(pd.concat(tables), tree["evaluation"]["bootstrap"], tree["evaluation"]["seed"])
            write_table(table, arguments.folder / "stage_six.csv")
    lines = [
        [row.arm, row.towers, row.flux, row.sites, f"{row.rmse_ratio:.3f} [{row.ratio_low:.3f}, {row.ratio_high:.3f}]"]
        for row in table.itertuples()
    ]
    log.info("%s", as_text(["arm", "towers", "flux", "sites", "RMSE to stage 4"], lines))


if __name__ == "__main__":
    main()
