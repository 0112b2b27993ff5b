"""Configuration models, one module per sub-tree; the whole tree is composed in ``dere.run_config.root``.

This file imports nothing on purpose: a rule that reads one section must not depend on the code of the others.
"""
