"""Real data that come with the package, each folder with a README on source, licence and changes."""

from __future__ import annotations

from pathlib import Path

TOWERS = Path(__file__).parent / "towers"
"""Monthly FLUXNET2015 towers (``sources.towers.provider: bundled``)."""
