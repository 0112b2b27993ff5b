"""The invented canonical set, a run that holds it and the stages trained on it, for all tests that train."""

from tiny_canonical import canonical, run
from tiny_run import invented

__all__ = ["canonical", "invented", "run"]
