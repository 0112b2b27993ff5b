"""Towers as arrays: complete standardised drivers, usable fluxes, and the stretch of months that gets labels."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.config.imputation import ImputationConfig
from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.drivers import is_mask, stack
from dere.harmonise.label_months import labels_of, usable
from dere.harmonise.splits import roles
from dere.variables import FLUXES

COMPONENTS = ("nee", "reco")
"""The two channels of the diffusion; GPP = RECO - NEE."""
SIMULATED = ("nee", "reco", "gpp")
LIMIT = 5.0
"""Standardised inputs beyond this are pulled to it: a class or climate without training towers must not extrapolate."""


@dataclass(frozen=True)
class Series:
    """Sites on the common monthly axis.

    Parameters
    ----------
    sites, clusters, classes
        Site ids, cluster labels and IGBP classes, shape (S,).
    drivers
        Standardised driver channels, satellites and simulated fluxes (S, T, D); finite everywhere.
    statics
        Standardised static attributes (S, A).
    flux
        NEE and RECO in gC m-2 d-1, NaN where not usable, (S, T, 2).
    covariance
        Error covariance of observed (NEE, RECO) in (gC m-2 d-1)^2, (S, T, 2, 2); meaningless where one is not observed,
        but for the variance of the other.
    start, stop
        First month and month after the last of the record with margins, (S,).
    phase
        Calendar month 0-11 counted from the local midwinter half (southern sites shifted by six), (S, T).
    month
        Calendar month 0-11, (T,).
    channels
        Names of the driver channels.
    """

    sites: NDArray
    clusters: NDArray
    classes: NDArray
    drivers: NDArray[np.float32]
    statics: NDArray[np.float32]
    flux: NDArray[np.float64]
    covariance: NDArray[np.float64]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    phase: NDArray[np.int64]
    month: NDArray[np.int64]
    channels: tuple[str, ...]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Usable values of NEE and RECO (S, T, 2)."""
        return np.asarray(np.isfinite(self.flux))

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Months with a usable value (S, T), of NEE alone or of both."""
        return np.asarray(self.known.any(-1))

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Months with usable NEE and RECO, hence GPP (S, T)."""
        return np.asarray(self.known.all(-1))

    @property
    def span(self) -> NDArray[np.bool_]:
        """Months of record and margins (S, T)."""
        index = np.arange(len(self.month))
        return (index >= self.start[:, None]) & (index < self.stop[:, None])

    def take(self, chosen: NDArray) -> Series:
        """The chosen sites (boolean mask or indices)."""
        shared = ("month", "channels")
        return Series(
            **{
                f.name: getattr(self, f.name) if f.name in shared else getattr(self, f.name)[chosen]
                for f in fields(self)
            }
        )


def observed_covariance(
    flux: NDArray, uncertainty: NDArray, floor: float, relative_floor: float
) -> NDArray[np.float64]:
    """Error covariance of observed (NEE, RECO), shape (..., 2, 2).

    Parameters
    ----------
    flux, uncertainty
        GPP, RECO and NEE and their standard deviations (..., 3) in gC m-2 d-1; a missing uncertainty is the floor.
    floor, relative_floor
        Smallest standard deviation, absolute and as a share of the value.

    Notes
    -----
    The covariance follows from GPP = RECO - NEE: var(GPP) = var(RECO) + var(NEE) - 2 cov.
    """
    sigma = np.fmax(np.nan_to_num(uncertainty, nan=0.0), np.maximum(floor, relative_floor * np.abs(flux)))
    return closed_covariance(**{name: sigma[..., FLUXES.index(name)] ** 2 for name in FLUXES})


def closed_covariance(gpp: NDArray, reco: NDArray, nee: NDArray) -> NDArray[np.float64]:
    """Covariance (..., 2, 2) of (NEE, RECO) from the variances of all three, GPP = RECO - NEE; correlations up to .95.

    Where the three ask for more, that of GPP gives way.
    """
    limit = 0.95 * np.sqrt(nee * reco)
    cross = np.clip((reco + nee - gpp) / 2, -limit, limit)
    return np.stack([np.stack([nee, cross], -1), np.stack([cross, reco], -1)], -2)


def _standardised(values: NDArray, mean: NDArray, std: NDArray) -> NDArray[np.float32]:
    """Standardise; a floored (constant) channel becomes 0; far values are pulled to the limit."""
    constant = np.asarray(std) <= 1e-6
    scaled = np.where(constant, 0.0, (values - mean) / np.where(constant, 1.0, std))
    return np.clip(scaled, -LIMIT, LIMIT).astype(np.float32)


def build(
    towers: xr.Dataset,
    splits: pd.DataFrame,
    statistics: xr.Dataset,
    *,
    margin_months: int = 12,
    minimum_quality: float = 0.5,
    floor: float = 0.15,
    relative_floor: float = 0.05,
    use_simulation: bool = True,
) -> Series:
    """Arrays of all sites in ``towers``.

    Parameters
    ----------
    towers
        ``data/towers.nc`` or some of its sites; only those with a row in ``splits``.
    splits
        Gives the cluster of each site.
    statistics
        Training-only means and standard deviations of drivers, statics and fluxes.
    margin_months
        Months before and after the record that get labels too; cut at the ends of the time axis.
    minimum_quality
        Values of lower or unknown quality count as missing.

    Raises
    ------
    ValueError
        When a site lacks a row in ``splits``, ids repeat, a driver is missing or the statistics do not fit.
    """
    sites = towers["site"].values.astype(str)
    table = splits[splits["kind"] == "site"]
    table = table.assign(id=table["id"].astype(str)).set_index("id")
    if len(set(sites)) != len(sites) or table.index.has_duplicates:
        raise ValueError("towers: a site id occurs twice; give every tower one row in towers.nc and splits.csv")
    unknown = sorted(set(sites) - set(table.index))
    if unknown:
        raise ValueError(f"splits.csv lacks site {unknown[0]} ({len(unknown)} in all); run harmonise again")
    driver_set = str(towers.attrs["driver_set"])
    wanted = [str(name) for name in statistics["driver"].values]
    satellites = any(is_mask(name) for name in wanted)
    # the raw drivers alone: what is made of them stands behind them
    raw, names = stack(towers, driver_set, satellites)
    if list(names) != wanted[: len(names)]:
        raise ValueError(
            f"statistics hold drivers {wanted[:3]}..., towers have {list(names)[:3]}...; make the statistics again"
        )
    of_drivers = statistics[["driver_mean", "driver_std"]].isel(driver=slice(len(names)))
    drivers = _standardised(raw, of_drivers["driver_mean"].values, of_drivers["driver_std"].values)
    channels = tuple(names)
    if use_simulation and "simulated" in towers and bool(np.isfinite(towers["simulated"].values).any()):
        drivers, channels = _with_simulation(towers, statistics, drivers, channels)
    value, quality = labels_of(towers, CO2)
    flux = np.where(usable(value, quality, minimum_quality), value.astype(float), np.nan)
    if "flux_uncertainty" in towers:
        uncertainty = towers["flux_uncertainty"].sel(flux=list(FLUXES)).transpose("site", "time", "flux").values
    else:
        uncertainty = np.full(value.shape, np.nan)
    month = month_number(towers["time"].values) % 12
    record = towers["record"].transpose("site", "time").values.astype(bool)
    start, stop = _span(record, margin_months)
    lat = towers["lat"].values
    return Series(
        sites=sites,
        clusters=table["cluster"].reindex(sites).to_numpy(),
        classes=towers["igbp"].values.astype(str),
        drivers=drivers,
        statics=_standardised(
            towers["static"].transpose("site", "attribute").values,
            statistics["static_mean"].values,
            statistics["static_std"].values,
        ),
        flux=flux[..., [FLUXES.index(name) for name in COMPONENTS]],
        covariance=observed_covariance(flux, uncertainty, floor, relative_floor),
        start=start,
        stop=stop,
        phase=(month[None] + np.where(lat < 0, 6, 0)[:, None]) % 12,
        month=month,
        channels=channels,
    )


def _with_simulation(
    towers: xr.Dataset, statistics: xr.Dataset, drivers: NDArray, channels: tuple[str, ...]
) -> tuple[NDArray, tuple[str, ...]]:
    """Append the simulated fluxes, standardised by the tower fluxes, as driver channels.

    Months that the simulation does not reach take its climatology at the site.
    """
    month = month_number(towers["time"].values) % 12
    series = []
    for name in SIMULATED:
        values = towers["simulated"].sel(target=name).transpose("site", "time").values.astype(float)
        complete = np.where(np.isfinite(values), values, monthly_climatology(values, month)[:, month])
        if np.isnan(complete).any():
            site = towers["site"].values[np.isnan(complete).any(1)][0]
            raise ValueError(
                f"towers: simulated {name} of site {site} has no value in any month, at least one is needed; run "
                "harmonise again or drop the site"
            )
        series.append(complete)
    values = np.stack(series, -1)
    mean = statistics["flux_mean"].sel(flux=list(SIMULATED)).values
    std = statistics["flux_std"].sel(flux=list(SIMULATED)).values
    added = _standardised(values, mean, std)
    return np.concatenate([drivers, added], -1), (*channels, *(f"simulated_{name}" for name in SIMULATED))


def _span(record: NDArray[np.bool_], margin: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and one-past-last month of record and margins; an empty record gives an empty span."""
    length = record.shape[1]
    some = record.any(1)
    first = np.where(some, record.argmax(1), 0)
    last = np.where(some, length - record[:, ::-1].argmax(1), 0)
    start = np.where(some, np.maximum(first - margin, 0), 0)
    stop = np.where(some, np.minimum(last + margin, length), 0)
    return start.astype(np.int64), stop.astype(np.int64)


def site_ids(splits: pd.DataFrame, fold: int, role: str) -> list[str]:
    """Ids of the sites with a role in a fold."""
    table = roles(splits, fold)
    return table.loc[(table["kind"] == "site") & (table["role"] == role), "id"].astype(str).tolist()


def select(towers: xr.Dataset, ids: list[str]) -> xr.Dataset:
    """Sites of ``towers`` with an id in ``ids``, in the order of ``towers``."""
    return towers.isel(site=np.flatnonzero(np.isin(towers["site"].values.astype(str), ids)))


def series_of(towers: xr.Dataset, splits: pd.DataFrame, statistics: xr.Dataset, config: ImputationConfig) -> Series:
    """Arrays of ``towers`` under a configuration."""
    return build(
        towers,
        splits,
        statistics,
        margin_months=config.margin_months,
        minimum_quality=config.minimum_quality,
        floor=config.floor,
        relative_floor=config.relative_floor,
        use_simulation=config.point.use_simulation,
    )


def with_gpp(values: NDArray) -> NDArray:
    """GPP, RECO, NEE (..., 3) from NEE and RECO (..., 2)."""
    full = {"nee": values[..., 0], "reco": values[..., 1], "gpp": values[..., 1] - values[..., 0]}
    return np.stack([full[name] for name in FLUXES], -1)


def hidden_fluxes(unseen: NDArray[np.bool_], complete: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Hidden GPP, RECO, NEE (..., 3) from hidden NEE and RECO (..., 2); GPP where one is, and both were observed."""
    full = {**{name: unseen[..., c] for c, name in enumerate(COMPONENTS)}, "gpp": unseen.any(-1) & complete}
    return np.stack([full[name] for name in FLUXES], -1)
