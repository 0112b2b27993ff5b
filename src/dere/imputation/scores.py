"""Sums of scores of trajectories over hidden months, of which ``imputation.csv`` is made; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.crps import crps
from dere.imputation.stretches import WAYS
from dere.ingest.months import MONTHS
from dere.variables import FLUXES

METHODS = (*WAYS, "prior", "point", "climatology", "interpolation")
"""The imputation, and what it must beat (`dere.imputation.hidden`)."""
SCALES = ("monthly", "annual")
SUMS = ("crps", "mae", "bias", "coverage_50", "coverage_90", "square", "variance")
"""Of each gap, summed over its values; ``mae`` is of the median, ``square`` and ``variance`` make root and spread."""


@dataclass(frozen=True)
class Gap:
    """One stretch of a tower with hidden months, and what the methods put there.

    Parameters
    ----------
    site, kind
        Tower, and one of `dere.imputation.masks.KINDS`.
    year
        Calendar year of each month, shape (month,).
    flux
        Observed GPP, RECO and NEE in gC m-2 d-1, NaN where not observed, (month, 3).
    hidden
        Observed values that the methods did not see, (month, 3).
    drawn
        Method to its samples, (sample, month, 3); one sample is a method without a spread. The first is the one that
        the others are compared with.
    given
        Values that a year takes as observed, (month, 3); else what is not hidden.
    """

    site: str
    kind: str
    year: NDArray[np.int64]
    flux: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    drawn: dict[str, NDArray[np.float64]]
    given: NDArray[np.bool_] | None = None


def covered(samples: NDArray, truth: NDArray, level: float) -> NDArray[np.float64]:
    """Whether the central interval of ``level`` holds the truth (1 or 0; NaN for a single sample)."""
    if len(samples) == 1:
        return np.full(truth.shape, np.nan)
    # Weibull positions (i / (m + 1)) make the interval of a finite ensemble cover its level on average
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return ((truth >= low) & (truth <= high)).astype(float)


def gap_sums(gaps: Sequence[Gap]) -> pd.DataFrame:
    """Sums over the hidden values of every gap, method, flux and scale (scores: ``dere.evaluation.imputation_table``).

    A gap without a hidden value in a year of twelve observed months has no row of the scale "annual".

    Returns
    -------
    DataFrame
        Columns gap, method, scale, site, values, flux and `SUMS`; methods in the order of the gap.
    """
    return pd.DataFrame([row for gap in gaps for method in gap.drawn for row in _sums(gap, method)])


def _sums(gap: Gap, method: str) -> Iterator[dict[str, object]]:
    drawn = gap.drawn[method]
    given = ~gap.hidden if gap.given is None else gap.given
    at_scales = {
        flux: dict(zip(SCALES, _at_scales(gap, given[:, c], drawn[..., c], c), strict=False))
        for c, flux in enumerate(FLUXES)
    }
    for scale, flux in ((scale, flux) for scale in SCALES for flux in FLUXES if scale in at_scales[flux]):
        samples, truth = at_scales[flux][scale]
        error = samples.mean(0) - truth
        inflated = (len(samples) + 1) / len(samples)
        parts = {
            "crps": crps(samples, truth),
            "mae": np.abs(np.median(samples, axis=0) - truth),
            "bias": error,
            "coverage_50": covered(samples, truth, 0.5),
            "coverage_90": covered(samples, truth, 0.9),
            "square": error**2,
            "variance": samples.var(0, ddof=1) * inflated if len(samples) > 1 else np.full_like(error, np.nan),
        }
        name = {"gap": gap.kind, "method": method, "scale": scale, "site": gap.site, "values": len(truth)}
        yield name | {"flux": flux} | {key: float(value.sum()) for key, value in parts.items()}


def _at_scales(gap: Gap, given: NDArray[np.bool_], samples: NDArray, flux: int) -> Iterator[tuple[NDArray, NDArray]]:
    """Samples (sample, value) and truth (value,) of hidden months, and means of observed years that hold any.

    All of one flux, the column ``flux`` of the gap: given (month,), samples (sample, month).
    """
    hidden, observed = gap.hidden[:, flux], gap.flux[:, flux]
    if not hidden.any():
        return
    yield samples[:, hidden], observed[hidden]
    whole = [gap.year == one for one in np.unique(gap.year[hidden])]
    whole = [of_year for of_year in whole if np.isfinite(observed[of_year]).sum() == MONTHS]
    if whole:
        filled = np.where(given, observed, samples)
        yield (
            np.stack([filled[:, of_year].mean(1) for of_year in whole], 1),
            np.stack([observed[of_year].mean() for of_year in whole]),
        )
