"""Non-negative coefficients of all towers, and of each class shrunk to them, by the normal equations of towers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

Array = NDArray[np.float64]

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Towers that the common coefficients count as in the fit of a class; tried by inner folds."""
INNER_FOLDS = 5
_COMMON = 0.05
"""Towers that coefficients of zero count as in the common fit."""
_POWER = 0.2
"""A tower's squared error counts as the variance of its labels to minus this."""
_LEAST_VARIANCE, _LEAST_MONTHS = 0.05, 6


class Normal(NamedTuple):
    """Weighted sums of towers: (tower, term, term), (tower, term) and (tower,), whose error is b'Ab - 2 b'r + s."""

    products: Array
    right: Array
    squares: Array

    def take(self, rows: NDArray) -> Normal:
        """Some towers."""
        return Normal(self.products[rows], self.right[rows], self.squares[rows])

    def error(self, coefficients: Array) -> Array:
        """(tower,) squared error with coefficients (tower, term)."""
        quadratic = np.einsum("ti,tij,tj->t", coefficients, self.products, coefficients)
        return quadratic - 2.0 * (coefficients * self.right).sum(1) + self.squares


def normal(terms: Array, flux: Array, quality: Array) -> Normal:
    """Sums over the labelled months of towers; each flux counts alike in all, a tower by the root of its months.

    Parameters
    ----------
    terms
        (tower, time, flux, term) so that flux = terms @ coefficients; NaN where the simulation has no month.
    flux, quality
        (tower, time, flux) labels, NaN = none, and their weights.
    """
    known = np.isfinite(flux) & np.isfinite(terms).all(-1)
    months = known.sum(1)
    values = np.where(known, flux, 0.0)
    mean = values.sum(1) / np.maximum(months, 1)
    variance = (np.where(known, flux - mean[:, None], 0.0) ** 2).sum(1) / np.maximum(months, 1)
    size = np.maximum(variance, _LEAST_VARIANCE) ** -_POWER / np.sqrt(np.maximum(months, 1))
    weight = np.where(known, quality, 0.0) * np.where(months >= _LEAST_MONTHS, size, 0.0)[:, None]
    clean = np.where(known[..., None], terms, 0.0)
    weighted = clean * weight[..., None]
    return Normal(
        np.einsum("ptfi,ptfj->pij", weighted, clean, optimize=True),
        np.einsum("ptfi,ptf->pi", weighted, values),
        (weight * values**2).sum((1, 2)),
    )


class Coefficients(NamedTuple):
    """Of all towers (term,), and of classes (class, term) in the order of ``classes``."""

    common: Array
    classes: tuple[str, ...]
    of_class: Array

    def at(self, classes: Sequence[str]) -> Array:
        """(place, term); a class that no tower had takes the common ones."""
        known = dict(zip(self.classes, self.of_class, strict=True))
        return np.stack([known.get(name, self.common) for name in classes])


def fitted(sums: Normal, classes: NDArray[np.str_], strength: float) -> Coefficients:
    """Coefficients of some towers.

    Parameters
    ----------
    sums
        Of these towers.
    classes
        (tower,) class of each.
    strength
        Towers that the common coefficients count as in the fit of a class.
    """
    products = sums.products.sum(0)
    scale = np.diag(np.diag(products) / len(classes))
    common = _non_negative(products + _COMMON * scale, sums.right.sum(0))
    names = tuple(sorted(set(classes.tolist())))
    own = []
    for name in names:
        rows = classes == name
        pull = strength * scale
        own.append(_non_negative(sums.products[rows].sum(0) + pull, sums.right[rows].sum(0) + pull @ common))
    return Coefficients(common, names, np.stack(own))


def best_strength(sums: Normal, classes: NDArray[np.str_], clusters: NDArray, seed: int) -> tuple[float, list[float]]:
    """Strength with the least error at towers of clusters left out, and the error of each of ``STRENGTHS``."""
    names = np.unique(clusters)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    group = shuffled[np.searchsorted(names, clusters)] % min(INNER_FOLDS, max(len(names), 1))
    errors = []
    for strength in STRENGTHS:
        error = 0.0
        for one in np.unique(group):
            out = group == one
            if out.all():
                continue
            found = fitted(sums.take(~out), classes[~out], strength)
            error += float(sums.take(out).error(found.at(classes[out].tolist())).sum())
        errors.append(error)
    return STRENGTHS[int(np.argmin(errors))], errors


def _non_negative(products: Array, right: Array) -> Array:
    """Minimise b'Ab - 2 b'r over non-negative b; terms are scaled, so that their units do not matter."""
    size = np.sqrt(np.diag(products))
    size = np.where(size > 0, size, 1.0)
    factor = np.linalg.cholesky(products / size[:, None] / size + 1e-6 * np.eye(len(size)))
    found: Array = nnls(factor.T, np.linalg.solve(factor, right / size))[0]
    return found / size
