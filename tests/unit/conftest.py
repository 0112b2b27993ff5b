"""The invented canonical set and the stages trained on it, for all tests of training and methods."""

from tiny_canonical import canonical, run

__all__ = ["canonical", "run"]
