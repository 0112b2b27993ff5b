"""What stands for a fold, seed or method in rows of no single one; a module apart, because many tables say it."""

from __future__ import annotations

from dere.config.reference_rows import REFERENCE

POOLED = "all"
"""Scores averaged over all folds or seeds, and all towers together."""
ENSEMBLE = "ensemble"
"""The mean prediction of all folds and seeds."""
OWN_CLIMATOLOGY = f"{REFERENCE}own_climatology"
"""Mean of the same calendar month in the tower's other years."""
OWN_LEVEL = f"{REFERENCE}level_corrected"
"""The best method, moved by the mean error of the tower's first twelve good months."""
