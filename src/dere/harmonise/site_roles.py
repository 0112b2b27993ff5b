"""What a prediction at a site is worth: whether the model behind it has seen the labels there."""

from __future__ import annotations

CROSS_VALIDATED = "cross_validated"
"""A tower with labels, predicted by models of the fold that tests it."""
UNSEEN = "unseen"
"""A site without labels, or in no fold: no model has seen it."""
SEEN = "seen_in_training"
"""A tower whose labels the model used, to fit its weights or to choose among them: no measure of skill."""
OF_SPLIT = {"test": CROSS_VALIDATED, "predict": UNSEEN, "validation": SEEN, "training": SEEN, "unused": SEEN}
"""Role in a fold (`dere.harmonise.splits.roles`) to the role of the prediction there. A tower that a learning curve
leaves unused (``splits.training_towers``) is kept out of the scores like the training towers that it was drawn from."""
COORDINATE = "role"
"""Coordinate of prediction files over ``site``."""
LONG_NAME = "whether the model behind a prediction has seen the labels of the site"
