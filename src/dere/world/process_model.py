"""The process model of the built-in world: carbon and water of pure and mixed stands on any monthly forcing.

A stand of age a has grown for a years from bare ground after a disturbance, under years resampled from the forcing;
one run over the greatest age gives the snapshots of all. Its soil begins in equilibrium with a mature stand, plus the
debris of the one that was destroyed, so that young stands lose carbon, middle-aged gain it and old ones are near
balance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from dere.physics import derive
from dere.variables import PLANT_TYPES, STANDS, TARGETS
from dere.world import carbon
from dere.world.absorbed_light import SeenLight, adjusted
from dere.world.conditions import Conditions, prepare
from dere.world.forcing import Array, Forcing
from dere.world.parameters import DEFAULT, Parameters, Structure
from dere.world.stand import Layout, Month, State, advance, bare_ground, layout, observe, repeat_ages, total_carbon
from dere.world.water import Water

__all__ = ["DEFAULT", "Parameters", "Structure", "simulate"]

_SPIN_UP_BLOCK, _BLOCK = 512, 64
"""Members per block of the spin-up and of the run over all ages: small arrays stay in the processor's cache."""

_LITTER_YEARS = 30
"""Last years of the mature run over which litter and climate are averaged for the soil equilibrium."""


def simulate(
    forcing: Forcing,
    ages: Sequence[int],
    *,
    stands: Sequence[str] = STANDS,
    parameters: Parameters = DEFAULT,
    structure: Structure | None = None,
    fraction: ArrayLike | None = None,
    spin_up_years: int = 150,
    seed: int = 0,
    diagnostics: bool = False,
    light: SeenLight | None = None,
) -> xr.Dataset:
    """Run the model.

    Parameters
    ----------
    forcing
        Monthly forcing of all members.
    ages
        Stand ages (yr) at the start, at least 1, increasing.
    stands
        Subset of ``STANDS``, in the order wanted.
    parameters, structure
        Constants, and structural differences (neutral when None).
    fraction
        (member, plant_type) prescribed constant cover of the mixture, rows summing to 1; the model's own succession
        when None.
    spin_up_years
        Years of the run that brings a mature stand for the soil equilibrium.
    seed
        Decides which years of the forcing are resampled; the same for all members, so that a member's result does
        not depend on the others.
    diagnostics
        Add ``total_carbon`` (member, stand, age, month), the plant and soil carbon before the first and after each
        month (gC m-2), ``balance`` (member, stand, age, time), NPP - Rh - exports (gC m-2 month-1), and ``absorbed``
        (member, stand, age, time), the share of light that the stand's own leaves absorb, in float64.
    light
        Correct the absorbed light by what satellites see: its observed months in the months of the forcing, its
        climatology in the spin-up, the year before and where nothing was seen. None = the leaves' own.

    Returns
    -------
    xarray.Dataset
        ``state`` (member, stand, age, time, target) float32 in the order of ``TARGETS``, heights m, stocks kgC m-2,
        fluxes gC m-2 d-1; ``initial_state`` (member, stand, age, target) of the month before;
        ``plant_fraction`` (member, age, year, plant_type) of the mixture, one year per twelve months, and
        ``initial_plant_fraction`` (member, age, plant_type) of the year before.

    Raises
    ------
    ValueError
        On unknown stands, ages that do not increase from 1 or above, fractions that do not sum to 1, or corrected
        light without a mixture.
    """
    wanted_ages = _check_ages(ages)
    names = _check_stands(stands)
    prescribed = None if fraction is None else _check_fraction(fraction, forcing.members)
    if spin_up_years < _LITTER_YEARS:
        raise ValueError(f"spin_up_years is {spin_up_years}, expected at least {_LITTER_YEARS}; raise it")
    if light is not None and "mixture" not in names:
        raise ValueError(f"stands are {names}, but the mixture is what satellites see; add it, or give no light")
    conditions = prepare(forcing, parameters, structure or Structure())
    lay = layout(names, parameters)
    blocks = []
    for start in range(0, forcing.members, _SPIN_UP_BLOCK):
        part = slice(start, start + _SPIN_UP_BLOCK)
        some = _condition_members(conditions, part)
        shares = None if prescribed is None else prescribed[part]
        seen = None if light is None else light.take(part)
        snapshots = _spin_up(some, lay, parameters, shares, wanted_ages, spin_up_years, seed, seen)
        for first in range(0, some.upper.size, _BLOCK):
            inner = slice(first, first + _BLOCK)
            joined = repeat_ages([_members(state, inner) for state in snapshots])
            own = None if seen is None else seen.take(inner)
            blocks.append(_run(joined, _condition_members(some, inner), lay, parameters, seed, diagnostics, own))
    order = [lay.stands.index(name) for name in names]
    return _dataset(blocks, names, order, wanted_ages)


def _year_starts(months: int, years: int, seed: int, stream: int) -> NDArray[np.int64]:
    """First month of each of ``years`` whole years drawn from the forcing."""
    generator = np.random.default_rng([seed, stream])
    return 12 * generator.integers(0, months // 12, size=years)


def _spin_up(
    c: Conditions,
    lay: Layout,
    p: Parameters,
    fraction: Array | None,
    ages: Sequence[int],
    years: int,
    seed: int,
    light: SeenLight | None,
) -> list[State]:
    """State of each stand one year before it reaches each of ``ages``; the last year is common to all ages."""
    state = bare_ground(lay, c, p, fraction, None, None)
    fine = coarse = rate = np.zeros(())
    for year, start in enumerate(_year_starts(len(c.days), years, seed, 1)):
        for month in range(12):
            state, out = advance(state, start + month, month == 11, c, lay, p, _corrected(light, start + month, lay))
            if year >= years - _LITTER_YEARS:
                fine, coarse, rate = fine + out.fine, coarse + out.coarse, rate + out.rate
    soil = carbon.equilibrium(fine / _LITTER_YEARS, coarse / _LITTER_YEARS, rate / (12.0 * _LITTER_YEARS), p)
    leaf, root, stem, reserve = (lay.by_stand(pool) for pool in state.plants)
    soil = soil._replace(fine=soil.fine + leaf + root + reserve, debris=soil.debris + p.debris_left * stem)

    state = bare_ground(lay, c, p, fraction, soil, state.water)
    snapshots = []
    starts = _year_starts(len(c.days), ages[-1], seed, 2)
    for year in range(ages[-1]):
        if year + 1 in ages:
            snapshots.append(state)
        if year + 1 == ages[-1]:
            break
        for month in range(12):
            t = starts[year] + month
            state, _ = advance(state, t, month == 11, c, lay, p, _corrected(light, t, lay))
    return snapshots


def _run(
    state: State, c: Conditions, lay: Layout, p: Parameters, seed: int, diagnostics: bool, light: SeenLight | None
) -> dict[str, NDArray[np.generic]]:
    """Lead-in year and all months of the forcing; arrays (time, stand, age, member)."""
    months = len(c.days)
    lead = int(_year_starts(months, 1, seed, 3)[0])
    rows, covers, totals, balances, absorbed = [], [state.cover], [], [], []
    for step in range(-12, months):
        if step >= 0 and step % 12 == 0:
            covers.append(state.cover)
        if step == 0 and diagnostics:
            totals.append(total_carbon(state, lay))
        t = lead + 12 + step if step < 0 else step
        state, out = advance(state, t, step % 12 == 11, c, lay, p, _corrected(light, t, lay, step >= 0))
        if step >= -1:
            rows.append(_targets(state, out, c.days[t], lay, p))
        if step >= 0 and diagnostics:
            totals.append(total_carbon(state, lay))
            balances.append(out.gpp - out.ra - out.rh - out.export)
            absorbed.append(out.absorbed)
    result: dict[str, NDArray[np.generic]] = {"state": np.stack(rows), "cover": np.stack(covers)}
    if diagnostics:
        result |= {"total_carbon": np.stack(totals), "balance": np.stack(balances), "absorbed": np.stack(absorbed)}
    return result


def _corrected(
    light: SeenLight | None, t: int, lay: Layout, seeing: bool = False
) -> Callable[[Array, Array], Array] | None:
    """What ``advance`` does to the absorbed shares of cohorts in month ``t``."""
    if light is None:
        return None
    month = light.month(t, seeing)
    return lambda absorbed, cover: adjusted(absorbed, cover, lay, month)


def _targets(state: State, out: Month, days: float, lay: Layout, p: Parameters) -> NDArray[np.float32]:
    """The ten targets (target, stand, age, member); derived after rounding, so that float32 files close too."""
    free = observe(state, lay, p) | {"gpp": out.gpp / days, "ra": out.ra / days, "rh": out.rh / days}
    full = derive({name: value.astype(np.float32) for name, value in free.items()})
    return np.stack([full[name] for name in TARGETS])


def _dataset(
    blocks: list[dict[str, NDArray[np.generic]]], names: tuple[str, ...], order: list[int], ages: tuple[int, ...]
) -> xr.Dataset:
    # (time, target, stand, age, member) -> (member, stand, age, time, target)
    members = sum(block["cover"].shape[-1] for block in blocks)
    months = blocks[0]["state"].shape[0] - 1
    state = np.empty((members, len(names), len(ages), months, len(TARGETS)), dtype=np.float32)
    initial = np.empty((members, len(names), len(ages), len(TARGETS)), dtype=np.float32)
    start = 0
    for block in blocks:
        part = slice(start, start + block["cover"].shape[-1])
        rows = block["state"][:, :, order].transpose(4, 2, 3, 0, 1)
        state[part], initial[part] = rows[:, :, :, 1:], rows[:, :, :, 0]
        start = part.stop
    data: dict[str, tuple[tuple[str, ...], NDArray[np.generic]]] = {
        "state": (("member", "stand", "age", "time", "target"), state),
        "initial_state": (("member", "stand", "age", "target"), initial),
    }
    if "mixture" in names:
        cover = np.concatenate([block["cover"] for block in blocks], axis=-1).astype(np.float32)
        cover = cover.transpose(3, 2, 0, 1)
        data["plant_fraction"] = (("member", "age", "year", "plant_type"), cover[:, :, 1:])
        data["initial_plant_fraction"] = (("member", "age", "plant_type"), cover[:, :, 0])
    for name, axis in (("total_carbon", "edge"), ("balance", "time"), ("absorbed", "time")):
        if name in blocks[0]:
            joined = np.concatenate([block[name][:, order] for block in blocks], axis=-1)
            data[name] = (("member", "stand", "age", axis), joined.transpose(3, 1, 2, 0))
    coords = {"stand": list(names), "age": list(ages), "target": list(TARGETS), "plant_type": list(PLANT_TYPES)}
    return xr.Dataset(data, coords=coords)


def _members(state: State, part: slice) -> State:
    def cut(pools: tuple[Array, ...]) -> list[Array]:
        return [np.ascontiguousarray(pool[..., part]) for pool in pools]

    return State(
        carbon.Plants(*cut(state.plants)),
        carbon.Soil(*cut(state.soil)),
        Water(*cut(state.water)),
        state.pay_back[..., part],
        state.cover[..., part],
        state.prescribed,
    )


def _condition_members(c: Conditions, part: slice) -> Conditions:
    cut = {f.name: np.ascontiguousarray(getattr(c, f.name)[..., part]) for f in fields(c) if f.name != "days"}
    return replace(c, **cut)


def _check_ages(ages: Sequence[int]) -> tuple[int, ...]:
    checked = tuple(int(age) for age in ages)
    if not checked or checked[0] < 1 or any(b <= a for a, b in pairwise(checked)):
        raise ValueError(f"ages are {checked}, expected increasing years from 1 on; sort them and drop repeats")
    return checked


def _check_stands(stands: Sequence[str]) -> tuple[str, ...]:
    unknown = [name for name in stands if name not in STANDS]
    if unknown or not stands or len(set(stands)) < len(stands):
        raise ValueError(f"stands are {tuple(stands)}, expected some of {STANDS} without repeats; correct the names")
    return tuple(stands)


def _check_fraction(fraction: ArrayLike, members: int) -> Array:
    value = np.asarray(fraction, dtype=np.float64)
    if value.shape != (members, 3):
        raise ValueError(f"fraction has shape {value.shape}, expected ({members}, 3); give BL, NL, GS of each member")
    if not (value >= 0.0).all() or not np.allclose(value.sum(axis=1), 1.0, atol=1e-3):
        raise ValueError(
            f"fraction has sums from {value.sum(axis=1).min():g} to {value.sum(axis=1).max():g} and least value "
            f"{value.min():g}, expected shares from 0 to 1 that sum to 1; normalise over the vegetated part"
        )
    return value
