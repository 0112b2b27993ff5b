"""Gridded CF products."""
