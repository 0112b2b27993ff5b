"""The canonical set and its statistics in blocks of cells: identical to those made in memory."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import scale_simulation
from dere.blocks import BLOCK_SHARE
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise, write
from dere.harmonise.interim import Interim
from dere.harmonise.splits import roles
from dere.harmonise.stands import masked_stands, pure_samples
from dere.harmonise.statistics import member_spread, statistics
from dere.ingest.simulation.carbonglobe import read_simulation
from dere.io import read_netcdf, write_netcdf
from dere.variables import SATELLITE, STANDS

CELLS, YEARS, AGES = 60, 2, (1, 100)
SPLITS = SplitsConfig(folds=3, block_degrees=20)
SMALL = BLOCK_SHARE * 24 * 8 * 4 * 16
"""Memory at which drivers come in blocks of 16 cells, and states in smaller ones."""


@pytest.fixture(scope="module", params=["all stands", "mixture"])
def interim_files(request, tmp_path_factory):
    """Interim files of both driver sets, from a simulation with its own stands, and satellites, or mixtures only."""
    folder = tmp_path_factory.mktemp("simulation")
    stands = STANDS if request.param == "all stands" else ("mixture",)
    scale_simulation.write_simulation(folder, CELLS, YEARS, AGES, stands, degrees=6)
    seen = np.random.default_rng(0).uniform(0, 1, (2, CELLS, 12 * YEARS))
    seen[seen < 0.1] = np.nan
    for driver_set in ("monthly8", "carbonglobe136"):
        forcing, simulation = read_simulation(folder, driver_set)
        if request.param == "all stands":
            forcing = forcing.assign({n: (("cell", "time"), v) for n, v in zip(SATELLITE, seen, strict=True)})
        write_netcdf(forcing, folder / f"{driver_set}.nc")
        write_netcdf(simulation, folder / "simulation.nc", compress=False)
    return folder


def build(folder, driver_set, memory):
    interim = Interim(
        scale_simulation.towers(YEARS, CELLS, degrees=6),
        scale_simulation.cover(CELLS, AGES, degrees=6),
        read_netcdf(folder / f"{driver_set}.nc", memory=memory),
        read_netcdf(folder / "simulation.nc", memory=memory),
    )
    config = HarmoniseConfig(window=12, window_stride=12, driver_set=driver_set, dominance=0.8)
    return harmonise(interim, SimulationSource(), config, SPLITS)


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_blocks_and_memory_give_the_same_canonical_set(interim_files, tmp_path, driver_set):
    for name, memory in (("whole", None), ("blocks", SMALL)):
        result = build(interim_files, driver_set, memory)
        assert bool(result.simulation.chunks) == bool(result.drivers.chunks) == (memory is not None)
        write(result, tmp_path / name)
    for file in ("drivers", "simulation", "cover", "towers"):
        whole, blocks = (read_netcdf(tmp_path / name / f"{file}.nc") for name in ("whole", "blocks"))
        xr.testing.assert_identical(blocks, whole)
    for file in ("splits", "counts"):
        whole, blocks = (pd.read_csv(tmp_path / name / f"{file}.csv") for name in ("whole", "blocks"))
        pd.testing.assert_frame_equal(blocks, whole)

    def compute(memory):
        parts = (read_netcdf(tmp_path / "whole" / f"{n}.nc", memory=memory) for n in ("drivers", "simulation"))
        return statistics(*parts, result.towers, result.splits, 0, False, 0.5)

    assert compute(SMALL).identical(compute(None))


def test_pure_samples_do_not_depend_on_blocks(interim_files):
    whole = read_netcdf(interim_files / "simulation.nc").sel(stand=["mixture"])
    cut = whole.chunk(cell=7)
    xr.testing.assert_identical(pure_samples(cut, 0.8), pure_samples(whole, 0.8))
    first = masked_stands(cut, pure_samples(cut, 0.8))
    assert first["state"].chunks is not None
    xr.testing.assert_identical(first.compute(), masked_stands(whole, pure_samples(whole, 0.8)))


def test_statistics_read_the_blocks_of_training_cells_only(interim_files, tmp_path):
    """A block without a training cell may hold anything, even what cannot be read."""
    result = build(interim_files, "monthly8", None)
    table = roles(result.splits, 0)
    training = set(table[(table["kind"] == "cell") & (table["role"] == "training")]["id"])
    is_training = np.isin(result.drivers["cell"].values.astype(str), list(training))
    wanted = is_training.reshape(-1, 4).any(1)
    assert not wanted.all()

    def unreadable(block, block_info=None):
        assert wanted[block_info[0]["chunk-location"][0]], "a block without training cells was read"
        return block

    state = result.simulation["state"].chunk(cell=4)
    guarded = state.copy(data=state.data.map_blocks(unreadable, dtype=state.dtype, meta=np.empty((0,) * 5, "f4")))
    cut = result.simulation.assign(state=guarded)
    parts = (result.towers, result.splits, 0, False, 0.5)
    assert statistics(result.drivers, cut, *parts).identical(statistics(result.drivers, result.simulation, *parts))


def test_spread_survives_large_values_with_small_spread():
    """E[x2] - E[x]2 loses all digits here: 1e8 squared needs 53 bits, a spread of 1e-2 another 66."""
    rng = np.random.default_rng(0)
    values = 1e8 + 0.01 * rng.normal(size=(7, 500, 1))
    mean, std = member_spread(values).moments()
    exact = (values - 1e8).reshape(-1)
    np.testing.assert_allclose(mean - 1e8, exact.mean(), atol=1e-7)
    scale = 0.01 / 1e8
    assert scale < 1e-6, "below the relative floor on purpose: compare before the floor"
    spread = member_spread(values)
    total = (spread.squares + spread.count * (spread.mean - mean) ** 2).sum() / spread.count.sum()
    np.testing.assert_allclose(np.sqrt(total), exact.std(), rtol=1e-4)
    assert std[0] == mean[0]


def test_members_of_different_length_weigh_by_their_values():
    values = np.full((3, 10, 1), np.nan)
    values[0, :, 0], values[1, :2, 0] = np.arange(10.0), [100.0, 104.0]
    mean, std = member_spread(values).moments()
    known = values[np.isfinite(values)]
    np.testing.assert_allclose([mean[0], std[0]], [known.mean(), known.std()], rtol=1e-12)
    np.testing.assert_allclose(member_spread(values, np.array([1])).mean, [[102.0]])
