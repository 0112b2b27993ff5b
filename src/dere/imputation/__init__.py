"""Conditional diffusion that expands sparse tower labels, with uncertainty."""
