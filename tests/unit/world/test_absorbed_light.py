"""The process model with the light that satellites see: closed, bounded, and still a model of stands and ages."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from climates import climates

from dere.variables import STANDS, TARGETS
from dere.world.absorbed_light import MonthLight, SeenLight, adjusted, correction, observed_share
from dere.world.parameters import DEFAULT
from dere.world.process_model import simulate
from dere.world.stand import layout

NAMES, AGES = ("temperate", "arid", "boreal"), (1, 100)
WEIGHT = np.array([[0.3, 0.7], [0.5, 0.5], [0.0, 1.0]])
SHORT = {"spin_up_years": 40, "seed": 2}
GPP = TARGETS.index("gpp")


@pytest.fixture(scope="module")
def forcing():
    return climates(NAMES, years=3)


@pytest.fixture(scope="module")
def plain(forcing):
    """The prognostic run, and the share of light that its age-weighted mixture absorbs."""
    run = simulate(forcing, AGES, diagnostics=True, **SHORT)
    mixture = run["stand"].values.tolist().index("mixture")
    return run, np.einsum("mat,ma->mt", run["absorbed"].values[:, mixture], WEIGHT)


@pytest.fixture(scope="module")
def greener(forcing, plain):
    """Half as much light again is seen, in all months but every seventh."""
    observed = np.minimum(1.5 * plain[1] + 0.02, 0.95)
    observed[:, ::7] = np.nan
    light = SeenLight.learned(observed, plain[1], WEIGHT)
    return light, simulate(forcing, AGES, diagnostics=True, light=light, **SHORT)


def test_seeing_what_the_model_has_changes_nothing(forcing, plain):
    light = SeenLight.learned(plain[1], plain[1], WEIGHT)
    again = simulate(forcing, AGES, light=light, **SHORT)
    np.testing.assert_allclose(again["state"], plain[0]["state"], rtol=1e-4, atol=1e-4)


def test_carbon_balances_and_stands_and_ages_stay_apart(plain, greener):
    run = greener[1]
    change = np.diff(run.total_carbon.values, axis=-1)
    assert np.abs(change - run.balance.values).max() < 1e-9 * run.total_carbon.values.max()
    gpp, before = (found["state"].values[..., GPP] for found in (run, plain[0]))
    assert np.abs(gpp[:, :, 0] - gpp[:, :, 1]).mean() > 0.1 * gpp.mean()
    assert np.abs(gpp[:, 0] - gpp[:, 2]).mean() > 0.1 * gpp.mean()
    assert gpp.mean() > 1.1 * before.mean(), "more light, more GPP"
    height, lai = (TARGETS.index(name) for name in ("height", "lai"))
    assert (run["state"].values[:, :, 1, :, height] > 1.5 * run["state"].values[:, :, 0, :, height]).any()
    assert run["state"].values[..., lai].std() > 0, "leaves are the model's own"


def test_one_factor_for_all_stands_and_ages_by_hand(forcing, plain):
    """The first month differs from a run of the same past by the factor alone, for every stand and age."""
    base = SeenLight.learned(plain[1], plain[1], WEIGHT)
    run = simulate(forcing, AGES, diagnostics=True, light=base, **SHORT)
    seen = plain[1].copy()
    seen[:, 0] *= 0.5
    dimmed = simulate(forcing, AGES, diagnostics=True, light=replace(base, observed=seen), **SHORT)
    np.testing.assert_array_equal(run["initial_state"], dimmed["initial_state"])
    own = run["absorbed"].values[..., 0]
    np.testing.assert_allclose(own, dimmed["absorbed"].values[..., 0])
    mixture = np.einsum("ma,ma->m", own[:, -1], WEIGHT)
    factor = np.array(
        [1.0 if s < 0.05 else np.clip(o / s, 0.25, 4.0) for o, s in zip(seen[:, 0], mixture, strict=True)]
    )
    lit = mixture >= 0.05
    assert lit.any()
    before, after = (found["state"].values[lit, :, :, 0, GPP] for found in (run, dimmed))
    wet = before > 0.05
    # water that is saved can only raise it
    assert (after[wet] >= (factor[lit, None, None] * before)[wet] - 1e-5).all()
    temperate = wet & (np.array(NAMES)[lit] == "temperate")[:, None, None]
    np.testing.assert_allclose(after[temperate], (factor[lit, None, None] * before)[temperate], rtol=0.02)


def test_where_there_are_no_leaves_light_is_added_and_factors_are_bounded():
    observed = np.array([0.3, 0.9, 0.01, 0.6, np.nan])
    simulated = np.array([0.01, 0.1, 0.8, 0.5, 0.5])
    factor, added = correction(observed, simulated)
    np.testing.assert_allclose(factor, [1.0, 4.0, 0.25, 1.2, np.nan])
    np.testing.assert_allclose(added, [0.29, 0, 0, 0, np.nan])


def test_unseen_months_and_copies_take_the_climatology(plain, greener):
    light = greener[0]
    factor, _ = correction(light.observed, plain[1])
    january = factor[:, 0::12]
    np.testing.assert_allclose(light.factor[:, 0], np.nanmean(january, axis=1))
    blind = light.blind(24)
    assert blind.observed.shape == (3, 24)
    assert np.isnan(blind.observed).all()
    np.testing.assert_array_equal(blind.month(13, True).factor, light.factor[:, 1])
    nothing = SeenLight.learned(np.full_like(plain[1], np.nan), plain[1], WEIGHT)
    assert (nothing.factor == 1).all()
    assert (nothing.added == 0).all()


def test_members_do_not_depend_on_each_other(forcing, greener):
    light, run = greener
    alone = simulate(forcing.take([1]), AGES, light=light.take([1]), **SHORT)
    np.testing.assert_allclose(alone["state"][0], run["state"][1], rtol=1e-5, atol=1e-5)


def test_light_is_never_more_than_there_is_and_bare_ground_shares_it_by_cover():
    lay = layout(STANDS, DEFAULT)
    absorbed = np.full((6, 2, 1), 0.3)
    absorbed[:, 0] = 0.01
    cover = np.array([1.0, 1.0, 1.0, 0.5, 0.3, 0.2])[:, None, None] * np.ones((1, 2, 1))
    bright = MonthLight(None, np.array([[0.5], [0.5]]), np.array([4.0]), np.array([0.0]))
    found = adjusted(absorbed, cover, lay, bright)
    np.testing.assert_allclose(found[:3, 1], 1.0)
    np.testing.assert_allclose(found[3:, 1].sum(0), 1.0)
    np.testing.assert_allclose(found[:, 0], 0.04)
    # an age-weighted mixture of 0.03: what is seen beyond it is added by cover
    bare = MonthLight(np.array([0.43]), np.array([[1.0], [0.0]]), np.array([1.0]), np.array([0.0]))
    np.testing.assert_allclose(adjusted(absorbed, cover, lay, bare)[:, 0], absorbed[:, 0] + 0.4 * cover[:, 0])


def test_satellites_without_a_mixture_are_refused(forcing, greener):
    with pytest.raises(ValueError, match="mixture"):
        simulate(forcing, AGES, stands=("BL",), light=greener[0], **SHORT)


def test_evi_first_then_lai_then_unknown():
    lai, evi = np.array([2.0, 2.0, np.nan, 0.0]), np.array([0.45, np.nan, np.nan, 0.0])
    np.testing.assert_allclose(observed_share(lai, evi), [0.48, 1 - np.exp(-1), np.nan, 0.0])
