"""Real data and trained models that come with the package, each folder with a README on what and whose they are."""

from __future__ import annotations

from pathlib import Path

TOWERS = Path(__file__).parent / "towers"
"""Monthly FLUXNET2015 towers (``sources.towers.provider: bundled``)."""
METHANE = Path(__file__).parent / "methane"
"""Monthly methane towers of FLUXNET-CH4 (``sources.towers.paths``)."""
TRAINED = Path(__file__).parent / "trained"
"""Trained bundles, a folder each (``dere predict --trained``)."""
