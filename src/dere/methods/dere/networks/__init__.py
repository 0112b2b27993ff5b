"""Heads, mixture, plant-type network and the DERE forward pass."""
