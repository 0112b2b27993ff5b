"""Arrays of the DERE data set to canonical ones (docs/data.md#dere-arrays): order, layout, time, units and sums.

States and tower fluxes run from January 1992 to December 2020 (29 years), drivers from January 1993 (28 years). Of the
year 1992 only the state of December is used: it is the one before the first month. Pure functions on arrays; where the
files lie and how they are read is the business of the ``dere_*`` modules beside this one.
"""

from __future__ import annotations

import logging

import numpy as np

from dere.ingest.cover.age_weights import SUM_TOLERANCE
from dere.ingest.months import MONTHS
from dere.ingest.possible import only_possible
from dere.ingest.simulation.carbonglobe import parse_targets
from dere.variables import FLUXES, FREE_TARGETS, PLANT_TYPES, TARGETS, convert

log = logging.getLogger(__name__)

FIRST_YEAR = 1993
"""First year of the drivers; states, fractions and fluxes begin a year earlier."""
YEARS = 28
CHANNELS = 136
IN_SITU = ("gpp", "reco", "nee")
"""Order of the tower fluxes, other than that of the targets (gpp 4, nee 7, reco 9)."""
SPLITS = ("train", "test")
_UNIT = "kgC m-2 yr-1"
# shares above 1 by more than this are no shares
_SHARE_TOLERANCE = 1e-2


def drivers_by_month(flat: np.ndarray) -> np.ndarray:
    """Undo the feature-major layout of a year: the 12 months of channel 0 come first.

    Parameters
    ----------
    flat
        Shape (n, years, 1632).

    Returns
    -------
    np.ndarray
        Shape (n, years, 12, 136).
    """
    return np.swapaxes(flat.reshape(*flat.shape[:2], CHANNELS, MONTHS), 2, 3)


def parse_drivers(raw: np.ndarray, source: str) -> np.ndarray:
    """Drivers (n, 28, 12, 136), checked to be complete.

    Raises
    ------
    ValueError
        NaN or infinite values.
    """
    bad = ~np.isfinite(raw).all(axis=(1, 2, 3))
    if bad.any():
        raise ValueError(
            f"{source}: row {int(np.flatnonzero(bad)[0])} holds NaN or infinite drivers ({int(bad.sum())} such rows of "
            f"{len(raw)}), but all 136 channels are needed in every month; take the published file or drop the rows"
        )
    return raw


def parse_states(raw: np.ndarray, source: str) -> np.ndarray:
    """States of December 1992 and of the 336 months from January 1993 on.

    Parameters
    ----------
    raw
        Shape (n, 29, 12, 10) in the order of ``TARGETS``; fluxes in kgC m-2 yr-1.
    source
        File and array for messages.

    Returns
    -------
    np.ndarray
        float32 of shape (n, 337, 10); fluxes in gC m-2 d-1, derived targets recomputed so that they close.

    Raises
    ------
    ValueError
        Missing values, quantities below zero, or fluxes that contradict each other (another order, sign or unit).
    """
    months = raw.reshape(len(raw), -1, len(TARGETS))[:, MONTHS - 1 :]
    bad = ~np.isfinite(months).all(axis=(1, 2))
    if bad.any():
        raise ValueError(
            f"{source}: row {int(np.flatnonzero(bad)[0])} holds NaN or infinite states ({int(bad.sum())} such rows), "
            "but the simulation must be complete; take the published file or drop the rows"
        )
    for position, name in enumerate(TARGETS):
        # single values below zero are rounding of the model; a sign is wrong where most are
        if name in FREE_TARGETS and len(months) and float(np.median(months[..., position])) < 0:
            raise ValueError(
                f"{source}: {name} (index {position}) is negative in most months, but {', '.join(FREE_TARGETS)} are "
                "never below zero; correct the order of the last axis or the sign"
            )
    return parse_targets(months, source)


def repeats_annual_values(states: np.ndarray) -> bool:
    """Whether all months of every year hold one value in all of (n, 337, 10) states: they are annual then."""
    years = states[:, 1:].reshape(len(states), YEARS, MONTHS, -1)
    return bool((years == years[:, :, :1]).all())


def parse_shares(parts: list[np.ndarray], source: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Fractions of the three plant types, and the share of the land that they cover.

    Parameters
    ----------
    parts
        BL, NL and GS, each of one shape (...).
    source
        File and arrays for messages.

    Returns
    -------
    tuple
        Fractions (..., 3) that sum to 1 (a place without any is bare grass and shrub land), their sum (...), and how
        many sums were off 1 by more than 1e-3.

    Raises
    ------
    ValueError
        Missing or negative shares, sums above 1, or arrays of different shapes.
    """
    shapes = [part.shape for part in parts]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"{source} have the shapes {shapes}, but one shape for all plant types is needed; download the file again"
        )
    values = np.stack(parts, axis=-1).astype(np.float64)
    low, high = float(values.min()), float(values.sum(-1).max())
    if not np.isfinite(values).all() or low < -1e-6 or high > 1 + _SHARE_TOLERANCE:
        hint = "divide percent by 100" if high > 1.5 else "correct the arrays"
        raise ValueError(
            f"{source}: shares of the plant types reach down to {low:g} and sums up to {high:g}, but shares of 0 to 1 "
            f"with sums of at most 1 are needed; {hint}"
        )
    values = np.maximum(values, 0.0)
    total = values.sum(-1)
    bare = np.eye(len(PLANT_TYPES))[PLANT_TYPES.index("GS")]
    fraction = np.where(total[..., None] > 1e-6, values / np.maximum(total[..., None], 1e-6), bare)
    return fraction.astype(np.float32), np.minimum(total, 1.0).astype(np.float32), int((np.abs(total - 1) > 1e-3).sum())


def annual_means(monthly: np.ndarray, source: str) -> np.ndarray:
    """Years of plant fractions stored by month, (..., years, 12) to (..., years); says so when months differ."""
    spread = float(np.ptp(monthly, axis=-1).max()) if monthly.size else 0.0
    if spread > 1e-4:
        log.warning("%s: plant fractions differ by up to %g within a year; their mean is taken", source, spread)
    return monthly.mean(axis=-1)


def parse_age_weights(raw: np.ndarray, source: str) -> np.ndarray:
    """Age weights of members, summing to 1.

    Parameters
    ----------
    raw
        Shape (age, n).
    source
        File and array for messages.

    Returns
    -------
    np.ndarray
        float32 (n, age). Members without any weight (no stand was measured) count every age alike; they are counted.

    Raises
    ------
    ValueError
        Negative weights, a sum off 1 by more than ``SUM_TOLERANCE``, or no weight at all.
    """
    weights = np.nan_to_num(raw.T.astype(np.float64))
    if weights.size and weights.min() < 0:
        row = int(np.argwhere(weights < 0)[0, 0])
        raise ValueError(
            f"{source}: column {row} holds the weight {weights[row].min():g}, but shares of 0 to 1 are needed; correct "
            "the array"
        )
    total = weights.sum(1)
    empty = total == 0
    off = np.where(empty, 0.0, np.abs(total - 1))
    if len(off) and off.max() > SUM_TOLERANCE:
        row = int(off.argmax())
        raise ValueError(
            f"{source}: the {weights.shape[1]} weights of column {row} sum to {total[row]:g} "
            f"({int((off > SUM_TOLERANCE).sum())} columns are off), but 1 within {SUM_TOLERANCE:g} is needed; "
            "renormalise them"
        )
    if len(off) and empty.all():
        raise ValueError(
            f"{source} holds no weight above zero for any of its {len(off)} members, but shares of the ages that sum "
            "to 1 are needed; take the published file"
        )
    if empty.any():
        log.warning(
            "%s: %d of %d members have no age weight; every age counts alike there", source, empty.sum(), len(off)
        )
    weights[empty] = 1.0
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def parse_fluxes(raw: np.ndarray, source: str) -> dict[str, np.ndarray]:
    """Tower fluxes of the months from January 1993 on.

    Negative GPP and RECO stay (noise; the published loaders set them to zero).

    Parameters
    ----------
    raw
        Shape (n, 29, 12, 3) from January 1992, or (n, 28, 12, 3) from January 1993; GPP, RECO, NEE in kgC m-2 yr-1, NaN
        missing.
    source
        File and array for messages.

    Returns
    -------
    dict
        gpp, reco, nee (n, 336), float32 in gC m-2 d-1; marks of missing values and impossible fluxes are NaN.

    Raises
    ------
    ValueError
        Infinite values, too many impossible ones, or values that RECO - GPP = NEE contradicts in most months (another
        order or sign).
    """
    if not len(raw):
        raise ValueError(f"{source} holds no tower, but at least one is needed; download the file again")
    if np.isinf(raw).any():
        raise ValueError(f"{source} holds infinite fluxes, but NaN marks a missing month; replace them by NaN")
    months = raw.reshape(len(raw), -1, len(IN_SITU))[:, -YEARS * MONTHS :]
    values = convert(months.astype(np.float64), _UNIT, "gC m-2 d-1", source)
    gpp, reco, nee = (
        only_possible(name, values[..., at], source, f"{at} ({name})", written=months[..., at])[0]
        for name, at in ((name, IN_SITU.index(name)) for name in FLUXES)
    )
    values = np.stack([gpp, reco, nee], -1)
    known = np.isfinite(values).all(-1)
    if known.any():
        size = np.abs(values[known]).max(-1)
        residual = np.abs(reco - gpp - nee)[known]
        if np.median(residual) > 0.25 * max(float(np.median(size)), 0.1):
            raise ValueError(
                f"{source}: NEE differs from RECO - GPP by {np.median(residual):.2g} gC m-2 d-1 in the median of "
                f"{int(known.sum())} months, but the order GPP, RECO, NEE with NEE positive to the atmosphere is "
                "expected; correct the order of the last axis or the sign"
            )
    return {name: array.astype(np.float32) for name, array in zip(FLUXES, (gpp, reco, nee), strict=True)}


def dropped_months(raw: np.ndarray) -> int:
    """Tower months of 1992 that hold a flux and have no driver, so that they are left out."""
    if raw.shape[1] <= YEARS:
        return 0
    return int(np.isfinite(raw[:, : raw.shape[1] - YEARS]).any(-1).sum())


def compare_statistics(name: str, stored: np.ndarray, mean: np.ndarray, std: np.ndarray, source: str) -> int:
    """Count channels whose stored mean is off the data's by more than a tenth of their standard deviation; says so."""
    scale = np.where(std > 0, std, np.maximum(np.abs(mean), 1e-12))
    off = np.abs(stored - mean) > 0.1 * scale
    if off.any():
        log.warning(
            "%s: %s of %d of %d channels is off that of the arrays by more than a tenth of the spread (first: channel "
            "%d, %g against %g); the run uses its own statistics",
            source, name, off.sum(), len(off), int(np.flatnonzero(off)[0]), stored[off][0], mean[off][0],
        )  # fmt: skip
    return int(off.sum())
