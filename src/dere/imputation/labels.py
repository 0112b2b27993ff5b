"""Labels of training and validation towers: observed months, imputed months, covariance, quantiles, trajectories.

All observations condition. Observed months keep the observed value; their covariance is that of the observation with
a floor, and their trajectories scatter around the value with it and with an error that stays (a site's calibration,
partitioning and gap filling, ``imputation.systematic``), so that sums over a year carry observation error too.
Imputed months carry mean, covariance and quantiles of the trajectories.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.signal import lfilter

from dere.config.imputation import ImputationConfig, SystematicConfig
from dere.imputation.bundle import Imputer
from dere.imputation.origins import IMPUTED, NOTHING, OBSERVED, ORIGINS, PARTLY
from dere.imputation.sampling import trajectories
from dere.imputation.series import COMPONENTS, closed_covariance, select, series_of, site_ids, with_gpp
from dere.imputation.stretches import Request, Stretch, site_seed
from dere.variables import FLUX_UNIT, FLUXES, QUANTILES

CONSTANT = 0.4
"""Share of the systematic error's variance that never changes at a site."""
PERSISTENCE = 0.7
"""Correlation of neighbouring months in the rest of it."""


def impute(
    bundle: Imputer,
    towers: xr.Dataset,
    splits: pd.DataFrame,
    fold: int,
    config: ImputationConfig,
    seed: int,
    device: str = "cpu",
    *,
    ids: Sequence[str] = (),
) -> xr.Dataset:
    """Labels of the training and validation towers of a fold, or of the towers ``ids``.

    Parameters
    ----------
    bundle
        From `dere.imputation.fit.train_imputation`; holds the fold's statistics.
    config
        Samples, steps, margins; network sizes are those of ``bundle``.
    ids
        Towers whose labels no stage may learn from: test towers too, given their own months.

    Returns
    -------
    Dataset
        ``label(site, time, flux)``, ``covariance(site, time, component, component2)``,
        ``quantile_value(site, time, flux, quantile)``, ``sample(site, sample, time, flux)`` and
        ``origin(site, time)``: 0 none, 1 observed, 2 imputed, 3 partly observed (NEE, with the rest imputed given it).
        gC m-2 d-1.

    Raises
    ------
    ValueError
        When the fold has no such tower, or a trajectory is not finite.
    """
    own = list(ids) or [*site_ids(splits, fold, "training"), *site_ids(splits, fold, "validation")]
    chosen = select(towers, own)
    if not chosen.sizes["site"]:
        raise ValueError(f"imputation: fold {fold} has no training or validation tower in towers.nc; check splits.csv")
    series = series_of(chosen, splits, bundle.statistics, config)
    requests = []
    for site, (start, stop) in enumerate(zip(series.start, series.stop, strict=True)):
        if stop > start:
            requests.append(Request(Stretch(site, int(start), int(stop)), series.known[site, start:stop]))
    bundle.to(device)
    drawn = trajectories(bundle, series, bundle.predict_point(series), requests, config.samples, seed, device)
    sites, months = len(series.sites), len(series.month)
    sample = np.full((sites, config.samples, months, 2), np.nan)
    origin = np.zeros((sites, months), np.int8)
    covariance = np.full((sites, months, 2, 2), np.nan)
    label = np.full((sites, months, 2), np.nan)
    for request, value in zip(requests, drawn, strict=True):
        site, at = request.stretch.site, slice(request.stretch.start, request.stretch.stop)
        complete = np.asarray(request.known.all(-1))
        alone = request.known & ~complete[:, None]
        error = series.covariance[site, at]
        name = str(series.sites[site])
        value[:, complete] += _observation_noise(error[complete], config.samples, site_seed(seed, name, "o"))
        value += _systematic_noise(error, request.known, config, site_seed(seed, name, "s"))
        for c in range(len(COMPONENTS)):
            single = error[alone[:, c]][:, c : c + 1, c : c + 1]
            noise = _observation_noise(single, config.samples, site_seed(seed, name, f"o{c}"))
            value[:, alone[:, c], c] += noise[..., 0]
        sample[site, :, at] = value
        origin[site, at] = np.select([complete, request.known.any(-1)], [OBSERVED, PARTLY], IMPUTED)
        mean = value.mean(0)
        deviation = value - mean
        # observed months state their random error: what is systematic weighs all months of a site alike
        spread = np.einsum("nta,ntb->tab", deviation, deviation) / (len(value) - 1)
        spread[complete] = error[complete]
        for c in range(len(COMPONENTS)):
            # the error of a known flux has nothing to do with what is imputed given its value
            spread[alone[:, c]] *= np.eye(len(COMPONENTS))
            spread[alone[:, c], c, c] = error[alone[:, c], c, c]
        mean[request.known] = series.flux[site, at][request.known]
        label[site, at], covariance[site, at] = mean, spread
    return _dataset(chosen, label, covariance, sample, origin, config, fold, seed)


def _observation_noise(covariance: NDArray, samples: int, seed: int) -> NDArray[np.float64]:
    """Noise (samples, months, k) of the given covariances (months, k, k) whose sample mean is exactly zero."""
    noise = np.random.default_rng(seed).normal(size=(samples, *covariance.shape[:2]))
    noise = (noise - noise.mean(0)) * np.sqrt(samples / (samples - 1))
    return np.einsum("tab,ntb->nta", np.linalg.cholesky(covariance), noise)


def _systematic_noise(
    covariance: NDArray, known: NDArray[np.bool_], config: ImputationConfig, seed: int
) -> NDArray[np.float64]:
    """Error of observed months that stays, (samples, months, k), of sample mean zero; zero where nothing is known.

    Its size in each month is ``systematic`` times that of the random error, flux by flux, its correlation over time
    that of a constant and a first-order autoregression.
    """
    samples, months, parts = config.samples, *known.shape
    rng = np.random.default_rng(seed)
    constant = rng.normal(size=(samples, 1, parts)) * np.sqrt(CONSTANT)
    pushes = rng.normal(size=(samples, months, parts)) * np.sqrt(1.0 - PERSISTENCE**2)
    pushes[:, 0] /= np.sqrt(1.0 - PERSISTENCE**2)
    drawn = constant + np.sqrt(1.0 - CONSTANT) * lfilter([1.0], [1.0, -PERSISTENCE], pushes, axis=1)
    drawn = (drawn - drawn.mean(0)) * np.sqrt(samples / (samples - 1))
    # what is unknown has no error, and stands apart from what is known
    pairs = known[:, :, None] & known[:, None, :]
    root = _root(np.where(pairs, systematic_covariance(covariance, config.systematic), 0.0))
    return np.einsum("tab,ntb->nta", root, drawn)


def systematic_covariance(covariance: NDArray, factors: SystematicConfig) -> NDArray[np.float64]:
    """Covariance (..., 2, 2) of the errors of (NEE, RECO) that stay, from that of the random ones."""
    nee, reco = covariance[..., 0, 0], covariance[..., 1, 1]
    random = {"nee": nee, "reco": reco, "gpp": nee + reco - 2 * covariance[..., 0, 1]}
    return closed_covariance(**{name: getattr(factors, name) ** 2 * variance for name, variance in random.items()})


def _root(covariance: NDArray) -> NDArray[np.float64]:
    """Lower triangular root (..., 2, 2), zero where a variance is."""
    first = np.sqrt(covariance[..., 0, 0])
    below = np.divide(covariance[..., 1, 0], first, out=np.zeros_like(first), where=first > 0)
    last = np.sqrt(np.maximum(covariance[..., 1, 1] - below**2, 0.0))
    return np.stack([np.stack([first, np.zeros_like(first)], -1), np.stack([below, last], -1)], -2)


def _dataset(
    towers: xr.Dataset,
    label: NDArray,
    covariance: NDArray,
    sample: NDArray,
    origin: NDArray,
    config: ImputationConfig,
    fold: int,
    seed: int,
) -> xr.Dataset:
    full = with_gpp(sample)
    some = origin > NOTHING
    quantile = np.full((*some.shape, 3, len(QUANTILES)), np.nan)
    quantile[some] = np.moveaxis(np.quantile(np.moveaxis(full, 1, 2)[some], QUANTILES, axis=1), 0, -1)
    data = xr.Dataset(
        {
            "label": (("site", "time", "flux"), with_gpp(label)),
            "covariance": (("site", "time", "component", "component2"), covariance),
            "quantile_value": (("site", "time", "flux", "quantile"), quantile.astype(np.float32)),
            "sample": (("site", "sample", "time", "flux"), full.astype(np.float32)),
            "origin": (("site", "time"), origin),
        },
        coords={
            "site": towers["site"].values.astype(str),
            "time": towers["time"],
            "flux": list(FLUXES),
            "component": list(COMPONENTS),
            "component2": list(COMPONENTS),
            "quantile": list(QUANTILES),
            "lat": ("site", towers["lat"].values),
            "lon": ("site", towers["lon"].values),
        },
        attrs={
            "fold": fold,
            "seed": seed,
            "margin_months": config.margin_months,
            "sampling_steps": config.sampling_steps,
        },
    )
    text = {
        "label": "flux label, observed or posterior mean",
        "quantile_value": "quantile of the trajectories",
        "sample": "trajectory of monthly fluxes",
    }
    for name, long_name in text.items():
        data[name].attrs.update(units=FLUX_UNIT, long_name=long_name)
    data["covariance"].attrs.update(units=f"({FLUX_UNIT})2", long_name="covariance of NEE and RECO")
    data["origin"].attrs.update(
        long_name="origin of the label",
        flag_values=np.arange(len(ORIGINS), dtype=np.int8),
        flag_meanings=" ".join(ORIGINS),
    )
    bad = ~np.isfinite(data["label"].values[some]).all(-1) | ~np.isfinite(data["covariance"].values[some]).all((-1, -2))
    if bad.any():
        raise ValueError(f"imputation made {int(bad.sum())} labels that are not finite; train the imputation again")
    return data
