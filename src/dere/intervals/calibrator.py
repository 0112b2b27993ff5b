"""One error model for every method: from residuals at towers that were left out to intervals of months and of sums.

Scale (`dere.intervals.scale`), independent processes so that every draw closes (`dere.intervals.processes`), and
correlation over time (`dere.intervals.kernel`). What comes out is the error against labels of a place in a cluster
that the method has not seen: intervals of the label. `dere.intervals.trajectories` draws the label or the truth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from dere.exchange import Exchange
from dere.intervals.driver_distance import DISTANT_TOWERS
from dere.intervals.kernel import Kernel, fit_kernel
from dere.intervals.processes import consistent, loadings, signs
from dere.intervals.scale import SMALLEST, fit_scale, require_enough, tower_weights

Array = NDArray[np.float64]

LEAST_RESCALE = 0.5
"""Least factor by which the error of a mean of members is smaller than that of one."""


@dataclass(frozen=True)
class Calibrator:
    """Error model of one method, fold and seed.

    Parameters
    ----------
    exchange
        What is predicted.
    coefficients
        (flux, 3) of the scale in gC m-2 d-1: constant, per flux, per flux times driver distance.
    dof
        Degrees of freedom of Student's t.
    kernel
        Correlation over time of the processes.
    rescale
        (flux,) error of the prediction over that of the held-out series, see `member_rescale`.
    noise
        Share of the independent months' variance that is noise of labels.
    """

    exchange: Exchange = field(repr=False)
    coefficients: Array
    dof: float
    kernel: Kernel
    rescale: Array
    noise: float = 0.0

    def scale(self, mean: Array, distance: Array | None = None) -> Array:
        """Scale of Student's t around predictions.

        Parameters
        ----------
        mean
            (place, time, flux) closed prediction, gC m-2 d-1.
        distance
            (place,) from `driver_distance`; may be left out where the fit had none.

        Returns
        -------
        array
            (place, time, flux), gC m-2 d-1; NaN where the prediction is.

        Raises
        ------
        ValueError
            When the fit had a distance and none is given.
        """
        if distance is None and self.coefficients[:, 2].any():
            raise ValueError(
                "the error model grows with the driver distance, but none is given; give distance (place,)"
            )
        given = predictors(mean, distance, self.exchange)
        own = np.einsum("...fk,fk->...f", given, self.coefficients) + SMALLEST
        return consistent(own * self.rescale, self.exchange)

    @property
    def truth(self) -> Calibrator:
        """The same without the noise of labels, for `scale_of_months` and `scale_of_sum`."""
        shares = self.kernel.shares.copy()
        shares[:, -1] *= 1.0 - self.noise
        return replace(self, kernel=self.kernel._replace(shares=shares), noise=0.0)

    def scale_of_months(self, scale: Array) -> Array:
        """Scale of single months' error from that of the label's, of one shape."""
        variance = loadings(scale, self.exchange) ** 2 * self.kernel.shares.sum(1)
        found: Array = np.sqrt(variance @ (signs(self.exchange).T ** 2))
        return found

    def std(self, scale: Array) -> Array:
        """Standard deviation of the error from its scale."""
        return scale * np.sqrt(self.dof / (self.dof - 2))

    def quantiles(self, mean: Array, scale: Array, levels: Sequence[float]) -> Array:
        """Quantiles of the label, (…, level), from means and scales of months, or of sums, of one shape."""
        found: Array = mean[..., None] + scale[..., None] * student.ppf(np.asarray(levels), self.dof)
        return found

    def scale_of_sum(self, scale: Array, weight: Array, months: NDArray[np.int64] | None = None) -> Array:
        """Scale of a weighted sum over months of a place's error.

        Parameters
        ----------
        scale
            (place, month, flux) from `scale`.
        weight
            (month,) or (place, month) that months have in the sum: 1/12 each for an annual mean.
        months
            (month,) numbers on the time axis; by default they follow one another.

        Returns
        -------
        array
            (place, flux).
        """
        apart = np.arange(scale.shape[1]) if months is None else months
        weighted = loadings(scale, self.exchange) * np.broadcast_to(weight, scale.shape[:2])[..., None]
        variance = np.einsum("pic,cij,pjc->pc", weighted, self.kernel.correlation(apart), weighted, optimize=True)
        found: Array = np.sqrt(np.maximum(variance, 0.0) @ (signs(self.exchange).T ** 2))
        return found

    def arrays(self) -> dict[str, Array]:
        """Return all that `read_calibrator` needs, as numbers by name."""
        return {
            "scale": self.coefficients,
            "dof": np.array([self.dof]),
            "shares": self.kernel.shares,
            "autoregression": np.array([self.kernel.autoregression]),
            "rescale": self.rescale,
            "noise": np.array([self.noise]),
        }


def read_calibrator(arrays: Mapping[str, Any], exchange: Exchange) -> Calibrator:
    """Return the calibrator of which `Calibrator.arrays` were kept; lists may stand in for arrays."""
    fluxes, processes = signs(exchange).shape
    given = {name: np.asarray(value, np.float64).ravel() for name, value in arrays.items()}
    return Calibrator(
        exchange,
        given["scale"].reshape(fluxes, -1),
        float(given["dof"][0]),
        Kernel(given["shares"].reshape(processes, -1), float(given["autoregression"][0])),
        given["rescale"],
        float(given["noise"][0]),
    )


def fit_calibrator(
    predicted: Array,
    labels: NDArray[np.floating],
    cluster: NDArray[np.str_],
    exchange: Exchange,
    distance: Array | None = None,
    rescale: Array | None = None,
    uncertainty: NDArray[np.floating] | None = None,
) -> Calibrator:
    """Fit to towers of which each was predicted without its cluster.

    With fewer than `DISTANT_TOWERS` towers the scale is constant + slope; tails and kernel are drawn to what is usual.

    Parameters
    ----------
    predicted
        (tower, time, flux) by what never saw the tower, NaN where there is none.
    labels
        (tower, time, flux), NaN where there is none.
    cluster
        (tower,) names.
    distance
        (tower,) from `driver_distance`.
    rescale
        (flux,) from `member_rescale`; 1 by default.
    uncertainty
        (tower, time, flux) standard deviation of the labels' own random error, where it is known.

    Raises
    ------
    ValueError
        When a flux has too few labelled months.
    """
    residual = predicted - labels
    for flux, name in enumerate(exchange.names):
        require_enough(residual[..., flux], name)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(residual).any(1))
    weights = [tower_weights(cluster, known[:, flux]) for flux in range(len(exchange.names))]
    if distance is not None and known.all(1).sum() < DISTANT_TOWERS:
        distance = None
    given = predictors(predicted, distance, exchange)
    series = [(residual[..., flux], given[..., flux, :], weights[flux]) for flux in range(len(exchange.names))]
    # the place's own scale is common to its fluxes, and so are the tails
    dof = float(np.exp(np.mean([np.log(fit_scale(*one).dof) for one in series])))
    coefficients = np.stack([fit_scale(*one, dof=dof).coefficients for one in series])
    found = np.einsum("...fk,fk->...f", given, coefficients) + SMALLEST
    with np.errstate(invalid="ignore"):
        scale = consistent(found, exchange)
    weight = tower_weights(cluster, np.asarray(known.any(1))) * heed(residual / found, dof)
    kernel = fit_kernel(residual, scale, loadings(scale, exchange), signs(exchange), weight)
    ones = np.ones(len(exchange.names))
    made = Calibrator(exchange, coefficients, dof, kernel, ones if rescale is None else np.asarray(rescale, np.float64))
    noise = 0.0 if uncertainty is None else _noise(made, scale, np.where(np.isfinite(residual), uncertainty, np.nan))
    return replace(made, noise=noise)


def predictors(mean: Array, distance: Array | None, exchange: Exchange) -> Array:
    """What the scale of each flux is a sum of, (place, time, flux, 3): one, the flux, and flux times distance.

    Errors of GPP and RECO grow with themselves, those of NEE, which is small where both are large, with their mean.
    """
    size = np.maximum(exchange.size(mean), 0.0)
    own = [
        np.maximum(mean[..., flux], 0.0) if name in exchange.magnitude else size
        for flux, name in enumerate(exchange.names)
    ]
    far = np.zeros(len(mean)) if distance is None else distance
    far = far[:, None] * size
    return np.stack([np.stack([np.where(np.isfinite(size), 1.0, np.nan), one, far], -1) for one in own], -2)


def heed(standard: Array, dof: float) -> Array:
    """How much each tower is heeded, (tower,): the expected inverse of its own variance, given its residuals.

    A tower's months go together so much that they count as one. Parameters: ``standard`` (tower, time, flux), NaN
    where there is none.
    """
    known = np.isfinite(standard)
    months = known.sum(1)
    square = (np.where(known, standard, 0.0) ** 2).sum(1) / np.maximum(months, 1)
    mean = square.sum(1) / np.maximum((months > 0).sum(1), 1)
    found: Array = (dof + 1) / (dof + mean)
    return found


def member_rescale(held_out: Array, labels: NDArray[np.floating], members: Array | None) -> Array:
    """How much smaller the error of the mean of members is than that of one, (flux,).

    A held-out series is of the one member (of eight) that left out the tower's cluster, while the prediction is the
    mean of all. Members scatter independently about what they have in common, so averaging m of them takes the share
    1 - 1/m of their variance off the mean square error. Their variance is taken where none has seen the place, from
    predictions alone. It is one factor per flux: subtracted month by month it would narrow intervals where members
    disagree most. Series by more than one member per tower are already means; for them this is rather too small.

    Parameters
    ----------
    held_out
        (tower, time, flux) by the members that left out the tower.
    labels
        (tower, time, flux), NaN where there is none.
    members
        (member, place, time, flux) at places that no member has seen; None, or one member = 1.
    """
    if members is None or len(members) < 2 or not members.shape[1]:
        return np.ones(held_out.shape[-1])
    square = _tower_mean((held_out - labels) ** 2)
    variance = _tower_mean(np.asarray(members, np.float64).var(0, ddof=1))
    taken = (1.0 - 1.0 / len(members)) * variance / np.maximum(square, 1e-300)
    return np.sqrt(np.clip(1.0 - np.nan_to_num(taken), LEAST_RESCALE**2, 1.0))


def _tower_mean(values: Array) -> Array:
    """Mean over months of each place, then over the places that have any, (flux,)."""
    known = np.isfinite(values)
    months = known.sum(1)
    of_place = np.where(known, values, 0.0).sum(1) / np.maximum(months, 1)
    found: Array = of_place.sum(0) / np.maximum((months > 0).sum(0), 1)
    return found


def _noise(model: Calibrator, scale: Array, uncertainty: Array) -> float:
    """Share of the independent months' variance that the labels' own error makes up, mean over the fluxes."""
    part = loadings(scale, model.exchange) ** 2 * model.kernel.shares[:, -1]
    independent = model.std(np.ones(1))[0] ** 2 * (part @ (signs(model.exchange).T ** 2))
    own = _tower_mean(np.where(np.isfinite(uncertainty), uncertainty, np.nan) ** 2)
    total = _tower_mean(np.where(np.isfinite(uncertainty), independent, np.nan))
    share = own / np.maximum(total, 1e-300)
    return float(np.clip(share, 0.0, 1.0).mean())
