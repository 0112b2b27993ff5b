"""A place's own months sharpen its prediction: the error model, conditioned on the months that are known.

The error of a place against its labels is a sum of Gaussian processes with a scale of the place's own
(`dere.intervals.calibrator`), so that its mean and covariance given some of its months follow in closed form (kriging;
Rasmussen and Williams 2006, section 2.2). How far the known months lie from the prediction also says something of the
place's own scale: given them the error follows a multivariate t of more degrees of freedom (Ding 2016,
doi:10.1080/00031305.2016.1164756). Known months are labels: their noise counts, and is not in the truth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular

from dere.exchange import Exchange
from dere.intervals.calibrator import Calibrator
from dere.intervals.processes import hangs_together, loadings, signs
from dere.intervals.trajectories import Of

Array = NDArray[np.float64]
Months = NDArray[np.int64]

OWN_SCALE = 0.1
"""How much a known value counts for the scale of the place, 1 being what independent values of the very error model
would; chosen by the coverage of other months at held-out towers (docs/site-calibration.md)."""
LEAST_QUALITY = 0.1
"""A month of lower quality counts as one of this."""
ROUNDING = 1e-9
"""Share of the mean variance that keeps the solution stable where known values repeat each other."""


@dataclass(frozen=True)
class PlaceErrors:
    """Covariance of a place's errors over its months, from `errors_of`; scales are those of Student's t, squared.

    Parameters
    ----------
    model
        The error model.
    truth
        (process, month, month) without the noise of labels.
    independent
        (process, month) independent part, noise of labels included.
    """

    model: Calibrator
    truth: Array
    independent: Array

    @property
    def signs(self) -> Array:
        """(flux, process)."""
        return signs(self.model.exchange)

    @property
    def noise(self) -> Array:
        """(process, month) that is noise of labels."""
        return self.independent * self.model.noise

    def between(self, month: Months, flux: Months, other_month: Months, other_flux: Months) -> Array:
        """Covariance (value, other value) of the truth's errors at months and fluxes."""
        both = self.signs[flux].T[:, :, None] * self.signs[other_flux].T[:, None, :]
        found: Array = (both * self.truth[:, month[:, None], other_month]).sum(0)
        return found

    def variance(self, of: Of) -> Array:
        """(month, flux) of single months."""
        own = np.einsum("ctt->ct", self.truth) + (self.noise if of == "label" else 0.0)
        found: Array = (self.signs**2 @ own).T
        return found


@dataclass(frozen=True)
class Conditioned:
    """A place's prediction given the months that are known.

    Parameters
    ----------
    mean
        (month, flux), gC m-2 d-1; it closes as the prediction does.
    errors
        Before anything was known.
    known
        (value, month, flux) whitened covariance of the known values with all months.
    factor
        By which the place's own variance differs from what was expected.
    dof
        Degrees of freedom of Student's t.
    """

    mean: Array
    errors: PlaceErrors
    known: Array
    factor: float
    dof: float

    def scale(self, of: Of = "truth") -> Array:
        """Scale of Student's t of single months, (month, flux); of a label it is that of another measurement."""
        left = self.errors.variance(of) - (self.known**2).sum(0)
        found: Array = np.sqrt(np.maximum(left, 0.0) * self.factor)
        return found

    def std(self, of: Of = "truth") -> Array:
        """Standard deviation of single months, (month, flux)."""
        return self.model.std(self.scale(of))

    @property
    def model(self) -> Calibrator:
        """The error model with the degrees of freedom that are left."""
        return replace(self.errors.model, dof=self.dof)

    def std_of_sum(self, weight: Array) -> float:
        """Standard deviation of a weighted sum of the truth over months and fluxes, ``weight`` (month, flux)."""
        own = self.errors.signs.T @ weight.T
        before = np.einsum("ct,ctu,cu->", own, self.errors.truth, own, optimize=True)
        left = before - ((self.known * weight).sum((1, 2)) ** 2).sum()
        return float(self.model.std(np.sqrt(np.maximum(left, 0.0) * self.factor)))

    def covariance(self, fluxes: list[int], of: Of = "truth") -> Array:
        """Squared scale of some fluxes, (month and flux, month and flux), months in blocks by flux.

        Of a label it is that of another measurement, as in `scale`.
        """
        months = self.mean.shape[0]
        month, flux = np.tile(np.arange(months), len(fluxes)), np.repeat(fluxes, months)
        known = self.known[:, month, flux]
        whole = self.errors.between(month, flux, month, flux)
        if of == "label":
            own = self.errors.signs[fluxes]
            noise = np.einsum("fc,gc,ct->fgt", own, own, self.errors.noise)
            whole += np.einsum("fgt,tu->ftgu", noise, np.eye(months)).reshape(whole.shape)
        found: Array = (whole - known.T @ known) * self.factor
        return found


def errors_of(scale: Array, model: Calibrator, months: Months | None = None) -> PlaceErrors:
    """Covariance of a place's errors.

    Parameters
    ----------
    scale
        (month, flux) from ``Calibrator.scale`` of a whole record, without gaps.
    model
        The error model.
    months
        (month,) numbers on the time axis; by default they follow one another.
    """
    apart = np.arange(len(scale)) if months is None else months
    loading = loadings(scale, model.exchange).T
    independent = loading**2 * model.kernel.shares[:, -1:]
    axis = np.full((1, int(apart.max() - apart.min()) + 1, scale.shape[1]), np.nan)
    axis[0, apart - apart.min()] = scale
    waves = float(model.waves(axis)[0])
    whole = model.kernel.correlation(apart, waves) * loading[:, :, None] * loading[:, None, :]
    truth = whole - np.eye(len(apart)) * (independent * model.noise)[:, None, :]
    return PlaceErrors(model, truth, independent)


def informative(known: Array, exchange: Exchange) -> tuple[Months, Months]:
    """Months and fluxes of the known values (month, flux), NaN = unknown, without those that follow from others."""
    counted = np.isfinite(known)
    if hangs_together(exchange):
        dependent = np.array([name not in exchange.basis for name in exchange.names])
        complete: NDArray[np.bool_] = np.asarray(counted.all(1, keepdims=True))
        counted &= ~(complete & dependent)
    month, flux = np.nonzero(counted)
    return month, flux


def condition(
    mean: Array, errors: PlaceErrors, known: Array, quality: Array | None = None, own_scale: float = OWN_SCALE
) -> Conditioned:
    """Prediction of a place given some of its months.

    Parameters
    ----------
    mean
        (month, flux) closed prediction, gC m-2 d-1, without gaps.
    errors
        From `errors_of`, of the same months.
    known
        (month, flux) labels, NaN = unknown. Where all fluxes that close are known, the dependent one adds nothing.
    quality
        (month, flux) from 0 to 1: a month of quality q has an independent error of 1 / q times the variance. By default
        1, so that labels are what those were that the model was fitted to.
    own_scale
        How much a value counts for the scale of the place; 0 = its scale stays that of the error model.
    """
    month, flux = informative(known, errors.model.exchange)
    every = np.indices(mean.shape).reshape(2, -1)
    if not len(month):
        return Conditioned(mean, errors, np.zeros((0, *mean.shape)), 1.0, errors.model.dof)
    factor, whitened, error = _solved(errors, month, flux, (known - mean)[month, flux], every, quality)
    count = own_scale * len(month)
    dof = errors.model.dof + count
    widened = (errors.model.dof + own_scale * factor) / dof
    found = mean + error.reshape(mean.shape)
    if hangs_together(errors.model.exchange):
        found = errors.model.exchange.close(found)
    return Conditioned(found, errors, whitened.reshape(-1, *mean.shape), float(widened), float(dof))


def _solved(
    errors: PlaceErrors, month: Months, flux: Months, residual: Array, every: Months, quality: Array | None
) -> tuple[float, Array, Array]:
    """Squared distance of the known values, whitened covariance with every value, and error of every value."""
    alike = month[:, None] == month
    both = errors.signs[flux].T[:, :, None] * errors.signs[flux].T[:, None, :] * alike
    noise = (both * errors.noise[:, month][:, :, None]).sum(0)
    if quality is not None:
        more = np.sqrt(1.0 / np.clip(quality[month, flux], LEAST_QUALITY, 1.0) - 1.0)
        noise += (both * errors.independent[:, month][:, :, None]).sum(0) * np.outer(more, more)
    observed = errors.between(month, flux, month, flux) + noise
    observed += np.eye(len(month)) * ROUNDING * np.trace(observed) / len(month)
    lower = cho_factor(observed, lower=True)
    solved = cho_solve(lower, residual)
    across = errors.between(month, flux, every[0], every[1])
    return float(residual @ solved), solve_triangular(lower[0], across, lower=True), across.T @ solved
