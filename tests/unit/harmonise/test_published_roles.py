"""The published split stored with the cells."""

import numpy as np

from dere.harmonise.splits import published_roles


def test_roles_become_the_folds_of_run_zero():
    assert published_roles(np.array(["train", "val", "test", "", "train"], object)).tolist() == [2, 1, 0, -1, 2]


def test_without_validation_cells_every_tenth_training_cell_validates():
    fold = published_roles(np.array(["train"] * 21 + ["test"]))
    assert np.flatnonzero(fold == 1).tolist() == [0, 10, 20] and (fold == 2).sum() == 18 and fold[-1] == 0
