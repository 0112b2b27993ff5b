"""Towers, roles and truth for methods."""

from tower_fixtures import make_towers, members, towers, towers_and_members, truth

__all__ = ["make_towers", "members", "towers", "towers_and_members", "truth"]
