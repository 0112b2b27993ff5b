"""Towers with their gaps filled: months and years whose members close exactly, as CF time series and as tables.

Members are those of the labels: in observed months they scatter around the observation with its random and its lasting
error, in others they are imputed given all observations of the tower. Annual sums are sums of each member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.axis import month_number, time_bounds
from dere.imputation.origins import OBSERVED, ORIGINS, PARTLY
from dere.ingest.months import MONTHS
from dere.intervals.sums import member_quantiles
from dere.variables import FLUXES

GRID = 2.0**-12
"""Members are multiples of it (0.0002 gC m-2 d-1), so that RECO - GPP = NEE to the last bit in single precision too."""
LEVELS = {"q05": 0.05, "q50": 0.5, "q95": 0.95}
STATISTICS = ("", "_std", *(f"_{name}" for name in LEVELS))
"""What follows a flux's name: mean, standard deviation and quantiles of the members."""


@dataclass(frozen=True)
class Filled:
    """Members of all towers at one step of time.

    Parameters
    ----------
    members
        (member, site, time, flux) in ``unit``; NaN where a tower has none.
    time, bounds
        (time,) and (time, 2).
    unit, method
        CF unit and ``cell_methods``.
    flags
        Further variables (site, time) with their attributes.
    """

    members: NDArray[np.float64]
    time: NDArray
    bounds: NDArray
    unit: str
    method: str
    flags: Mapping[str, tuple[NDArray, dict[str, object]]]

    def statistics(self) -> dict[str, NDArray[np.float64]]:
        """`STATISTICS` of each flux, (site, time)."""
        parts = [self.members.mean(0), self.members.std(0, ddof=1)]
        quantiles = member_quantiles(self.members, list(LEVELS.values()))
        parts += list(np.moveaxis(quantiles, -1, 0))
        return {
            f"{flux}{what}": part[..., at]
            for at, flux in enumerate(FLUXES)
            for what, part in zip(STATISTICS, parts, strict=True)
        }


def monthly(labels: xr.Dataset) -> Filled:
    """Months of the towers.

    Parameters
    ----------
    labels
        ``sample(site, sample, time, flux)`` in gC m-2 d-1 and ``origin(site, time)``, as labels have them.
    """
    drawn = labels["sample"].transpose("sample", "site", "time", "flux")
    reco, nee = (np.round(drawn.sel(flux=name).values.astype(float) / GRID) * GRID for name in ("reco", "nee"))
    made = {"gpp": reco - nee, "reco": reco, "nee": nee}
    about: dict[str, object] = {
        "long_name": "where the month comes from",
        "flag_values": np.arange(len(ORIGINS), dtype=np.int8),
        "flag_meanings": " ".join(ORIGINS),
        "comment": "imputed: no usable month, filled; partly_observed: NEE observed, GPP and RECO filled given it",
    }
    time = labels["time"].values
    return Filled(
        members=np.stack([made[name] for name in FLUXES], -1),
        time=time,
        bounds=time_bounds(time),
        unit="g m-2 d-1",
        method="time: mean",
        flags={"origin": (labels["origin"].transpose("site", "time").values.astype(np.int8), about)},
    )


def annual(months: Filled) -> Filled:
    """Sums over calendar years that a tower has whole, and how many of their months were observed, by flux."""
    year = month_number(months.time) // MONTHS
    whole = [one for one in np.unique(year) if (year == one).sum() == MONTHS]
    days = (months.bounds[:, 1] - months.bounds[:, 0]) / np.timedelta64(1, "D")
    members, site = months.members, months.members.shape[1]
    sums = np.full((len(members), site, len(whole), len(FLUXES)), np.nan)
    origin, seen = months.flags["origin"][0], np.zeros((site, len(whole), len(FLUXES)), np.int8)
    for at, one in enumerate(whole):
        inside = year == one
        sums[:, :, at] = np.einsum("mstf,t->msf", members[:, :, inside], days[inside])
        for flux, name in enumerate(FLUXES):
            known = (OBSERVED, PARTLY) if name == "nee" else (OBSERVED,)
            seen[:, at, flux] = np.isin(origin[:, inside], known).sum(1)
    edge = [np.array([f"{one + later}-01-01" for one in whole], "datetime64[ns]") for later in (0, 1)]
    return Filled(
        members=sums,
        time=edge[0] + (edge[1] - edge[0]) / 2,
        bounds=np.stack(edge, -1),
        unit="g m-2",
        method="time: sum",
        flags={
            f"{name}_observed_months": (seen[..., at], {"long_name": f"observed months of {name.upper()} in the year"})
            for at, name in enumerate(FLUXES)
        },
    )


def time_series(filled: Filled, labels: xr.Dataset, attributes: Mapping[str, str]) -> xr.Dataset:
    """CF discrete sampling geometry ``timeSeries``: statistics, flags and ``<flux>_member(station, member, time)``.

    Parameters
    ----------
    labels
        Its ``site``, ``lat``, ``lon``, ``igbp``, ``fold`` and ``role`` (site,) describe the stations.
    attributes
        Global attributes beside those of the geometry.
    """
    dims = ("station", "time")
    data: dict[str, tuple[tuple[str, ...], NDArray, dict[str, object]]] = {}
    for name, values in filled.statistics().items():
        flux, _, what = name.partition("_")
        # the mean closes to rounding of double precision
        kept = values if not what else values.astype(np.float32)
        data[name] = (dims, kept, _attributes(flux, what, filled))
    for at, flux in enumerate(FLUXES):
        values = np.moveaxis(filled.members[..., at], 0, 1)
        exact = values.astype(np.float32) if filled.unit == "g m-2 d-1" else values
        data[f"{flux}_member"] = (("station", "member", "time"), exact, _attributes(flux, "member", filled))
    for name, (values, attrs) in filled.flags.items():
        data[name] = (dims, values, attrs)
    texts = {
        "site": {"long_name": "id of the tower", "cf_role": "timeseries_id"},
        "igbp": {"long_name": "IGBP class"},
        "role": {"long_name": "role of the tower in the fold whose imputation filled it"},
    }
    places = {
        "lat": {"units": "degrees_north", "standard_name": "latitude", "long_name": "latitude"},
        "lon": {"units": "degrees_east", "standard_name": "longitude", "long_name": "longitude"},
    }
    result = xr.Dataset(
        data,
        coords={
            "time": ("time", filled.time, {"standard_name": "time", "axis": "T", "bounds": "time_bnds"}),
            **{name: ("station", labels[name].values.astype(float), attrs) for name, attrs in places.items()},
            **{name: ("station", labels[name].values.astype(str).astype(object), a) for name, a in texts.items()},
            "fold": ("station", labels["fold"].values, {"long_name": "fold whose imputation filled the tower"}),
        },
    )
    result["time_bnds"] = (("time", "bnds"), filled.bounds)
    return result.assign_attrs(
        Conventions="CF-1.8",
        featureType="timeSeries",
        comment="Grams of carbon. The mean is that of the members; GPP = RECO - NEE in each member and mean, not in "
        "quantiles. Intervals of observed months are of the truth (members have the error of the observation), of "
        "imputed months of what the tower would have reported.",
        **attributes,
    )


def table(filled: Filled, labels: xr.Dataset, period: str) -> pd.DataFrame:
    """One row per tower and month or year (``period``) that it has: site, period, flags, statistics, fold and role."""
    inside = np.isfinite(filled.members[0, ..., 0])
    site, time = np.nonzero(inside)
    step = {"month": "M", "year": "Y"}[period]
    columns: dict[str, object] = {
        "site": labels["site"].values.astype(str)[site],
        period: filled.time.astype(f"datetime64[{step}]").astype(str)[time],
    }
    for name, (values, _) in filled.flags.items():
        columns[name] = np.array(ORIGINS)[values[inside]] if name == "origin" else values[inside]
    columns |= {name: values[inside] for name, values in filled.statistics().items()}
    columns |= {name: labels[name].values[site] for name in ("fold", "role")}
    return pd.DataFrame(columns)


def joined(parts: Sequence[xr.Dataset], towers: xr.Dataset) -> xr.Dataset:
    """Labels of all towers, in the order of ``towers``; each part has ``fold`` and ``role`` of its sites."""
    wanted = ["sample", "origin", "fold", "role"]
    whole = xr.concat([part[wanted] for part in parts], "site", join="exact", coords="minimal", compat="override")
    order = [site for site in towers["site"].values.astype(str) if site in set(whole["site"].values.astype(str))]
    whole = whole.sel(site=order)
    classes = towers["igbp"].sel(site=order).values.astype(str)
    here = {name: ("site", towers[name].sel(site=order).values) for name in ("lat", "lon")}
    return whole.assign_coords({"igbp": ("site", classes), **here})


def _attributes(flux: str, what: str, filled: Filled) -> dict[str, object]:
    """Attributes of a variable of a flux."""
    about = CO2.flux(flux)
    words = {"": "", "std": "standard deviation of ", "member": "members of "}
    attrs: dict[str, object] = {
        "long_name": f"{words.get(what, f'quantile {LEVELS.get(what, 0):.0%} of ')}{about.long_name}",
        "units": filled.unit,
        "cell_methods": filled.method,
    }
    return attrs if what else attrs | {"comment": about.sign}
