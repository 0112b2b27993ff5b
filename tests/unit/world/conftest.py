"""A small world, built once for all tests of its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dere.config.world import WorldConfig
from dere.world.build import build_world

SMALL = WorldConfig(
    grid_degrees=15.0, years=3, towers=12, virtual_towers=15, ages=(1, 20, 60, 120), seed=3, start_year=2001
)


@pytest.fixture(scope="session")
def small_config() -> WorldConfig:
    return SMALL


@pytest.fixture(scope="session")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "raw"
    build_world(SMALL, folder)
    return folder
