"""How large the error of one flux is: a positive function of the prediction, with the tails of Student's t.

Towers differ in how well they are predicted: in the standardised residuals of real towers the mean square of the tower
at the ninth decile is ten times that at the first. A scale of its own for each tower, drawn from a scaled inverse
chi-square law, makes monthly residuals, and sums of them alike, follow Student's t (Lange, Little and Taylor 1989,
doi:10.1080/01621459.1989.10478852).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

Array = NDArray[np.float64]

MINIMUM_RESIDUALS = 24
"""Fewer residuals than this cannot support a spread that grows with the flux."""
DOF = 8.0
"""Degrees of freedom that few towers are drawn to."""
DOF_BOUNDS = (2.5, 60.0)
DOF_TOWERS = 4.0
"""Towers that this expectation counts as."""
SMALLEST = 1e-3
"""Least scale, gC m-2 d-1: a prediction without any error would make every standardised residual infinite."""


class Scale(NamedTuple):
    """Scale of one flux.

    Parameters
    ----------
    coefficients
        (predictor,) non-negative: the scale is their sum with the predictors.
    dof
        Degrees of freedom of Student's t.
    """

    coefficients: Array
    dof: float


def tower_weights(cluster: NDArray[np.str_], known: NDArray[np.bool_]) -> Array:
    """Weight of each tower, (tower,), sum 1: those of one cluster count as if they were half alike.

    The best weight of n observations of correlation r is 1 / (1 + (n - 1) r).

    Parameters
    ----------
    cluster
        (tower,) names.
    known
        (tower,) whether it has any residual; the others weigh nothing.
    """
    weight = np.zeros(len(cluster))
    for name in np.unique(np.asarray(cluster)[known]):
        own = known & (np.asarray(cluster) == name)
        weight[own] = 1.0 / (1.0 + (own.sum() - 1) / 2)
    return weight / max(weight.sum(), 1e-300)


def require_enough(residual: Array, flux: str) -> None:
    """Refuse residuals (tower, time), NaN where there is none, that are too few for a spread.

    Raises
    ------
    ValueError
        When there are fewer than `MINIMUM_RESIDUALS`.
    """
    known = int(np.isfinite(residual).sum())
    if known < MINIMUM_RESIDUALS:
        raise ValueError(
            f"only {known} labelled months of {flux} at towers not seen in training, at least "
            f"{MINIMUM_RESIDUALS} are needed for a predictive spread; use more towers or fewer folds"
        )


def fit_scale(residual: Array, predictors: Array, weight: Array, dof: float | None = None) -> Scale:
    """Fit by the likelihood of Student's t, each tower counting by its weight however long its record.

    Parameters
    ----------
    residual
        (tower, time), gC m-2 d-1, NaN where there is none.
    predictors
        (tower, time, predictor), non-negative; one that is zero everywhere gets the coefficient zero.
    weight
        (tower,) from `tower_weights`.
    dof
        Degrees of freedom, where they are known.
    """
    known = np.isfinite(residual) & (weight > 0)[:, None]
    share = np.broadcast_to((weight / np.maximum(known.sum(1), 1))[:, None], residual.shape)[known]
    share = share / share.sum()
    size, given = np.abs(residual[known]), predictors[known]
    used = given.mean(0) > 1e-12
    chosen = given[:, used]
    pull = DOF_TOWERS / max(int((weight > 0).sum()), 1)

    def loss(theta: Array) -> tuple[float, Array]:
        coefficients, free = np.exp(theta[:-1]), float(np.exp(theta[-1]))
        scale = chosen @ coefficients + SMALLEST
        ratio = (size / scale) ** 2
        likelihood = -np.log(scale) - (free + 1) / 2 * np.log1p(ratio / free)
        norm = gammaln((free + 1) / 2) - gammaln(free / 2) - 0.5 * np.log(free)
        departure = theta[-1] - np.log(DOF)
        by_scale = (1.0 - (free + 1) * ratio / (free + ratio)) / scale
        by_dof = np.log1p(ratio / free) / 2 - (free + 1) / 2 * ratio / (free * (free + ratio))
        by_dof = share @ by_dof - 0.5 * digamma((free + 1) / 2) + 0.5 * digamma(free / 2) + 0.5 / free
        slope = np.append(((share * by_scale) @ chosen) * coefficients, free * by_dof + pull * departure)
        return float(-(share @ likelihood) - norm + pull * departure**2 / 2), slope

    typical = max(float(share @ size), SMALLEST)
    start = np.append(np.log(typical / chosen.mean(0) / max(int(used.sum()), 1)), np.log(DOF if dof is None else dof))
    limits = np.log(DOF_BOUNDS) if dof is None else np.log([dof, dof])
    # below this a coefficient is none; without a bound its logarithm would run away
    bounds = [*((np.log(1e-6), None) for _ in range(int(used.sum()))), tuple(limits)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds)
    coefficients = np.zeros(predictors.shape[-1])
    coefficients[used] = np.exp(found.x[:-1])
    return Scale(coefficients, float(np.exp(found.x[-1])))
