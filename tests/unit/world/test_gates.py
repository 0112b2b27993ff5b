"""The gates of ``benchmarks/world_gates.py`` on a world of seed 0 with fewer years, ages and virtual towers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dere.config.world import WorldConfig
from dere.io import write_json
from dere.variables import PLANT_TYPES, TARGETS
from dere.world.build import build_world

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import world_gates


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gates") / "raw"
    build_world(WorldConfig(seed=0, years=5, ages=(5, 20, 60, 150), virtual_towers=80), folder)
    return folder


def test_the_simulation_is_neither_twin_nor_useless(raw):
    found = world_gates.simulation_gate(raw, world_gates.read_world(raw / "towers"))
    low, high = world_gates.GATE
    assert (low, high) == (0.2, 0.7)
    assert low <= found["towers, measured, gpp"] <= high
    assert low <= found["virtual_towers, truth, gpp"] <= high
    assert found["towers outside the grid's land"] == 0


def test_competition_is_a_tenth_of_the_mixture(raw):
    found = world_gates.competition_gate(raw)
    assert found["mixture gpp beyond the weighted sum"] > 0.1
    for flux in ("gpp", "reco", "nee"):
        assert 0.02 < found[f"mixture {flux} beyond the best sum"] < found[f"mixture {flux} beyond the weighted sum"]


@pytest.fixture
def invented(tmp_path):
    """Writes a simulation of one age whose mixture is made from the parts by ``mix``."""

    def write(mix) -> Path:
        folder = tmp_path / "simulation"
        rng = np.random.default_rng(0)
        shape = (7, 3, 12, len(TARGETS))
        share = rng.dirichlet(np.ones(3), (7, 3))
        pure = rng.normal(size=(3, *shape))
        write_json({"ages": [9]}, folder / "meta.json")
        np.save(folder / "glob_F009.npy", share)
        for stand, values in zip(PLANT_TYPES, pure, strict=True):
            np.save(folder / f"glob_Y_{stand}009.npy", values)
        parts = np.moveaxis(share, -1, 0)[..., None, None] * pure
        np.save(folder / "glob_Y009.npy", mix(parts, rng))
        return tmp_path

    return write


def test_competition_of_a_plain_sum_is_nil(invented):
    found = world_gates.competition_gate(invented(lambda parts, rng: parts.sum(0)))
    np.testing.assert_allclose(list(found.values()), 0, atol=1e-12)


def test_constant_factors_are_beyond_the_sum_but_not_beyond_the_best(invented):
    found = world_gates.competition_gate(
        invented(lambda parts, rng: 0.6 * parts[0] + 0.8 * parts[1] + 1.3 * parts[2] + 0.2)
    )
    for flux in ("gpp", "reco", "nee"):
        assert found[f"mixture {flux} beyond the weighted sum"] > 0.05
        assert found[f"mixture {flux} beyond the best sum"] < 1e-12


def test_independent_noise_is_its_share_of_the_variance(invented):
    def noisy(parts, rng):
        whole = parts.sum(0)
        return whole + 0.5 * whole.std() * rng.normal(size=whole.shape)

    found = world_gates.competition_gate(invented(noisy))
    for value in found.values():
        assert value == pytest.approx(0.2, abs=0.06)
