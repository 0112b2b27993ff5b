"""Checkpoints: what goes in comes out, to the bit, or is refused in a sentence."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dere.exchange import Exchange, Flux
from dere.exchange.co2 import EXCHANGE
from dere.io import file_sha256, read_json
from dere.training import checkpoint, weights
from dere.training.fitted import Fitted
from dere.training.unfinished import discard

FACTS = {"fold": 0, "split": "abc", "params": {"backbone_name": "transformer", "stage": {"epochs": 2}}}
HISTORY = pd.DataFrame({"epoch": [0, 1], "validation_loss": [0.1 + 0.2, np.nan], "part": ["point", ""]})
ARRAYS = {
    "weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "view": np.arange(12.0).reshape(3, 4).T[::2],
    "text": np.frombuffer(b"tree\nversion=v4\n", np.uint8),
    "number": np.asarray(0.1),
    "nothing": np.empty((0, 3), np.float32),
    "half": np.array([1.0, np.nan, np.inf], np.float16),
}
N2O = Exchange(
    name="n2o",
    fluxes=(Flux("n2o", "nitrous oxide flux", "mgN m-2 d-1", "kg m-2 s-1", (-1.0, 20.0), (-5.0, 50.0)),),
    free=("n2o",),
    basis=("n2o",),
)


def network(seed: int) -> nn.ModuleList:
    """A network in which one layer stands in two places."""
    torch.manual_seed(seed)
    block = nn.Linear(3, 3)
    return nn.ModuleList([nn.Sequential(block, nn.Linear(3, 2)), nn.Sequential(block, nn.Linear(3, 1))])


def fitted(seed: int = 0, unseen: int | None = None) -> Fitted:
    two = None if unseen is None else weights.arrays_of(network(unseen).state_dict())
    return Fitted(weights.arrays_of(network(seed).state_dict()), {"fold": 0}, pd.DataFrame({"epoch": [0]}), two)


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape, name
        assert found[name].tobytes() == np.ascontiguousarray(value).tobytes(), name


@pytest.mark.parametrize(
    "unseen", [None, {name: value[::-1] if value.ndim else value for name, value in ARRAYS.items()}]
)
def test_both_sets_of_arrays_facts_and_history_come_back(unseen, tmp_path):
    checkpoint.save(tmp_path, Fitted(ARRAYS, FACTS, HISTORY, unseen), EXCHANGE)
    back = checkpoint.read(tmp_path, EXCHANGE, {"split": "abc", "fold": 0})
    assert_same(back.arrays, ARRAYS)
    assert (back.unseen is None) == (unseen is None)
    assert_same(back.chosen(unseen=False), ARRAYS)
    assert_same(back.chosen(unseen=True), unseen or ARRAYS)
    assert {name: back.facts[name] for name in FACTS} == FACTS
    assert back.facts["sha256"] == file_sha256(tmp_path / "model.safetensors") and back.facts["folder"] == str(tmp_path)
    pd.testing.assert_frame_equal(back.history.fillna({"part": ""}), HISTORY, check_exact=True)
    # what was read can be written again, to the same files
    checkpoint.save(tmp_path / "again", back, EXCHANGE)
    for name in ("model.safetensors", "history.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_reading_and_writing_need_no_torch():
    code = "import sys, dere.training.checkpoint, dere.workflow.train; print('torch' in sys.modules)"
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert found.stdout.strip() == "False", found.stderr


def test_a_layer_in_two_places_is_saved_and_stays_shared_after_loading(tmp_path):
    saved, loaded = network(0), network(1)
    checkpoint.save(tmp_path, fitted(), EXCHANGE)
    weights.load(loaded, checkpoint.read(tmp_path, EXCHANGE))
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name
    assert loaded[0][0].weight is loaded[1][0].weight


def test_arrays_of_a_network_are_copies():
    model = network(0)
    arrays = weights.arrays_of(model.state_dict())
    with torch.no_grad():
        model[0][0].weight.add_(1.0)
    assert not np.array_equal(arrays["0.0.weight"], model[0][0].weight.detach().numpy())


def test_validated_weights_lie_beside_those_of_the_refit(tmp_path):
    loaded = network(3)
    for unseen in (2, None):
        checkpoint.save(tmp_path, fitted(1, unseen), EXCHANGE)
        found = checkpoint.read(tmp_path, EXCHANGE)
        for validated, expected in ((False, network(1)), (True, network(unseen or 1))):
            weights.load(loaded, found, unseen=validated)
            assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), expected.parameters(), strict=True))


def test_weights_of_another_network_are_refused(tmp_path):
    checkpoint.save(tmp_path, fitted(), EXCHANGE)
    with pytest.raises(ValueError, match=rf"(?s){tmp_path}: weights do not fit the configured network .*; train again"):
        weights.load(nn.Linear(3, 3), checkpoint.read(tmp_path, EXCHANGE))


@pytest.mark.parametrize(
    ("exchange", "expect", "words"),
    [
        (EXCHANGE, {"fold": 1}, "'fold' of the checkpoint is 0, this run has 1; train the stage again"),
        (EXCHANGE, {"split": "abc"}, "'split' of the checkpoint is None, this run has 'abc'"),
        (N2O, {}, "'variables' of the checkpoint is"),
    ],
)
def test_a_checkpoint_of_another_run_or_exchange_is_refused(exchange, expect, words, tmp_path):
    checkpoint.save(tmp_path, fitted(), EXCHANGE)
    with pytest.raises(ValueError, match=words):
        checkpoint.read(tmp_path, exchange, expect)


@pytest.mark.parametrize("damage", ["cut short", "of another training"])
def test_damaged_or_exchanged_weights_are_refused_in_a_sentence(tmp_path, damage):
    checkpoint.save(tmp_path / "one", fitted(0), EXCHANGE)
    checkpoint.save(tmp_path / "two", fitted(1), EXCHANGE)
    model = tmp_path / "one" / "model.safetensors"
    content = model.read_bytes()[:-7] if damage == "cut short" else (tmp_path / "two" / model.name).read_bytes()
    model.write_bytes(content)
    with pytest.raises(ValueError, match=r"another checksum than manifest.json beside it; .* train the stage again"):
        checkpoint.read(tmp_path / "one", EXCHANGE, {"fold": 0})


def test_a_damaged_manifest_is_a_sentence(tmp_path):
    checkpoint.save(tmp_path, fitted(), EXCHANGE)
    assert read_json(tmp_path / "manifest.json")["fold"] == 0
    (tmp_path / "manifest.json").write_text('{"fold": ')
    with pytest.raises(ValueError, match=r"manifest\.json is no JSON"):
        checkpoint.read(tmp_path, EXCHANGE)


def test_what_was_needed_until_the_checkpoint_was_complete_is_discarded(tmp_path):
    for name in ("last0.pt", "last_refit.pt", "nan_batch.pt", "model.safetensors"):
        (tmp_path / name).touch()
    discard(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]
