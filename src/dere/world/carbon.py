"""Carbon of plants and soil over one month: allocation, respiration, turnover and decay.

Every function moves carbon between pools without loss: assimilation = respiration + growth + change of reserve, and
what leaves a plant pool arrives in litter or leaves as a counted export.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dere.world.forcing import Array
from dere.world.parameters import Parameters


class Plants(NamedTuple):
    """Plant pools, gC per m2 of stand, (cohort, age, member)."""

    leaf: Array
    root: Array
    stem: Array
    reserve: Array


class Traits(NamedTuple):
    """Per-type parameters as (cohort, 1, 1) columns."""

    specific_leaf_area: Array
    leaf_respiration: Array
    root_respiration: Array
    stem_respiration: Array
    leaf_loss: Array
    root_loss: Array
    root_per_leaf: Array
    reserve_per_leaf: Array
    stem_share: Array
    mortality: Array
    leaf_cost: Array
    leaf_start: Array
    tree: Array
    grass: Array
    height_max: Array
    height_rate: Array
    upper_roots: Array
    critical: Array
    drought_shedding: Array


def traits(kinds: Array, parameters: Parameters) -> Traits:
    """Traits of cohorts with plant-type indices ``kinds``; losses as share per month."""
    p = parameters

    def column(values: object) -> Array:
        return np.asarray(values, dtype=np.float64)[kinds][:, None, None]

    return Traits(
        specific_leaf_area=column(p.specific_leaf_area),
        leaf_respiration=column(p.leaf_respiration),
        root_respiration=column(p.root_respiration),
        stem_respiration=column(p.stem_respiration),
        leaf_loss=1.0 / (12.0 * column(p.leaf_longevity)),
        root_loss=1.0 / (12.0 * column(p.root_longevity)),
        root_per_leaf=column(p.root_per_leaf),
        reserve_per_leaf=column(p.reserve_per_leaf),
        stem_share=column(p.stem_share),
        mortality=column(p.mortality),
        leaf_cost=column(p.leaf_cost),
        leaf_start=column(p.leaf_start),
        tree=column((1.0, 1.0, 0.0)),
        grass=column((0.0, 0.0, 1.0)),
        height_max=column(p.height_max),
        height_rate=column(p.height_rate),
        upper_roots=column(p.upper_roots),
        critical=column(p.critical_wetness),
        drought_shedding=column(p.drought_shedding),
    )


def full_leaf_area(pay_back: Array, stem: Array, cover: Array, t: Traits, p: Parameters) -> Array:
    """Leaf area per cover worth having: ln(1 + k A / z) / k for annual potential photosynthesis A and leaf cost z.

    It follows from marginal gain = cost of the lowest leaf layer (Zhu et al. 2023; the one keeps it positive for
    small A), times the share that the stem of a young tree can bear.
    """
    worth = np.log1p(p.extinction / 12.0 * pay_back / t.leaf_cost) / p.extinction
    bears = t.leaf_start + (t.leaf_start - 1.0) * np.expm1(-stem / (p.canopy_stem * cover))
    return worth * bears


def canopy_height(stem: Array, leaf: Array, cover: Array, t: Traits, p: Parameters) -> Array:
    """Height (m) from above-ground biomass per cover, saturating at the type's maximum."""
    above = 1e-3 * (p.above_ground * stem + t.grass * leaf) / cover
    return -t.height_max * np.expm1(-t.height_rate * above**0.6)


def maintenance(plants: Plants, cover: Array, warmth: Array, root_warmth: Array, t: Traits, p: Parameters) -> Array:
    """Maintenance respiration wanted per day (gC m-2 d-1); only sapwood respires in stems."""
    sapwood = -p.sapwood * cover * np.expm1(-plants.stem / (p.sapwood * cover))
    above = t.leaf_respiration * plants.leaf + t.stem_respiration * sapwood
    return above * warmth + t.root_respiration * plants.root * root_warmth


class Flows(NamedTuple):
    """Plant carbon flows of a month (gC m-2): respiration, fine and coarse litter, export."""

    respiration: Array
    fine: Array
    coarse: Array
    export: Array


def flush(plants: Plants, target: Array, p: Parameters) -> tuple[Plants, Array]:
    """Leaves open at the start of a month, from the reserve and towards ``target`` (gC m-2); the cost is respired.

    Doing this before photosynthesis lets the month of leaf-out assimilate, which a monthly step would else lose.
    """
    cost = 1.0 - p.growth_respiration
    spent = np.minimum(np.maximum(target - plants.leaf, 0.0) / cost, 0.8 * plants.reserve)
    opened = plants._replace(leaf=plants.leaf + cost * spent, reserve=plants.reserve - spent)
    return opened, p.growth_respiration * spent


def grow(
    plants: Plants,
    assimilated: Array,
    wanted: Array,
    full_leaf: Array,
    target: Array,
    growth: Array,
    mortality: Array,
    harvest: Array,
    t: Traits,
    p: Parameters,
) -> tuple[Plants, Flows]:
    """One month of plant carbon after leaf-out.

    Maintenance is paid first, as far as there is carbon; then roots, then surplus above the reserve goes to stems
    and to reproduction. Shedding, turnover, harvest and mortality follow.

    Parameters
    ----------
    plants
        Pools before.
    assimilated, wanted
        GPP and maintenance of the month (gC m-2).
    full_leaf, target
        Leaf carbon of the full canopy, and that which the season allows (gC m-2).
    growth
        Share of surplus that may grow this month; cold stops it.
    mortality
        Share of plants dying this month, without starvation.
    harvest
        Share of grass growth exported, taken from leaves.
    """
    purse = plants.reserve + assimilated
    # respiration slows as its substrate runs out, so that a starved plant fades but can recover
    fed = -np.expm1(-(purse + 1e-12) / (wanted + 1e-12))
    paid = np.minimum(fed * wanted, purse)
    hunger = np.maximum(1.0 - fed - 0.2, 0.0)
    purse = purse - paid
    cost = 1.0 - p.growth_respiration

    kept = t.reserve_per_leaf * full_leaf
    missing = np.maximum(t.root_per_leaf * full_leaf - plants.root, 0.0) / cost
    to_root = np.minimum(missing, growth * np.maximum(purse - 0.4 * kept, 0.0))
    purse = purse - to_root
    surplus = growth * np.maximum(purse - kept, 0.0)
    to_stem = t.stem_share * surplus
    purse = purse - surplus
    root = plants.root + cost * to_root
    stem = plants.stem + cost * to_stem
    seeds = cost * (surplus - to_stem)

    dying = np.minimum(mortality + p.starvation_mortality * hunger, 0.95)
    cut = np.minimum(harvest * t.grass * (seeds + t.leaf_loss * plants.leaf), plants.leaf)
    leaf = plants.leaf - cut
    shed = p.shedding * np.maximum(leaf - target, 0.0) + t.leaf_loss * np.minimum(leaf, target)
    fallen_leaf = shed + dying * (leaf - shed)
    fallen_root = (t.root_loss + dying * (1.0 - t.root_loss)) * root
    fallen_stem = dying * stem
    fallen_reserve = dying * purse
    after = Plants(leaf - fallen_leaf, root - fallen_root, stem - fallen_stem, purse - fallen_reserve)
    respired = paid + p.growth_respiration * (to_root + surplus)
    return after, Flows(respired, fallen_leaf + fallen_root + fallen_reserve + seeds, fallen_stem, cut)


class Soil(NamedTuple):
    """Dead carbon, gC m-2, (stand, age, member)."""

    fine: Array
    debris: Array
    fast: Array
    slow: Array


def moisture_factor(wetness: Array) -> Array:
    """Factor of upper-layer wetness on decay: dry soil slows it, waterlogging somewhat (CENTURY-like)."""
    return (0.12 + 0.88 * np.minimum(wetness / 0.6, 1.0)) * (1.0 - 0.35 * np.maximum(wetness - 0.85, 0.0) / 0.15)


def decompose(soil: Soil, fine: Array, coarse: Array, rate: Array, p: Parameters) -> tuple[Soil, Array]:
    """One month of decay, then litter arrives.

    Parameters
    ----------
    soil
        Pools before.
    fine, coarse
        Litter of the month (gC m-2).
    rate
        Climatic factor on decay.

    Returns
    -------
    tuple
        Pools after, and heterotrophic respiration (gC m-2 month-1).
    """
    lost_fine, lost_debris, lost_fast, lost_slow = (
        -pool * np.expm1(rate * (-decay / 12.0)) for pool, decay in zip(soil, p.decay, strict=True)
    )
    to_fast = p.litter_to_fast * lost_fine + p.debris_to_fast * lost_debris
    to_slow = p.fast_to_slow * lost_fast
    after = Soil(
        soil.fine - lost_fine + fine,
        soil.debris - lost_debris + coarse,
        soil.fast - lost_fast + to_fast,
        soil.slow - lost_slow + to_slow,
    )
    return after, lost_fine + lost_debris + lost_fast + lost_slow - to_fast - to_slow


def equilibrium(fine: Array, coarse: Array, rate: Array, p: Parameters) -> Soil:
    """Pools whose mean losses equal mean inputs, for litter (gC m-2 yr-1) and the mean climatic factor on decay.

    Steady state of the linear cascade of ``decompose``; the covariance of litter and climate within the year is
    ignored.
    """
    into_fast = p.litter_to_fast * fine + p.debris_to_fast * coarse
    inputs = (fine, coarse, into_fast, p.fast_to_slow * into_fast)
    return Soil(*(put / (decay * rate) for put, decay in zip(inputs, p.decay, strict=True)))
