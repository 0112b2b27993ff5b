"""Checkpoints of networks in which one layer stands in several places."""

import pandas as pd
import pytest
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


@pytest.mark.parametrize("damage", ["cut short", "of another training"])
def test_damaged_or_exchanged_weights_are_refused_in_a_sentence(tmp_path, damage):
    checkpoint.save(tmp_path / "one", network(0), {"fold": 0}, pd.DataFrame({"epoch": [0]}))
    checkpoint.save(tmp_path / "two", network(1), {"fold": 0}, pd.DataFrame({"epoch": [0]}))
    weights = tmp_path / "one" / "model.safetensors"
    content = weights.read_bytes()[:-7] if damage == "cut short" else (tmp_path / "two" / weights.name).read_bytes()
    weights.write_bytes(content)
    with pytest.raises(ValueError, match=r"another checksum than manifest.json beside it; .* train the stage again"):
        checkpoint.load(tmp_path / "one", network(0), {"fold": 0})


def test_a_damaged_manifest_is_a_sentence(tmp_path):
    checkpoint.save(tmp_path, network(0), {"fold": 0}, pd.DataFrame({"epoch": [0]}))
    (tmp_path / "manifest.json").write_text('{"fold": ')
    with pytest.raises(ValueError, match=r"manifest\.json is no JSON"):
        checkpoint.load(tmp_path, network(0))


def test_validated_weights_lie_beside_those_of_the_refit(tmp_path):
    final, before, loaded = network(1), network(2), network(3)
    checkpoint.save(tmp_path, final, {}, pd.DataFrame(), before.state_dict())
    for validated, expected in ((False, final), (True, before)):
        checkpoint.load(tmp_path, loaded, validated=validated)
        assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), expected.parameters(), strict=True))
    checkpoint.save(tmp_path, final, {}, pd.DataFrame())
    checkpoint.load(tmp_path, loaded, validated=True)
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), final.parameters(), strict=True))
