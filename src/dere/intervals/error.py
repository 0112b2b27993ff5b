"""Predictive spread at unseen towers, learned from the residuals at towers that were not seen in training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls
from scipy.special import ndtri

from dere.variables import QUANTILES

COVERAGE = 0.9
# Fewer residuals than this cannot support a spread that grows with the flux.
MINIMUM_RESIDUALS = 24


@dataclass(frozen=True)
class ErrorModel:
    """Spread of one flux: ``constant + slope * magnitude``, gC m-2 d-1.

    The spread is marginal; quantiles of the three fluxes do not close, their means do.
    """

    constant: float
    slope: float

    def std(self, magnitude: np.ndarray) -> np.ndarray:
        """Standard deviation for predictions of ``magnitude`` (mean of GPP and RECO, gC m-2 d-1)."""
        return self.constant + self.slope * np.maximum(magnitude, 0.0)


def fit_error(residual: np.ndarray, magnitude: np.ndarray, site: np.ndarray, flux: str = "a flux") -> ErrorModel:
    """Fit the spread so that it is unbiased in size and covers 90 % at towers not seen in training.

    Parameters
    ----------
    residual
        (n,) prediction minus observation at towers not seen in training, gC m-2 d-1.
    magnitude
        (n,) mean of predicted GPP and RECO.
    site
        (n,) site of each month; sites count alike.
    flux
        Name for the message.

    Raises
    ------
    ValueError
        When there are too few residuals.
    """
    if len(residual) < MINIMUM_RESIDUALS:
        raise ValueError(
            f"only {len(residual)} labelled months of {flux} at towers not seen in training, at least "
            f"{MINIMUM_RESIDUALS} are needed for a predictive spread; use more towers or fewer folds"
        )
    _, inverse, count = np.unique(site, return_inverse=True, return_counts=True)
    root = np.sqrt(1.0 / count[inverse])
    design = np.column_stack([np.ones_like(magnitude), np.maximum(magnitude, 0.0)])
    # E|r| = sigma * sqrt(2/pi) for a Gaussian; absolute residuals resist outliers
    (constant, slope), _ = nnls(design * root[:, None], np.abs(residual) * np.sqrt(np.pi / 2) * root)
    constant = max(constant, 1e-3)
    ratio = np.abs(residual) / (constant + slope * np.maximum(magnitude, 0.0))
    order = np.argsort(ratio)
    share = np.cumsum(root[order] ** 2) / (root**2).sum()
    reached = ratio[order][np.searchsorted(share, COVERAGE).clip(max=len(ratio) - 1)]
    factor = reached / ndtri(0.5 + COVERAGE / 2)
    return ErrorModel(float(constant * factor), float(slope * factor))


def gaussian_quantiles(mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Quantiles of a Gaussian, (…, len(QUANTILES))."""
    return mean[..., None] + std[..., None] * ndtri(QUANTILES)
