"""Sequence networks behind one encode/decode interface, and their registry."""
