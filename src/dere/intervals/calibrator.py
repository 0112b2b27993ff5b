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
from dere.intervals.kernel import Kernel, season_share, seasonality
from dere.intervals.neighbours import ALONE, Neighbours
from dere.intervals.processes import consistent, loadings, signs
from dere.intervals.scale import SMALLEST

Array = NDArray[np.float64]


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
    neighbours
        How errors of places go together.
    usual_season
        Seasonality of the errors' scale at the towers of the fit (`dere.intervals.kernel.seasonality`); 0 = it makes no
        difference.
    """

    exchange: Exchange = field(repr=False)
    coefficients: Array
    dof: float
    kernel: Kernel
    rescale: Array
    noise: float = 0.0
    neighbours: Neighbours = ALONE
    usual_season: float = 0.0

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

    @property
    def cell(self) -> Calibrator:
        """The truth of grid cells, in which what towers have of their own averages out."""
        truth = self.truth
        shares = truth.kernel.shares * self.neighbours.of_cell
        return replace(truth, kernel=truth.kernel._replace(shares=shares))

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

    def waves(self, scale: Array) -> Array:
        """Share (place,) of the waves that is one, from scales (place, month, flux) of whole records."""
        return season_share(seasonality(scale), self.usual_season)

    def scale_of_sum(
        self, scale: Array, weight: Array, months: NDArray[np.int64] | None = None, waves: Array | None = None
    ) -> Array:
        """Scale of a weighted sum over months of a place's error.

        Parameters
        ----------
        scale
            (place, month, flux) from `scale`.
        weight
            (month,) or (place, month) that months have in the sum: 1/12 each for an annual mean.
        months
            (month,) numbers on the time axis; by default they follow one another.
        waves
            (place,) from `waves`; by default of the months given, which should then be whole years.

        Returns
        -------
        array
            (place, flux).
        """
        apart = np.arange(scale.shape[1]) if months is None else months
        share = self.waves(scale) if waves is None else waves
        weighted = loadings(scale, self.exchange) * np.broadcast_to(weight, scale.shape[:2])[..., None]
        moving, resting = (
            np.einsum("pic,cij,pjc->pc", weighted, self.kernel.correlation(apart, kind), weighted, optimize=True)
            for kind in (1.0, 0.0)
        )
        variance = share[:, None] * moving + (1.0 - share[:, None]) * resting
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
            "neighbours": self.neighbours.same,
            "clusters": self.neighbours.clusters,
            "usual_season": np.array([self.usual_season]),
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
        Neighbours(given["neighbours"], given["clusters"]),
        float(given["usual_season"][0]),
    )


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
