"""How errors of places go together is found again, and the variance of totals is that of all pairs written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dere.intervals.neighbours import ALONE, Neighbours, Regions, blocks, fit_neighbours, zone_codes
from dere.intervals.processes import loadings, signs
from dere.intervals.totals import std_of_total
from invented_errors import KNOWN, predictions


def drawn(seed: int, towers: int = 400):
    """Standardised errors with .1 everywhere, .1 of the climate, .2 of the region, .2 of the cluster, .4 alone."""
    rng = np.random.default_rng(seed)
    zone = rng.integers(0, 4, towers)
    block = zone * 100 + rng.integers(0, 12, towers)
    cluster = block * 100 + rng.integers(0, 5, towers)
    total = np.zeros((towers, 3))
    for share, code in (
        (0.1, np.zeros(towers, int)),
        (0.1, zone),
        (0.2, block),
        (0.2, cluster),
        (0.4, np.arange(towers)),
    ):
        total += np.sqrt(share) * rng.normal(size=(code.max() + 1, 3))[code]
    return total, np.array([f"c{name}" for name in cluster]), zone, block


def test_shares_of_known_errors_are_recovered():
    found = np.mean([fit_neighbours(*drawn(seed)).same for seed in range(12)], 0)
    np.testing.assert_allclose(found, [0.6, 0.4, 0.2, 0.1], atol=0.08)
    one = fit_neighbours(*drawn(0))
    assert (np.diff(one.same) <= 0).all() and one.clusters.sum() == len(np.unique(drawn(0)[1]))


def test_few_towers_are_drawn_to_what_is_usual_and_nothing_to_compare_gives_that():
    total, _, zone, block = drawn(1, 6)
    apart = np.array([f"c{i}" for i in range(6)])
    found = fit_neighbours(total, apart, zone, block)
    assert found.same[0] == pytest.approx(ALONE.same[0])
    total[2] = np.nan
    assert np.isfinite(fit_neighbours(total, apart, zone, block).same).all()


def test_a_climate_without_towers_errs_as_a_whole():
    """As does one of a single cluster; of a hundred clusters a hundredth is common at least."""
    block, zone, everywhere = Neighbours(np.array([0.4, 0.0, 0.0, 0.0]), np.array([0.0, 1, 100, 9, 0, 0])).shared()
    np.testing.assert_allclose(zone[:4], [1.0, 1.0, 0.01 / 0.4, 1 / 9 / 0.4])
    assert (block >= zone).all() and everywhere == pytest.approx(1 / 110 / 0.4)


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_variance_of_a_total_is_that_of_all_pairs_of_cells(noise):
    rng = np.random.default_rng(3)
    model = replace(KNOWN, noise=noise, neighbours=Neighbours(np.array([0.5, 0.2, 0.1, 0.05]), np.full(6, 30.0)))
    scale = model.scale(predictions(9, 12))
    weight = rng.uniform(0.5, 2.0, (9, 12))
    where = Regions(np.array([0, 0, 0, 1, 1, 1, 2, 2, 5]), np.array([1, 1, 2, 2, 2, 3, 4, 4, 5]))
    weight[4] = 0.0
    months = np.arange(12)
    waves = rng.uniform(0, 1, 9)
    found = std_of_total(model, scale, weight, where, months, waves)
    block, zone, everywhere = model.neighbours.shared()
    together = np.full((9, 9), everywhere)
    for i in range(9):
        for j in range(9):
            if where.zone[i] == where.zone[j]:
                together[i, j] = block[where.zone[i]] if where.block[i] == where.block[j] else zone[where.zone[i]]
            if i == j:
                together[i, j] = 1.0
    weighted = loadings(scale, model.exchange) * weight[..., None]
    variance = 0.0
    for kind, share in ((1.0, waves), (0.0, 1 - waves)):
        own = weighted * np.sqrt(share)[:, None, None]
        correlation = model.cell.kernel.correlation(months, kind)
        variance = variance + np.einsum("itc,ij,cts,jsc->c", own, together, correlation, own)
    expected = model.std(np.sqrt(variance @ (signs(model.exchange).T ** 2)))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    scale[4] = np.nan
    np.testing.assert_allclose(std_of_total(model, scale, weight, where, months, waves), found, rtol=1e-12)


def test_a_cell_errs_less_than_a_tower_and_one_cell_alone_as_a_cell():
    model = replace(KNOWN, neighbours=Neighbours(np.array([0.36, 0.1, 0.0, 0.0]), np.full(6, 30.0)))
    scale = model.scale(predictions(2, 12))
    np.testing.assert_allclose(model.cell.scale_of_months(scale), 0.6 * scale, rtol=1e-9)
    here = Regions(np.zeros(1, int), np.zeros(1, int))
    one = std_of_total(model, scale[:1], np.full((1, 12), 1 / 12), here, np.arange(12), model.waves(scale[:1]))
    year = model.std(model.cell.scale_of_sum(scale[:1], np.full(12, 1 / 12)))[0]
    np.testing.assert_allclose(one, year, rtol=1e-6)


def test_places_have_climates_and_regions():
    np.testing.assert_array_equal(zone_codes(np.array(["C", "", "B"])), [2, 5, 1])
    near = blocks(np.array([41.0, 44.0, 52.0]), np.array([-5.0, -1.0, -1.0]))
    assert near[0] == near[1] != near[2]
