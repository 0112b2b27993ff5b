"""How rows of tables that are of no method are called; apart, so that settings of the judge are no code of others."""

from __future__ import annotations

REFERENCE = "reference_"
"""Begins the names of rows that use the tested towers' own months (`dere.evaluation.own_months`); of no method."""
