"""Which towers a method may learn from, and which it predicts."""

from __future__ import annotations

TRAINED = ("training", "validation")
"""Roles whose labels a method may use: without early stopping, or after it (``stages.*.refit``), validation trains."""
PREDICTED = ("test", "predict")
"""Roles whose predictions are judged."""
