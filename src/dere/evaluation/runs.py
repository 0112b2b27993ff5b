"""What stands in place of a fold or seed in rows that join several; a module of its own, because many tables say it."""

from __future__ import annotations

POOLED = "all"
"""Scores averaged over all folds or seeds, and all towers together."""
ENSEMBLE = "ensemble"
"""The mean prediction of all folds and seeds."""
