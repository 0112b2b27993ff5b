"""Pure samples of a simulation that has none everywhere: who is drawn, and that nothing else is learned from."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dere.exchange.co2 import EXCHANGE
from dere.io import read_json, read_netcdf, write_netcdf
from dere.methods.dere import pure, pure_samples
from dere.training.simulation import load_cells
from dere.variables import STANDS
from dere.workflow.train import train
from stage_jobs import HARMONISE, live_job, make_job, with_settings

WINDOW = HARMONISE["window"]


@pytest.fixture
def gappy(canonical, tmp_path):
    """The canonical files with single pure samples only: one stand by cell, three cells each, at the ages 0 and 2."""
    simulation = read_netcdf(canonical["simulation"])
    keep = np.zeros(simulation["state"].shape[:3], bool)
    for cell in range(len(keep)):
        keep[cell, cell // 3 % 3, [0, 2]] = True
    keep[:, STANDS.index("mixture")] = True
    for name in ("state", "initial_state"):
        values = simulation[name].values
        values[~keep] = np.nan
    path = write_netcdf(simulation, tmp_path / "simulation.nc", compress=False)
    return {**canonical, "simulation": path}


def windows_of(files):
    return load_cells(live_job(make_job("pure", files, Path()))).windows


def test_pairs_are_the_stands_that_were_simulated(gappy, canonical):
    windows = windows_of(gappy)
    assert pure_samples.has_gaps(windows) and not pure_samples.has_gaps(windows_of(canonical))
    index = torch.arange(len(windows))
    for branch in range(3):
        rows, ages = pure_samples.pure_pairs(windows, index, branch)
        expected = [
            (row, age) for row in range(len(windows)) for age in (0, 2) if int(windows.place[row]) // 3 % 3 == branch
        ]
        assert list(zip(rows.tolist(), ages.tolist(), strict=True)) == expected


def test_draws_and_validation_hold_pure_samples_only(gappy):
    windows = windows_of(gappy)
    index = torch.arange(len(windows))
    drawn = pure_samples.drawer(windows, index, 5)(torch.Generator().manual_seed(0))
    fixed = pure_samples.fixed_batches(windows, index, 3)
    for batch in [drawn, *fixed]:
        for branch, (rows, ages) in enumerate(batch):
            states = windows.simulation.state[windows.place[rows], branch, ages]
            assert bool(torch.isfinite(states).all())
    assert [len(rows) for rows, _ in drawn] == [5, 5, 5]
    total = sum(len(rows) for batch in fixed for rows, _ in batch)
    assert total == sum(len(pure_samples.pure_pairs(windows, index, branch)[0]) for branch in range(3))


def test_a_missing_stand_starts_from_the_mixture(gappy, canonical):
    windows, whole = windows_of(gappy), windows_of(canonical)
    index = torch.arange(len(windows))
    before, expected = windows.before(index), whole.before(index)
    mixture = STANDS.index("mixture")
    assert bool(torch.isfinite(before).all())
    for row in range(len(windows)):
        for branch in range(3):
            there = int(windows.place[row]) // 3 % 3 == branch
            assert torch.equal(before[row, branch, 0], expected[row, branch if there else mixture, 0])
            assert torch.equal(before[row, branch, 1], expected[row, mixture, 1])


def test_types_without_a_sample_are_refused(gappy):
    windows = windows_of(gappy)
    only = torch.from_numpy(np.flatnonzero(windows.place.numpy() // 3 % 3 == 0))
    with pytest.raises(ValueError, match="no training cell of this fold has a pure sample of NL"):
        pure_samples.drawer(windows, only, 2)
    with pytest.raises(ValueError, match="no validation cell of this fold has a pure sample"):
        pure_samples.fixed_batches(windows, only[:0], 2)


def test_loss_is_the_mean_over_samples_computed_one_by_one(gappy):
    windows = windows_of(gappy)

    class Network(torch.nn.Module):
        normaliser = SimpleNamespace(outputs=EXCHANGE.complete, target_std=torch.full((10,), 2.0))

        def encode(self, drivers, static):
            return drivers.mean((1, 2))

        def decode(self, memory, state, ages, branch):
            level = memory[:, None, None, None] + state[:, :, None, :7] * (branch + 1) + ages[..., None, None]
            return level.expand(-1, -1, WINDOW, -1).abs()

    batch = pure_samples.drawer(windows, torch.arange(len(windows)), 3)(torch.Generator().manual_seed(1))
    parts = pure.sample_loss(windows, "cpu")(Network(), batch)
    errors = []
    for branch, (rows, ages) in enumerate(batch):
        for row, age in zip(rows.tolist(), ages.tolist(), strict=True):
            one = [(torch.empty(0, dtype=torch.long),) * 2] * 3
            one[branch] = (torch.tensor([row]), torch.tensor([age]))
            single = pure.sample_loss(windows, "cpu")(Network(), one)
            errors.append(float(single.numerator / single.denominator))
    assert float(parts.numerator / parts.denominator) == pytest.approx(np.mean(errors), rel=1e-5)


def test_the_stage_trains_on_them(gappy, tmp_path):
    """The whole stage on a simulation with gaps: finite losses, a checkpoint."""
    job = with_settings(make_job("pure", gappy, tmp_path, width=8), epochs=1, steps_per_epoch=2, batch=2)
    train(job)
    assert np.isfinite(read_json(job.output / "manifest.json")["best_validation_loss"])
