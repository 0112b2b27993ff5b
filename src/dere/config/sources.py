"""Configuration of the sources. No rule reads all of them, so each has a module of its own."""

from __future__ import annotations

from dere.config.base import Section
from dere.config.cover import CoverSource
from dere.config.methane import MethaneSource
from dere.config.simulation import SimulationSource
from dere.config.towers import TowerSource


class SourcesConfig(Section):
    """Simulation, plant types and stand ages, towers; simulated methane."""

    simulation: SimulationSource = SimulationSource()
    cover: CoverSource = CoverSource()
    towers: TowerSource = TowerSource()
    methane: MethaneSource = MethaneSource()
