"""Resampled deviations for training: what keeps a denoiser from learning its few towers by heart.

A fold has some dozens of training towers, and statics and drivers tell them apart; a denoiser that recognises a tower
knows its level, and at an unseen tower it is then too sure. Two resamplings use what the site prior says about unseen
towers: the tower's own level, amplitude and seasonal deviation are replaced by a draw from the prior, and deviations
from the point model change sign. Observation patterns, heteroscedasticity and everything between months stay real.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dere.imputation.prior import EFFECTS, SitePrior, basis, condition

Alter = Callable[..., NDArray]


def resample(prior: SitePrior, effects: float, sign: float, rng: np.random.Generator) -> Alter:
    """Make a function that resamples the deviations of a batch.

    Parameters
    ----------
    effects
        Share of stretches whose site effects are redrawn from the prior.
    sign
        Share of stretches whose deviation from the point model changes sign.

    Returns
    -------
    callable
        Maps flux (B, L, 2; NaN stays), point prediction, local month (B, L) and valid months (B, L) to new flux;
        ``fixed`` (B,) names stretches whose site effects are not redrawn.
    """
    root = np.linalg.cholesky(prior.effects)

    def alter(
        flux: NDArray, point: NDArray, phase: NDArray, valid: NDArray, fixed: NDArray[np.bool_] | None = None
    ) -> NDArray:
        many = len(flux)
        redraw, flip = rng.random(many) < effects, rng.random(many) < sign
        if fixed is not None:
            redraw &= ~fixed
        known = np.isfinite(flux) & valid[..., None]
        old = condition(prior, point, flux, phase, valid, known, adapt=False).effect_mean
        new = np.einsum("cjk,bck->bcj", root, rng.normal(size=(many, 2, EFFECTS)))
        change = np.where(redraw[:, None, None], new - old, 0.0)
        deviation = flux - point + np.einsum("btcj,bcj->btc", basis(point, phase, valid), change)
        return point + np.where(flip[:, None, None], -deviation, deviation)

    return alter
