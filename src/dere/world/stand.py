"""One month of all stands of all members: the state, its advance, and what is reported of it.

Arrays are (cohort, age, member) and (stand, age, member): members last, so that the forcing of a month broadcasts
along contiguous memory. A pure stand is one cohort; the mixture is the last three, sharing light and water.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dere.variables import PLANT_TYPES
from dere.world import carbon, competition, water
from dere.world.carbon import Plants, Soil, Traits
from dere.world.conditions import Conditions
from dere.world.forcing import Array
from dere.world.parameters import Parameters
from dere.world.water import Water


class Layout(NamedTuple):
    """Which cohorts make which stands; internally pure stands come first and the mixture last."""

    stands: tuple[str, ...]
    kinds: NDArray[np.int64]
    stand_of: NDArray[np.int64]
    pure: int
    mixed: bool
    traits: Traits

    def by_stand(self, cohorts: Array) -> Array:
        """Sum cohorts to stands."""
        if not self.mixed:
            return cohorts
        return np.concatenate([cohorts[: self.pure], cohorts[self.pure :].sum(axis=0, keepdims=True)])

    def by_cohort(self, stands: Array) -> Array:
        """Repeat stand values for the cohorts in them."""
        return stands[self.stand_of]


def layout(stands: tuple[str, ...], parameters: Parameters) -> Layout:
    """Cohorts for the given subset of STANDS."""
    pure = [name for name in PLANT_TYPES if name in stands]
    mixed = "mixture" in stands
    kinds = np.array([PLANT_TYPES.index(name) for name in pure] + [0, 1, 2] * mixed)
    stand_of = np.array(list(range(len(pure))) + [len(pure)] * (3 * mixed))
    names = (*pure, "mixture") if mixed else tuple(pure)
    return Layout(names, kinds, stand_of, len(pure), mixed, carbon.traits(kinds, parameters))


class State(NamedTuple):
    """Everything a stand remembers; ``cover`` is (3, age, member) of the mixture, ``prescribed`` keeps it constant."""

    plants: Plants
    soil: Soil
    water: Water
    pay_back: Array
    cover: Array
    prescribed: bool


class Month(NamedTuple):
    """Fluxes of a month per stand (gC m-2 month-1; exports less seeds) and what else is asked of it.

    ``fine``, ``coarse`` and ``rate`` serve the spin-up; ``absorbed`` is the share of light of the stand's own leaves.
    """

    gpp: Array
    ra: Array
    rh: Array
    export: Array
    fine: Array
    coarse: Array
    rate: Array
    absorbed: Array


def bare_ground(
    lay: Layout, c: Conditions, p: Parameters, fraction: Array | None, soil: Soil | None, stores: Water | None
) -> State:
    """Seedlings on bare ground, with given soil carbon and water or none and half-full stores."""
    members = c.upper.size
    shape = (len(lay.kinds), 1, members)
    if fraction is None:
        start = np.array([p.initial_trees, p.initial_trees, 1.0 - 2.0 * p.initial_trees])
        cover = np.broadcast_to(start[:, None, None], (3, 1, members)).copy()
    else:
        # a share of exactly zero would divide by zero; one in ten thousand is nothing
        cover = np.maximum(fraction.T[:, None, :], 1e-4)
        cover = cover / cover.sum(axis=0)
    seeds = np.asarray(p.seed_reserve)[lay.kinds][:, None, None] * _cohort_cover(lay, cover, shape)
    zero = np.zeros(shape)
    bare = np.zeros((len(lay.stands), 1, members))
    half = Water(np.zeros((1, members)), bare + 0.5 * c.upper, bare + 0.5 * c.lower)
    potential = np.einsum("tkm,t->km", c.light * c.phenology, c.days) / (len(c.days) / 12.0)
    return State(
        Plants(zero, zero, zero, seeds),
        soil or Soil(bare, bare, bare, bare),
        stores or half,
        0.5 * potential[lay.kinds][:, None, :],
        cover,
        fraction is not None,
    )


def advance(
    state: State,
    t: int,
    end_of_year: bool,
    c: Conditions,
    lay: Layout,
    p: Parameters,
    light: Callable[[Array, Array], Array] | None = None,
) -> tuple[State, Month]:
    """The month ``t`` of the conditions; cover moves when ``end_of_year``.

    ``light`` changes the absorbed shares of the cohorts, given these and the cohorts' cover.
    """
    tr = lay.traits
    cover = _cohort_cover(lay, state.cover, state.plants.leaf.shape)
    days = c.days[t]

    snow, melted = water.melt_snow(state.water.snow, c.snowfall[t], c.melt[t])
    inflow = c.rain[t] + melted
    stores = Water(snow, state.water.upper, state.water.lower)
    wet_upper, wet_lower = water.wetness(stores, inflow, c.upper, c.lower)
    from_upper, from_lower = water.uptake_shares(
        lay.by_cohort(wet_upper), lay.by_cohort(wet_lower), tr.upper_roots, tr.critical
    )
    moist = from_upper + from_lower

    warm_leaf = c.phenology[t][lay.kinds][:, None, :]
    season = warm_leaf * (1.0 - tr.drought_shedding * (1.0 - moist))
    full_leaf = carbon.full_leaf_area(state.pay_back, state.plants.stem, cover, tr, p) * cover / tr.specific_leaf_area
    target = full_leaf * season
    seeds = p.seed_import * cover
    sown = state.plants._replace(reserve=state.plants.reserve + seeds)
    plants, opening = carbon.flush(sown, target, p)
    absorbed, reaching = _light(plants, cover, lay, p)
    own = lay.by_stand(absorbed)
    if light is not None:
        absorbed = light(absorbed, cover)
    wish = absorbed * c.demand[t] * c.thrift[t]
    evaporation = p.soil_evaporation * c.demand[t] * (1.0 - lay.by_stand(absorbed)) * wet_upper
    upper, lower, met_upper, met_lower = water.advance(
        stores,
        inflow,
        lay.by_stand(wish * from_upper) + evaporation,
        lay.by_stand(wish * from_lower),
        c.upper,
        c.lower,
        c.water_table,
    )
    supplied = from_upper * lay.by_cohort(met_upper) + from_lower * lay.by_cohort(met_lower)
    possible = c.light[t][lay.kinds][:, None, :] * supplied * (days * _interference(cover, lay, p))
    gpp = possible * absorbed

    wanted = days * carbon.maintenance(plants, cover, c.warmth[t], c.root_warmth[t], tr, p)
    dying = (tr.mortality + p.stress_mortality * c.stress[lay.kinds][:, None, :] + c.disturbance) / 12.0
    plants, flows = carbon.grow(plants, gpp, wanted, full_leaf, target, c.growth[t], dying, c.harvest, tr, p)
    rate = c.decay[t] * carbon.moisture_factor(wet_upper)
    fine, coarse = lay.by_stand(flows.fine), lay.by_stand(flows.coarse)
    soil, rh = carbon.decompose(state.soil, fine, coarse, rate, p)

    gain = 12.0 * possible * reaching * warm_leaf
    pay_back = state.pay_back + (gain - state.pay_back) / p.leaf_memory
    new_cover = state.cover
    if end_of_year and lay.mixed and not state.prescribed:
        closure = -np.expm1(-plants.stem[lay.pure :] / (p.canopy_stem * state.cover))
        new_cover = competition.advance_cover(state.cover, pay_back[lay.pure :], closure, c.stress[:, None, :], p)
        plants, soil = _yield_ground(plants, soil, state.cover, new_cover, lay)
    after = State(plants, soil, Water(snow, upper, lower), pay_back, new_cover, state.prescribed)
    month = Month(
        lay.by_stand(gpp),
        lay.by_stand(flows.respiration + opening),
        rh,
        lay.by_stand(flows.export - seeds),
        fine,
        coarse,
        rate,
        own,
    )
    return after, month


def observe(state: State, lay: Layout, p: Parameters) -> dict[str, Array]:
    """Height (m), above-ground biomass and soil carbon (kgC m-2), and leaf area index of a state, per stand."""
    cover = _cohort_cover(lay, state.cover, state.plants.leaf.shape)
    leaf, _, stem, _ = state.plants
    height = carbon.canopy_height(stem, leaf, cover, lay.traits, p)
    return {
        "height": lay.by_stand(cover * height),
        "agb": 1e-3 * lay.by_stand(leaf + p.above_ground * stem),
        "soil_carbon": 1e-3 * sum(state.soil[1:], start=state.soil[0]),
        "lai": lay.by_stand(leaf * lay.traits.specific_leaf_area),
    }


def total_carbon(state: State, lay: Layout) -> Array:
    """Carbon of plants and soil (gC m-2), per stand."""
    return lay.by_stand(sum(state.plants[1:], start=state.plants[0])) + sum(state.soil[1:], start=state.soil[0])


def repeat_ages(states: list[State]) -> State:
    """Join states of one age each along the age axis."""

    def join(*parts: Array) -> Array:
        return np.concatenate(parts, axis=1)

    return State(
        Plants(*map(join, *(s.plants for s in states))),
        Soil(*map(join, *(s.soil for s in states))),
        Water(
            np.concatenate([s.water.snow for s in states]),
            join(*(s.water.upper for s in states)),
            join(*(s.water.lower for s in states)),
        ),
        join(*(s.pay_back for s in states)),
        join(*(s.cover for s in states)),
        states[0].prescribed,
    )


def _cohort_cover(lay: Layout, cover: Array, shape: tuple[int, ...]) -> Array:
    if not lay.mixed:
        return np.ones(shape)
    return np.concatenate([np.ones((lay.pure, *shape[1:])), cover])


def _light(plants: Plants, cover: Array, lay: Layout, p: Parameters) -> tuple[Array, Array]:
    leaf_area = plants.leaf * lay.traits.specific_leaf_area / cover
    alone = -np.expm1(-p.extinction * leaf_area[: lay.pure])
    free = np.ones_like(alone)
    if not lay.mixed:
        return alone, free
    last = slice(lay.pure, None)
    mixed_traits = Traits(*(value[last] for value in lay.traits))
    height = carbon.canopy_height(plants.stem[last], plants.leaf[last], cover[last], mixed_traits, p)
    absorbed, reaching = competition.share_light(leaf_area[last], cover[last], height, p)
    return np.concatenate([alone, absorbed]), np.concatenate([free, reaching])


def _interference(cover: Array, lay: Layout, p: Parameters) -> Array:
    """Below-ground factor on photosynthesis, (cohort, age, member); one in pure stands."""
    factor = np.ones(cover.shape)
    if lay.mixed:
        factor[lay.pure :] = competition.below_ground(cover[lay.pure :], p)
    return factor


def _yield_ground(plants: Plants, soil: Soil, before: Array, after: Array, lay: Layout) -> tuple[Plants, Soil]:
    """Cohorts of the mixture that lose ground leave the carbon of that ground as litter; gained ground is empty."""
    lost = np.maximum(1.0 - after / before, 0.0)
    dead = [pool[lay.pure :] * lost for pool in plants]
    kept = [
        np.concatenate([pool[: lay.pure], pool[lay.pure :] - gone]) for pool, gone in zip(plants, dead, strict=True)
    ]
    fine, debris = soil.fine.copy(), soil.debris.copy()
    fine[lay.pure] += (dead[0] + dead[1] + dead[3]).sum(axis=0)
    debris[lay.pure] += dead[2].sum(axis=0)
    return Plants(*kept), Soil(fine, debris, soil.fast, soil.slow)
