"""Where a month's label comes from: the flag ``origin`` of ``labels.nc``; imports no torch."""

ORIGINS = ("none", "observed", "imputed", "partly_observed")
"""Partly observed: NEE, with the rest imputed given it."""
NOTHING, OBSERVED, IMPUTED, PARTLY = range(len(ORIGINS))
