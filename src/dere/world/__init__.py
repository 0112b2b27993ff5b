"""The built-in world: a small planet whose truth is known, written as raw files in the real formats."""
