"""Checkpoints of networks in which one layer stands in several places."""

import pandas as pd
import torch
from torch import nn

from dere.training import checkpoint


def network(seed: int) -> nn.ModuleList:
    torch.manual_seed(seed)
    block = nn.Linear(3, 3)
    return nn.ModuleList([nn.Sequential(block, nn.Linear(3, 2)), nn.Sequential(block, nn.Linear(3, 1))])


def test_a_layer_in_two_places_is_saved_and_stays_shared_after_loading(tmp_path):
    saved, loaded = network(0), network(1)
    checkpoint.save(tmp_path, saved, {"fold": 0}, pd.DataFrame({"epoch": [0]}))
    checkpoint.load(tmp_path, loaded, {"fold": 0})
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert loaded[0][0].weight is loaded[1][0].weight
