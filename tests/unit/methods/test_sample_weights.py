"""Weights of simulated series: what describes a series, how far it is from towers, and what a weight does."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dere.io import read_netcdf, write_netcdf
from dere.methods.single_network import SingleNetwork
from dere.methods.single_stages import simulated_loss
from dere.methods.transfers.sample_weights import Moments, effective_size, moments, weights_by
from dere.methods.transfers.weighted import sample_weights
from dere.training.membership import membership
from dere.training.simulation import MIXTURE_ALONE, load_cells
from small_networks import BLUEPRINT, shake
from stage_jobs import live_job, make_job

STD = np.array([2.0, 1.0])


def invented(places=5, time=40, seed=0):
    rng = np.random.default_rng(seed)
    month = np.broadcast_to((np.arange(time) + 3) % 12, (places, time))
    series = 3 + rng.normal(size=(places, 1, 2)) + np.cos(2 * np.pi * (month[..., None] - 6) / 12)
    return series + 0.2 * rng.normal(size=series.shape), rng.random(series.shape) < 0.7, month


def test_moments_are_a_fit_of_mean_and_first_harmonic_to_the_calendar_months():
    series, has, month = invented()
    static = np.zeros((5, 1))
    has[4, 4:, 1] = False
    found = moments(series, has, month, STD, static)
    for place in range(5):
        for flux in range(2):
            own = has[place, :, flux]
            months = sorted(set(month[place, own]))
            if len(months) < 6:
                assert np.isnan(found.level[place, flux]) and np.isnan(found.amplitude[place, flux])
                continue
            cycle = [series[place, own & (month[place] == m), flux].mean() for m in months]
            angle = 2 * np.pi * np.array(months) / 12
            level, cos, sin = np.linalg.lstsq(np.stack([angle * 0 + 1, np.cos(angle), np.sin(angle)], 1), cycle)[0]
            assert found.level[place, flux] == pytest.approx(np.arcsinh(level / (0.1 * STD[flux])))
            assert found.amplitude[place, flux] == pytest.approx(np.arcsinh(np.hypot(cos, sin) / (0.1 * STD[flux])))
            assert found.phase[place, flux] == pytest.approx(np.arctan2(sin, cos))
    assert np.isnan(found.level).sum() == 1


def of(level, amplitude=0.0, phase=0.0, static=0.0):
    shape = (1, 1)
    return Moments(*(np.full(shape, value) for value in (level, amplitude, phase, static)))


def joined(*parts):
    names = ("level", "amplitude", "phase", "static")
    return Moments(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def test_weights_are_means_over_towers_of_a_power_of_the_summed_distances():
    series = joined(of(0), of(1), of(0, 2), of(0, 0, np.pi), of(0, 0, 0, 3), of(1, 2, -np.pi / 2, 3))
    towers = joined(of(0), of(1, 2, np.pi, 3), of(np.nan, np.nan, np.nan))
    summed = [0, 1, 2, 2, 3, 7]
    alone = weights_by(series, towers, np.array([1.0, 0.0, 1.0]), 5.0)
    np.testing.assert_allclose(alone, [(1 + d) ** -5.0 for d in summed])
    # three quarters of a year are a quarter
    other = [8, 7, 6, 6, 5, 1]
    both = weights_by(series, towers, np.array([1.0, 3.0, 1.0]), 5.0)
    np.testing.assert_allclose(
        both, [((1 + a) ** -5.0 + 3 * (1 + b) ** -5.0) / 4 for a, b in zip(summed, other, strict=True)]
    )
    assert np.allclose(weights_by(series, towers, np.ones(3), 0.0), 1.0)
    with pytest.raises(ValueError, match="no tower that may be learned from has labels in 6 calendar months"):
        weights_by(series, towers, np.array([0.0, 0.0, 1.0]), 5.0)


def test_a_series_that_stands_twice_counts_as_one_of_weight_two():
    network = SingleNetwork(BLUEPRINT).eval()
    shake(network)
    g = torch.Generator().manual_seed(1)
    hidden, before, truth = (torch.rand(2, *shape, generator=g) for shape in ((24, 16), (1, 10), (1, 24, 10)))
    twice = [x[[0, 0, 1]] for x in (hidden, before, truth)]
    weighted = simulated_loss(network, hidden, before, truth, torch.tensor([[2.0], [1.0]]))
    doubled = simulated_loss(network, *twice)
    torch.testing.assert_close(weighted.numerator, doubled.numerator)
    torch.testing.assert_close(weighted.denominator, doubled.denominator)
    alike = simulated_loss(network, hidden, before, truth, torch.ones(2, 1))
    assert torch.equal(alike.mean, simulated_loss(network, hidden, before, truth).mean)
    assert not torch.allclose(alike.mean, weighted.mean)


def test_effective_size():
    assert effective_size(np.ones(7)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 0, 0])) == pytest.approx(1)
    assert effective_size(np.array([2.0, 1.0])) == pytest.approx(9 / 5)


def test_weights_have_mean_one_and_know_nothing_of_towers_that_a_member_or_the_fold_leaves_out(canonical, tmp_path):
    for members in (1, 2):
        job = replace(live_job(make_job("kgml_weighted", canonical, tmp_path, "lags")), members=members)
        cells = load_cells(job, MIXTURE_ALONE)
        before = sample_weights(job, cells)
        assert before.shape == (members, len(cells.windows), 3)
        np.testing.assert_allclose(before[:, cells.training.numpy()].mean((1, 2)), 1)
        sites = job.roles[job.roles["kind"] == "site"].set_index("id")
        if members == 1:
            unknown = sites["role"] != "training"
        else:
            unknown = ~sites["role"].isin(["training", "validation"]) | sites["cluster"].isin(
                membership(job.roles, 2, job.seed).left_out()[0]
            )
        for ids, changes in ((sites.index[unknown], False), (sites.index[~unknown], True)):
            towers = read_netcdf(canonical["towers"])
            towers["flux_value"] = towers["flux_value"] * np.where(towers["site"].isin(ids), 5.0, 1.0)[:, None, None]
            files = {**job.files, "towers": write_netcdf(towers, tmp_path / f"{members}{changes}.nc")}
            after = sample_weights(replace(job, files=files), cells)
            assert np.array_equal(after[0], before[0]) is not changes
