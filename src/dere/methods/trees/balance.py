"""Weights that let towers count more alike, whatever their variability and the length of their records."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dere.methods.trees.search import Array, Rows

_FLOOR = 0.25
"""Share of the overall variance added to a tower's own, so that a flat tower does not dominate; as for networks."""
_NOISE = 1e-6
"""gC2 m-4 d-2; keeps labels that never vary from dividing by zero."""


def balanced(rows: Rows, balance: float) -> Rows:
    """Multiply the weights of a tower by (variance of its labels x number of its months) to the power -``balance``.

    The score counts towers alike and an error relative to the tower's own variability, while plain months favour long
    records and large fluxes. The mean factor of each flux is one.

    Parameters
    ----------
    rows
        Weights are the labels' quality.
    balance
        0 = quality alone; 1 = in full.
    """
    weight = {flux: rows.weight[flux] * _factor(rows, flux, balance) for flux in rows.weight}
    return replace(rows, weight=weight)


def _factor(rows: Rows, flux: str, balance: float) -> Array:
    """Factor of each row, (row,); one where the month is no label."""
    some = rows.labelled(flux)
    if not balance or not some.any():
        return np.ones(len(rows.site))
    site, value = rows.site[some], rows.targets[flux][some]
    count = np.bincount(site).clip(1)
    mean = np.bincount(site, value) / count
    variance = np.bincount(site, (value - mean[site]) ** 2) / count
    each = ((variance + _FLOOR * value.var() + _NOISE) * count) ** -balance
    factor = np.ones(len(rows.site))
    factor[some] = each[site] / each[site].mean()
    return factor
