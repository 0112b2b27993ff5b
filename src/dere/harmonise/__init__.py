"""Harmonise: common grid, time, units, labels, splits and statistics."""
