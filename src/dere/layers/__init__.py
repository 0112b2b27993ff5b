"""Blocks shared by the backbones and heads."""
