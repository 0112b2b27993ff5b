"""Mixtures: light shared in height order, and plant-type cover that follows succession and climate."""

from __future__ import annotations

import numpy as np

from dere.world.forcing import Array
from dere.world.parameters import Parameters


def share_light(leaf_area: Array, cover: Array, height: Array, parameters: Parameters) -> tuple[Array, Array]:
    """Light absorbed by, and reaching, each plant type of a mixture.

    Two extremes are blended by ``canopy_mixing``. In separate patches a type of cover f and leaf area L absorbs
    f (1 - exp(-k L)). With interleaved crowns the leaf area f L is spread over the stand, taller types take light
    first, and the sum is what Beer's law gives for all leaves together; the step between crowns is smoothed over
    ``height_scale`` so that equals share alike.

    Parameters
    ----------
    leaf_area
        (3, ...) leaf area per cover (m2 m-2).
    cover
        (3, ...) cover, sum 1.
    height
        (3, ...) m.

    Returns
    -------
    tuple
        Absorbed share of the light on the whole stand, and share of light that reaches the top of the type's crowns.
    """
    k, mixing = parameters.extinction, parameters.canopy_mixing
    depth = k * leaf_area * cover
    above = np.zeros_like(depth)
    for i in range(3):
        for j in range(i):
            taller = 0.5 * (1.0 + np.tanh((height[j] - height[i]) / (2.0 * parameters.height_scale)))
            above[i] += taller * depth[j]
            above[j] += (1.0 - taller) * depth[i]
    reaching = np.exp(-above)
    weight = -np.expm1(-depth) * reaching
    total = -np.expm1(-depth.sum(axis=0))
    interleaved = weight * (total / np.maximum(weight.sum(axis=0), 1e-12))
    separate = -cover * np.expm1(-k * leaf_area)
    return (1.0 - mixing) * separate + mixing * interleaved, 1.0 - mixing + mixing * reaching


def below_ground(cover: Array, parameters: Parameters) -> Array:
    """Factor of competition for nutrients on photosynthesis of each plant type of a mixture.

    De Wit's replacement series: 1 / sum_j a_ij f_j for covers f, with a_ii = 1, so that a pure stand has 1. A
    coefficient below one means that neighbours of the other type draw on other resources (broadleaf and needleleaf
    trees overyield together: Pretzsch et al. 2015), above one that they suppress (tree roots and litter under-crop
    grass; grass holds back young trees: Riginos 2009).

    Parameters
    ----------
    cover
        (3, ...) cover, sum 1.
    """
    return 1.0 / np.einsum("ij,j...->i...", np.asarray(parameters.interference), cover)


def advance_cover(cover: Array, pay_back: Array, closure: Array, stress: Array, parameters: Parameters) -> Array:
    """Plant-type cover a year later.

    Viable trees take over grass in proportion to their closed canopy and a seed rain, fall back to grass by
    mortality (faster where they are not viable), and replace each other by relative pay-back. Rates stay below one,
    so cover stays positive and sums to one.

    Parameters
    ----------
    cover
        (3, ...) cover in the order BL, NL, GS.
    pay_back
        (3, ...) annual potential photosynthesis of the type at the top of its crowns (gC m-2 yr-1).
    closure
        (3, ...) how far the stems of the type bear a closed canopy, 0 to 1; seedlings hold no new ground.
    stress
        (3, ...) climatic unfitness.
    """
    p = parameters
    tree = cover[:2]
    minimum = np.reshape(p.tree_minimum[:2], (2,) + (1,) * (cover.ndim - 1))
    viable = (1.0 - stress[:2]) * 0.5 * (1.0 + np.tanh((pay_back[:2] - minimum) / (2.0 * p.tree_minimum_width)))
    gained = p.establishment * viable * (closure[:2] * tree + p.seed_rain) * cover[2]
    lost = (p.cover_mortality + p.cover_failure * (1.0 - viable)) * tree
    fitness = pay_back[:2] * (1.0 - stress[:2]) * viable
    advantage = (fitness[0] - fitness[1]) / np.maximum(fitness[0] + fitness[1], 1.0)
    exchanged = p.exchange * advantage * tree[0] * tree[1]
    change = gained - lost
    broadleaf = cover[0] + change[0] + exchanged
    needleleaf = cover[1] + change[1] - exchanged
    return np.stack([broadleaf, needleleaf, 1.0 - broadleaf - needleleaf])
