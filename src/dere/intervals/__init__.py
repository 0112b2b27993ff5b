"""Intervals from residuals at places that a model has not seen."""
