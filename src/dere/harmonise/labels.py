"""Which tower months become labels, and how uncertain they are (docs/data.md#rules).

The triple is NEE, GPP of the night-time partitioning and RECO := NEE + GPP, so it closes exactly; sites whose
``partitioning`` is "dt" use the day-time one (by configuration, or because they have no other). Rejected and counted
are months whose published RECO differs from NEE + GPP by more than a limit, whose GPP or derived RECO is beyond what a
month can be, and runs of repeated values (a stuck partitioning); counted last are months that would be labels, but that
the drivers do not reach. What is wrong with the
partitioning, or the lack of one, costs GPP and RECO, not the measured NEE: such months are labels of NEE alone and
counted as the step "nee alone". Nothing is clipped: negative night-time GPP is noise around zero and stays. Quality
never removes a month here; it is stored beside the label, training and testing apply their own thresholds. The triple
of the day-time partitioning, a second opinion for the scores, has months without a label too; runs in it are rejected
alike and counted as a step of their own. What does not fit the site's own record (``odd_months``) is left out
on request and kept in ``flux_odd``, for a score of its own.

Uncertainty (one standard deviation). NEE: the product's joint uncertainty, else the random one, else
0.05 + 0.022 |NEE|. GPP and RECO share the partitioning term p, half the difference of the two partitionings, else
0.04 + 0.05 |GPP|: sigma_GPP = p and sigma_RECO = sqrt(p^2 + sigma_NEE^2), because RECO is NEE + GPP; never below
0.05. Both fallbacks are medians over the 7,086 good months of the Warm Winter 2020 release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from dere.exchange.co2 import EXCHANGE as CO2
from dere.harmonise.label_quality import flux_quality, series_of
from dere.harmonise.odd_months import OddRule, find_odd, no_table
from dere.variables import FLUX_UNIT, FLUXES, VARIABLES

OUTSIDE = "outside the simulation's months"
ODD = "odd"
UNCERTAINTY_FLOOR = 0.05


@dataclass(frozen=True)
class Labels:
    """Labels (site, time, flux), the count of kept and rejected months per site and reason, and the odd months."""

    dataset: xr.Dataset
    counts: pd.DataFrame
    odd: pd.DataFrame = field(default_factory=no_table)


def repeated_runs(values: NDArray, length: int) -> NDArray[np.bool_]:
    """Mark runs of at least ``length`` equal neighbouring values along the last axis (NaN never equals)."""
    values = np.asarray(values, float)
    marked = np.zeros(values.shape, bool)
    if values.shape[-1] < length:
        return marked
    same = values[..., 1:] == values[..., :-1]
    full = np.lib.stride_tricks.sliding_window_view(same, length - 1, axis=-1).all(-1)
    for offset in range(length):
        marked[..., offset : offset + full.shape[-1]] |= full
    return marked


def make_labels(
    towers: xr.Dataset,
    maximum_residual: float = 0.5,
    repeated_run: int = 3,
    reached: NDArray[np.bool_] | None = None,
    odd: OddRule | None = None,
) -> Labels:
    """Apply the label rule.

    Parameters
    ----------
    towers
        (site, time): ``nee``, ``gpp_nt``, ``in_record`` and, where known, ``reco_nt``, ``gpp_dt``, ``nee_quality``,
        ``nee_joint_uncertainty``, ``nee_random_uncertainty``; fluxes in gC m-2 d-1. Sites with coordinate
        ``partitioning`` "dt" take ``gpp_dt`` and ``reco_dt`` for their labels.
    maximum_residual
        Largest |RECO - (NEE + GPP)| of the published triple in gC m-2 d-1.
    repeated_run
        Runs of so many equal values of NEE, GPP, published or derived RECO are rejected (of NEE, all fluxes); so are
        they in the triple of the day-time partitioning.
    reached
        (site, time) months that have drivers; None = all. Others give nothing, and their labels are counted.
    odd
        How months that do not fit the site's own record are found and treated; None = they are not looked for.

    Returns
    -------
    Labels
        ``flux_value``, ``flux_uncertainty``, ``flux_daytime`` and ``flux_quality``, each (site, time, flux); where any
        month is odd, ``flux_odd`` has what odd months cost.
    """
    nee, nighttime, daytime = (series_of(towers, name) for name in ("nee", "gpp_nt", "gpp_dt"))
    by_day = _by_day(towers)
    gpp = np.where(by_day, daytime, nighttime)
    reco = np.where(by_day, series_of(towers, "reco_dt"), series_of(towers, "reco_nt"))
    record = towers["in_record"].transpose("site", "time").values.astype(bool)

    # rounded, because a year of numbers around 1e-270 is a year of zeros
    stuck = _stuck(repeated_run, np.round(nee, 5))
    tests = {
        "no_nee": np.isnan(nee),
        "no_gpp": np.isnan(gpp),
        "closure": np.abs(reco - nee - gpp) > maximum_residual,
        "impossible": _impossible(gpp, nee + gpp),
        # the derived RECO too: where only NEE and GPP are published, a RECO stuck at zero shows in their sum
        "repeated": stuck | _stuck(repeated_run, gpp, reco, np.round(nee + gpp, 5)),
        OUTSIDE: np.zeros_like(record) if reached is None else ~reached,
    }
    left, rejected = sifted(record, tests)
    measured = record & ~(tests["no_nee"] | stuck)
    lost = measured & ~left & tests[OUTSIDE] & ~rejected[OUTSIDE]
    measured &= ~tests[OUTSIDE]
    record = record & ~tests[OUTSIDE]
    opinion = record & np.isfinite(nee) & np.isfinite(daytime) & ~_impossible(daytime, nee + daytime)
    # a light response gives exactly zero in dark months: many of them in a row are a winter
    lit = np.where(daytime == 0, np.nan, daytime)
    stuck_by_day = opinion & _stuck(repeated_run, nee, lit, series_of(towers, "reco_dt"), np.round(nee + lit, 5))
    values, quality = np.stack([gpp, nee + gpp, nee], -1), _of_partition(*flux_quality(towers, CO2, record))
    found = find_odd(towers, np.where(np.stack([left, left, measured], -1), values, np.nan), quality[1], odd)
    partition_odd, _, nee_odd = np.moveaxis(found.left_out, -1, 0)
    rejected[ODD] = left & partition_odd
    alone_odd = measured & nee_odd & ~left
    left, measured = left & ~partition_odd, measured & ~nee_odd
    kept = np.stack([left, left, measured], -1)

    def triple(production: NDArray, usable: NDArray) -> NDArray:
        values = np.stack([production, nee + production, nee], -1)
        return np.where(usable, values, np.nan).astype(np.float32)

    dims = ("site", "time", "flux")
    unit = {"units": FLUX_UNIT}
    dataset = xr.Dataset(
        {
            "flux_value": (
                dims,
                triple(gpp, kept),
                {**unit, "long_name": "tower flux, closing where it has all three"},
            ),
            "flux_uncertainty": (
                dims,
                np.where(kept, _uncertainty(towers, nee, gpp, nighttime - daytime), np.nan).astype(np.float32),
                {**unit, "long_name": "standard uncertainty of the label"},
            ),
            "flux_daytime": (
                dims,
                triple(daytime, (opinion & ~stuck_by_day & ~nee_odd)[..., None]),
                {**unit, "long_name": "tower flux, day-time partitioning"},
            ),
            "flux_quality": quality,
        },
        coords={"site": towers["site"], "time": towers["time"], "flux": list(FLUXES)},
    )
    if found.odd.any():
        about = {**unit, "long_name": "what tower fluxes were in months that do not fit the site's own record"}
        dataset["flux_odd"] = (dims, np.where(found.odd, values, np.nan).astype(np.float32), about)
    if "nee_measured_share" in towers:
        share = np.where(record, series_of(towers, "nee_measured_share"), np.nan).astype(np.float32)
        about = {"units": "1", "long_name": "share of half hours with measured NEE, where known"}
        dataset["flux_measured"] = (dims[:2], share, about)
    months = {("labels", reason): where for reason, where in {"kept": left, **rejected}.items()}
    months |= {("nee alone", reason): where & measured for reason, where in rejected.items()}
    months["nee alone, lost", OUTSIDE] = lost
    months["nee alone, lost", ODD] = alone_odd
    months["daytime", "repeated"] = stuck_by_day
    return Labels(dataset, counted(towers["site"].values.astype(str), months), found.table)


def sifted(
    record: NDArray[np.bool_], tests: Mapping[str, NDArray[np.bool_]]
) -> tuple[NDArray[np.bool_], dict[str, NDArray[np.bool_]]]:
    """Months of the record that pass every test, and those that each test is the first to reject."""
    left = record.copy()
    rejected = {}
    for reason, failed in tests.items():
        rejected[reason] = left & failed
        left &= ~failed
    return left, rejected


def counted(sites: NDArray[np.str_], months: Mapping[tuple[str, str], NDArray[np.bool_]]) -> pd.DataFrame:
    """Months (site, time) of each step and reason as a table: site, step, reason, months; zeros are left out."""
    table = pd.concat(
        [
            pd.DataFrame({"site": sites, "step": step, "reason": reason, "months": where.sum(1)})
            for (step, reason), where in months.items()
        ]
    )
    return table[table["months"] > 0].reset_index(drop=True)


def _of_partition(
    dims: tuple[str, str, str], quality: NDArray[np.float32], attrs: dict[str, str]
) -> tuple[tuple[str, str, str], NDArray[np.float32], dict[str, str]]:
    """Give GPP and RECO the least quality of the three: one is computed from the other and NEE."""
    least = quality.min(-1)
    return dims, np.stack([least, least, quality[..., FLUXES.index("nee")]], -1), attrs


def _stuck(repeated_run: int, *series: NDArray) -> NDArray[np.bool_]:
    """Months (site, time) in a run of equal values of one of the series."""
    return np.any([repeated_runs(values, repeated_run) for values in series], axis=0)


def _impossible(gpp: NDArray, reco: NDArray) -> NDArray[np.bool_]:
    """Months (site, time) whose GPP, or whose RECO := NEE + GPP, no month can have."""
    found = []
    for name, values in (("gpp", gpp), ("reco", reco)):
        low, high = VARIABLES[name].possible
        found.append((values < low) | (values > high))
    return np.any(found, axis=0)


def _by_day(towers: xr.Dataset) -> NDArray[np.bool_]:
    """Sites whose labels come from the day-time partitioning, shape (site, 1)."""
    if "partitioning" not in towers.coords:
        return np.zeros((towers.sizes["site"], 1), bool)
    return (towers["partitioning"].values.astype(str) == "dt")[:, None]


def _uncertainty(towers: xr.Dataset, nee: NDArray, gpp: NDArray, disagreement: NDArray) -> NDArray:
    joint, random = series_of(towers, "nee_joint_uncertainty"), series_of(towers, "nee_random_uncertainty")
    sigma = np.where(np.isfinite(joint), joint, random)
    sigma = np.where(np.isfinite(sigma), sigma, 0.05 + 0.022 * np.abs(nee))
    partitioning = 0.5 * np.abs(disagreement)
    partitioning = np.where(np.isfinite(partitioning), partitioning, 0.04 + 0.05 * np.abs(gpp))
    stacked = np.stack([partitioning, np.hypot(partitioning, sigma), sigma], -1)
    return np.maximum(stacked, UNCERTAINTY_FLOOR)
