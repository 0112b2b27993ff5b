"""Predictions of the network methods at towers and on cells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from dere.harmonise.label_months import usable
from dere.harmonise.windows import stitch
from dere.io import read_netcdf, write_netcdf
from dere.methods.dere.networks.dere import pure_outputs
from dere.intervals.error import QUANTILES, ErrorModel, fit_error, gaussian_quantiles
from dere.methods.single_network import SingleNetwork
from dere.training import checkpoint
from dere.training.cells import CellWindows, cell_windows
from dere.training.context import Context
from dere.training.dere_towers import build, forward, load_pure
from dere.training.job import Job
from dere.training.single import forward as forward_single
from dere.training.sites import SiteWindows, site_windows
from dere.training.uncertain import UncertainNetwork
from dere.variables import FLUX_UNIT, FLUXES, PLANT_TYPES, QUANTILES, TARGETS

log = logging.getLogger(__name__)

GPP, RECO = TARGETS.index("gpp"), TARGETS.index("reco")
BATCH = 16
Result = tuple[np.ndarray, np.ndarray | None]
Predictor = Callable[[Context, SiteWindows, bool], Result]
"""Of windows; with True by the weights that never saw the validation towers."""


def _single(stage: str, per_age: bool) -> Predictor:
    def predict(context: Context, windows: SiteWindows, validated: bool) -> Result:
        network = SingleNetwork(*context.network_arguments())
        context.load(stage, network, validated)
        network.to(context.device).eval()
        with torch.no_grad():
            parts = [
                forward_single(network, windows, i, per_age, context.device).cpu()
                for i in torch.arange(len(windows)).split(BATCH)
            ]
        return torch.cat(parts).numpy(), None

    return predict


def _dere(stage: str) -> Predictor:
    def predict(context: Context, windows: SiteWindows, validated: bool) -> Result:
        manifest = checkpoint.read_manifest(Path(context.parents[stage]))
        network = build(context, bool(manifest["params"]["stage"]["adapters"]))
        if stage == "uncertain":
            whole = UncertainNetwork(network, context.statistics.flux_std)
            context.load(stage, whole, validated)
        else:
            context.load(stage, network, validated)
        network.to(context.device).eval()
        pure = load_pure(context)
        targets, fractions = [], []
        with torch.no_grad():
            for index in torch.arange(len(windows)).split(BATCH):
                frozen = pure_outputs(
                    pure,
                    windows.drivers[index].to(context.device),
                    windows.static[index].to(context.device),
                    windows.initial[index].to(context.device),
                    windows.ages.to(context.device),
                )
                target, fraction = forward(network, windows, index, frozen, context.device)
                targets.append(target.cpu())
                fractions.append(fraction.cpu())
        return torch.cat(targets).numpy(), torch.cat(fractions).numpy()

    return predict


PREDICTORS: dict[str, Predictor] = {
    "baseline": _single("baseline", per_age=False),
    "kgml": _single("kgml_towers", per_age=True),
    "dere_towers": _dere("towers"),
    "dere": _dere("uncertain"),
}


def _series(targets: np.ndarray, windows: SiteWindows, members: int, months: int) -> np.ndarray:
    """GPP, RECO, NEE (member, time, 3) in float64; NEE is derived last, so that the triple closes to rounding."""
    index = windows.start.numpy()[:, None] + np.arange(targets.shape[1])
    pair = targets[..., [GPP, RECO]].astype(np.float64)
    gpp, reco = np.moveaxis(stitch(pair, windows.site.numpy(), index, members, months), -1, 0)
    return np.stack([gpp, reco, reco - gpp], axis=-1)


def _errors(predicted: np.ndarray, towers: xr.Dataset, rows: np.ndarray, quality: float) -> list[ErrorModel]:
    """Spread per flux from good months of the validation towers ``rows``."""
    truth = towers["flux_value"].transpose("site", "time", "flux").values[rows]
    good = usable(truth, towers["flux_quality"].transpose("site", "time").values[rows], quality)
    site = np.broadcast_to(rows[:, None], good.shape)[good]
    chosen = predicted[rows][good]
    magnitude = chosen[:, [FLUXES.index("gpp"), FLUXES.index("reco")]].mean(-1)
    return [fit_error(chosen[:, f] - truth[good][:, f], magnitude, site) for f in range(len(FLUXES))]


def _with_spread(dataset: xr.Dataset, member: str, errors: list[ErrorModel]) -> xr.Dataset:
    """Add std and quantiles to predictions (member, time, flux)."""
    mean = dataset["prediction"].values
    magnitude = mean[..., [FLUXES.index("gpp"), FLUXES.index("reco")]].mean(-1)
    std = np.stack([e.std(magnitude) for e in errors], axis=-1)
    dims = (member, "time", "flux")
    dataset["std"] = (dims, std, {"units": FLUX_UNIT, "long_name": "standard deviation of the prediction"})
    dataset = dataset.assign_coords(quantile=list(QUANTILES))
    dataset["quantile_value"] = (
        (*dims, "quantile"),
        gaussian_quantiles(mean, std),
        {"units": FLUX_UNIT, "comment": "marginal quantiles; they do not close as the means do"},
    )
    for name, error in zip(FLUXES, errors, strict=True):
        dataset.attrs[f"spread_{name}"] = [error.constant, error.slope]
    return dataset


def _dataset(method: str, context: Context, member: str, ids: Any, time: Any, flux: np.ndarray) -> xr.Dataset:
    attrs = {"method": method, "backbone": context.name, "fold": context.fold, "seed": context.seed}
    return xr.Dataset(
        {"prediction": ((member, "time", "flux"), flux, {"units": FLUX_UNIT})},
        coords={member: ids, "time": time, "flux": list(FLUXES)},
        attrs={**attrs, "split": context.split_hash},
    )


def predict_sites(method: str, job: Job) -> None:
    """Write the predictions of ``method`` for all record months of test and predict-only sites.

    The spread of ``dere`` comes from the validation towers, predicted by weights that never saw them; labels of test
    towers are removed on loading.
    """
    context = Context(f"predict {method}", job)
    towers = read_netcdf(Path(job.files["towers"]))
    table = context.roles
    role = table[table["kind"] == "site"].set_index("id")["role"].reindex(towers["site"].values.astype(str))
    towers["flux_value"] = towers["flux_value"].where(xr.DataArray(role.eq("validation").to_numpy(), dims="site"))
    wanted = role.isin(["test", "predict"]).to_numpy()
    predicted, fractions = _predict_rows(method, context, towers, wanted)
    record = towers["record"].transpose("site", "time").values
    missing = int((record[wanted] & ~np.isfinite(predicted[wanted]).all(-1)).sum())
    if missing:
        raise ValueError(f"{method}: {missing} record months have no prediction; the windows do not cover the records")
    masked = np.where(record[..., None], predicted, np.nan)
    result = _dataset(method, context, "site", towers["site"].values.astype(str), towers["time"].values, masked)
    if fractions is not None:
        result["plant_fraction"] = (("site", "plant_type"), fractions)
        result = result.assign_coords(plant_type=list(PLANT_TYPES))
    if method == "dere":
        held_out = role.eq("validation").to_numpy()
        unseen, _ = _predict_rows(method, context, towers, held_out, validated=True)
        quality = float(job.params["harmonise"]["minimum_training_quality"])
        result = _with_spread(result, "site", _errors(unseen, towers, np.flatnonzero(held_out), quality))
    result = result.isel(site=np.flatnonzero(wanted))
    write_netcdf(result, job.output)
    log.info("%s: %d sites, %d months", method, int(wanted.sum()), int(record[wanted].sum()))


def _predict_rows(
    method: str, context: Context, towers: xr.Dataset, rows: np.ndarray, validated: bool = False
) -> tuple[np.ndarray, np.ndarray | None]:
    """Fluxes (site, time, 3) and plant fractions (site, 3) of the sites where ``rows`` is true; NaN elsewhere."""
    harmonise = context.params["harmonise"]
    here = towers.isel(window=np.flatnonzero(rows[towers["window_site"].values.astype(int)]))
    quality = float(harmonise["minimum_training_quality"])
    windows = site_windows(here, satellites=bool(harmonise["satellites"]), minimum_quality=quality)
    targets, fractions = PREDICTORS[method](context, windows, validated)
    flux = _series(targets, windows, towers.sizes["site"], towers.sizes["time"])
    return flux, None if fractions is None else _site_fractions(fractions, windows, towers.sizes["site"])


def _site_fractions(fractions: np.ndarray, windows: SiteWindows, sites: int) -> np.ndarray:
    """Mean learned plant fractions per site, (sites, 3); NaN where a site has no window."""
    total, count = np.zeros((sites, len(PLANT_TYPES))), np.zeros((sites, 1))
    np.add.at(total, windows.site.numpy(), fractions.mean(1))
    np.add.at(count, windows.site.numpy(), 1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def cells_as_sites(windows: CellWindows) -> SiteWindows:
    """Cells with the inputs of towers: observed cover and ages, simulated state before the window, no labels."""
    index = torch.arange(len(windows))
    drivers, static = windows.inputs(index)
    start, fractions = windows.fractions(index, observed=True)
    shape = (*drivers.shape[:2], len(FLUXES))

    def none(*size: int) -> Tensor:
        return torch.zeros(size)

    return SiteWindows(
        ids=windows.cell.numpy().astype(str),
        site=windows.cell,
        start=windows.start,
        drivers=drivers,
        static=static,
        initial=windows.before(index),
        weights=windows.weights[windows.cell],
        ages=windows.ages,
        start_fraction=start,
        fractions=fractions,
        flux=none(*shape),
        weight=none(*shape[:2]),
    )


def predict_cells(method: str, job: Job) -> None:
    """Write fluxes per vegetated area for every cell and month; the spread comes from ``job.files['sites']``."""
    context = Context(f"map {method}", job)
    drivers = read_netcdf(Path(job.files["drivers"]))
    harmonise = job.params["harmonise"]
    windows = cell_windows(
        drivers,
        read_netcdf(Path(job.files["simulation"])),
        read_netcdf(Path(job.files["cover"])),
        satellites=bool(harmonise["satellites"]),
        window=context.window,
        stride=int(harmonise["window_stride"]),
    )
    as_sites = cells_as_sites(windows)
    targets, fractions = PREDICTORS[method](context, as_sites, False)
    flux = _series(targets, as_sites, drivers.sizes["cell"], drivers.sizes["time"])
    result = _dataset(method, context, "cell", drivers["cell"].values, drivers["time"].values, flux)
    if fractions is not None:
        values = _site_fractions(fractions, as_sites, drivers.sizes["cell"])
        result["plant_fraction"] = (("cell", "plant_type"), values)
        result = result.assign_coords(plant_type=list(PLANT_TYPES))
    if "sites" in job.files:
        spread = read_netcdf(Path(job.files["sites"])).attrs
        errors = [ErrorModel(*(float(v) for v in spread[f"spread_{name}"])) for name in FLUXES]
        result = _with_spread(result, "cell", errors)
    write_netcdf(result, job.output)
    log.info("%s: %d cells, %d months", method, drivers.sizes["cell"], drivers.sizes["time"])
