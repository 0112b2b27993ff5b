"""``imputation.csv``: scores of trajectories on months that were hidden, by kind of gap; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.crps import crps
from dere.imputation.masks import NEE_ALONE
from dere.variables import FLUXES

WAYS = ("mix", "diffusion", "optimal_interpolation", "trees")
"""The imputation (``imputation.filled_by``), what it is made of, and trees that know no month of the site."""
METHODS = (*WAYS, "prior", "point", "climatology", "interpolation")
"""The imputation, and what it must beat (`dere.imputation.hidden`)."""
SCALES = ("monthly", "annual")
ALL = "all"
"""Every kind of gap; every fold and seed."""
_MEANS = ("crps", "mae", "bias", "coverage_50", "coverage_90")
KEY = ("fold", "seed", "gap", "method", "flux", "scale")
COLUMNS = (*KEY, "sites", "values", *_MEANS, "spread_error")


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
        Method to its samples, (sample, month, 3); one sample is a method without a spread.
    """

    site: str
    kind: str
    year: NDArray[np.int64]
    flux: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    drawn: dict[str, NDArray[np.float64]]


def covered(samples: NDArray, truth: NDArray, level: float) -> NDArray[np.float64]:
    """Whether the central interval of ``level`` holds the truth (1 or 0; NaN for a single sample)."""
    if len(samples) == 1:
        return np.full(truth.shape, np.nan)
    # Weibull positions (i / (m + 1)) make the interval of a finite ensemble cover its level on average
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0, method="weibull")
    return ((truth >= low) & (truth <= high)).astype(float)


def gap_sums(gaps: Sequence[Gap]) -> pd.DataFrame:
    """Sums over the hidden values of every gap, method, flux and scale; `table` makes scores of them.

    A gap without a wholly hidden year has no row of the scale "annual".
    """
    return pd.DataFrame([row for gap in gaps for method in gap.drawn for row in _sums(gap, method)])


def table(sums: pd.DataFrame) -> pd.DataFrame:
    """Scores of each fold and seed and of all together, of each kind of gap and of all that hide whole months together.

    Parameters
    ----------
    sums
        From `gap_sums`, with the columns ``fold`` and ``seed``.

    Returns
    -------
    DataFrame
        `COLUMNS`: means over the hidden values; ``spread_error`` is the root of mean variance over mean squared error.
    """
    sums = pd.concat([sums, sums[sums["gap"] != NEE_ALONE].assign(gap=ALL)])
    sums = pd.concat([sums.astype({"fold": str, "seed": str}), sums.assign(fold=ALL, seed=ALL)])
    grouped = sums.groupby(list(KEY), sort=False)
    total = grouped[["values", *_MEANS, "square", "variance"]].sum(min_count=1)
    out = total[list(_MEANS)].div(total["values"], axis=0)
    out["spread_error"] = np.sqrt(total["variance"] / total["square"])
    out["sites"], out["values"] = grouped["site"].nunique(), total["values"].astype(int)
    return out.reset_index()[list(COLUMNS)]


def _sums(gap: Gap, method: str) -> Iterator[dict[str, object]]:
    drawn = gap.drawn[method]
    at_scales = {
        flux: dict(zip(SCALES, _at_scales(gap.year, gap.hidden[:, c], drawn[..., c], gap.flux[:, c]), strict=False))
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


def _at_scales(
    year: NDArray[np.int64], hidden: NDArray[np.bool_], samples: NDArray, observed: NDArray
) -> Iterator[tuple[NDArray, NDArray]]:
    """Samples (sample, value) and truth (value,) of hidden months, and of wholly hidden years their means.

    All of one flux: year, hidden and observed (month,), samples (sample, month).
    """
    if not hidden.any():
        return
    yield samples[:, hidden], observed[hidden]
    years = [year == one for one in np.unique(year[hidden])]
    whole = [of_year for of_year in years if (hidden & of_year).sum() == 12]
    if whole:
        yield (
            np.stack([samples[:, of_year].mean(1) for of_year in whole], 1),
            np.stack([observed[of_year].mean() for of_year in whole]),
        )
