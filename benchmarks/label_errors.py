"""How large the error of observed labels is that stays at a site: coverage of years by its size, in built-in worlds.

Run: python benchmarks/label_errors.py results/world1/data results/world2/data --factors 0.9 1.1 1.5

Reads towers.nc and truth.nc of each folder. For each flux and factor (standard deviation of the error that stays over
that of the random one, ``imputation.systematic``) shows the share of wholly observed years, and of observed months,
whose truth lies inside a Gaussian 90 % interval; correlation over time as of labels. Needs no trained imputation.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from dere.config.imputation import ImputationConfig
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.label_months import labels_of, usable
from dere.imputation.labels import CONSTANT, PERSISTENCE
from dere.imputation.series import observed_covariance
from dere.ingest.months import MONTHS
from dere.io import read_netcdf
from dere.variables import FLUXES

log = logging.getLogger(__name__)

SETTINGS = ImputationConfig()
WIDTH = float(norm.ppf(0.95))


def observed(folder: Path) -> tuple[NDArray, NDArray]:
    """Error of labels, and the standard deviation of their random error, both (site, time, flux)."""
    truth = read_netcdf(folder / "truth.nc")["tower_flux"].sel(flux=list(FLUXES))
    towers = read_netcdf(folder / "towers.nc").sel(site=truth["tower"].values)
    value, quality = labels_of(towers, CO2)
    flux = np.where(usable(value, quality, SETTINGS.minimum_quality), value.astype(float), np.nan)
    flux[~np.isfinite(flux).all(-1)] = np.nan
    stated = towers["flux_uncertainty"].sel(flux=list(FLUXES)).transpose("site", "time", "flux").values
    of = observed_covariance(flux, stated, SETTINGS.floor, SETTINGS.relative_floor)
    nee, reco = of[..., 0, 0], of[..., 1, 1]
    variance = {"nee": nee, "reco": reco, "gpp": nee + reco - 2 * of[..., 0, 1]}
    return flux - truth.values, np.sqrt(np.stack([variance[name] for name in FLUXES], -1))


def coverage(error: NDArray, std: NDArray, factor: float) -> Iterator[tuple[str, int, float, float]]:
    """Flux, years, and coverage of years and months with a lasting error ``factor`` times the random one."""
    lag = np.abs(np.subtract.outer(np.arange(MONTHS), np.arange(MONTHS)))
    lasting = CONSTANT + (1 - CONSTANT) * PERSISTENCE**lag
    for at, flux in enumerate(FLUXES):
        seen = np.isfinite(error[..., at])
        months = np.abs(error[..., at][seen]) <= WIDTH * np.sqrt(1 + factor**2) * std[..., at][seen]
        years = [part[..., at].reshape(-1, MONTHS) for part in (error, std)]
        mean, own = (part[np.isfinite(years[0]).all(1)] for part in years)
        variance = (own**2).sum(1) + factor**2 * np.einsum("yi,ij,yj->y", own, lasting, own)
        inside = np.abs(mean.sum(1)) <= WIDTH * np.sqrt(variance)
        yield flux, len(inside), float(inside.mean()), float(months.mean())


def main(words: Sequence[str] | None = None) -> None:
    """Show the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path, help="data folders of runs of built-in worlds")
    options.add_argument("--factors", nargs="+", type=float, default=np.arange(0.5, 2.05, 0.1).round(1).tolist())
    given = options.parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout, force=True)
    rows = [
        (str(folder), factor, *found)
        for folder in given.folders
        for error, std in [observed(folder)]
        for factor in given.factors
        for found in coverage(error, std, factor)
    ]
    table = pd.DataFrame(rows, columns=["folder", "factor", "flux", "years", "coverage_years", "coverage_months"])
    wide = table.pivot(index=["folder", "factor"], columns="flux", values=["coverage_years", "coverage_months"])
    log.info("%s", wide.round(2).to_string())


if __name__ == "__main__":
    main()
