"""Metrics, groupings, skill tables and simple baselines."""
