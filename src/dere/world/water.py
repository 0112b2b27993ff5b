"""Snow and soil water: one bucket in two layers per stand, shared by the plants that stand in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dere.world.forcing import Array


class Water(NamedTuple):
    """Stores in mm: snow (age, member), upper and lower soil layer (stand, age, member)."""

    snow: Array
    upper: Array
    lower: Array


def melt_snow(snow: Array, snowfall: Array, melt: Array) -> tuple[Array, Array]:
    """New snow store and melt water (mm) of a month; at most ``melt`` of the old store and the new snow leaves."""
    store = snow + snowfall
    melted = np.minimum(store, melt)
    return store - melted, melted


def wetness(water: Water, inflow: Array, upper_capacity: Array, lower_capacity: Array) -> tuple[Array, Array]:
    """Relative wetness (0 to 1) of both layers during a month: old stores, with half of the inflow in the upper one."""
    upper = np.minimum(upper_capacity, water.upper + 0.5 * inflow) / upper_capacity
    return upper, water.lower / lower_capacity


def uptake_shares(upper: Array, lower: Array, upper_roots: Array, critical: Array) -> tuple[Array, Array]:
    """Unstressed share of water demand that each layer supplies; their sum (0 to 1) is the soil-moisture factor.

    Parameters
    ----------
    upper, lower
        (cohort, age, member) wetness of the layers.
    upper_roots, critical
        (cohort, 1, 1) share of roots in the upper layer, and wetness below which uptake falls linearly.
    """
    return (
        upper_roots * np.minimum(upper / critical, 1.0),
        (1.0 - upper_roots) * np.minimum(lower / critical, 1.0),
    )


def advance(
    water: Water,
    inflow: Array,
    upper_demand: Array,
    lower_demand: Array,
    upper_capacity: Array,
    lower_capacity: Array,
    water_table: Array,
) -> tuple[Array, Array, Array, Array]:
    """Soil layers after a month.

    Each layer meets the share ``met`` of the demand on it: nearly all from a large supply, never more than there is.
    What the upper layer cannot hold drains to the lower, what that cannot hold runs off; groundwater tops the lower
    layer up to ``water_table`` times its capacity.

    Returns
    -------
    tuple
        Upper and lower store (mm), and the shares of the demands on them that were met, each (stand, age, member).
    """
    supply = water.upper + inflow
    met_upper, met_lower = met(supply, upper_demand), met(water.lower, lower_demand)
    remaining = supply - met_upper * upper_demand
    upper = np.minimum(remaining, upper_capacity)
    lower = np.minimum(water.lower - met_lower * lower_demand + (remaining - upper), lower_capacity)
    return upper, np.maximum(lower, water_table * lower_capacity), met_upper, met_lower


def met(supply: Array, demand: Array) -> Array:
    """Share of a demand that a supply meets within a month: (1 + x**4) ** -1/4 for x = demand / supply.

    Nearly one for small x and 1 / x for large x, so that never more than the supply is taken.
    """
    # the small constants avoid 0 / 0 for an empty store and for no demand
    x = (demand + 1e-9) / (supply + 1e-9)
    square = x * x
    return 1.0 / np.sqrt(np.sqrt(1.0 + square * square))
