"""States on disk, the next batch announced, outputs kept in a file: the same values as everything in memory."""

import errno
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from dere.io import read_netcdf, write_netcdf
from dere.methods.dere import frozen
from dere.methods.dere.frozen import FrozenOutputs
from dere.training import on_disk
from dere.training.on_disk import RowsOnDisk, stacked_on_disk
from dere.training.simulation import drawer, reading_ahead, states_on_disk
from dere.training.windows import simulated_states
from dere.variables import TARGETS
from scale_canonical import write_canonical

CELLS, AGES = 20, (1, 50, 200)


def test_states_on_disk_are_those_of_the_file(tmp_path):
    path = write_canonical(tmp_path, CELLS, 2, AGES)["simulation"]
    whole = read_netcdf(path)
    for name in ("state", "initial_state"):
        whole[name].values[::3, 1, 2] = np.nan
    path = write_netcdf(whole, tmp_path / "gappy.nc", compress=False)
    for names in (["nee", "height"], list(TARGETS)):
        with read_netcdf(path, memory=48 * 3 * whole.nbytes // CELLS) as blocks:
            assert len(blocks["state"].chunksizes["cell"]) > 5
            found, ahead = states_on_disk(blocks.sel(stand=["GS", "mixture"]), names, tmp_path)
        ahead(torch.tensor([19, 0, 7, 7]))
        for one, other in zip(found, simulated_states(whole.sel(stand=["GS", "mixture"]), names), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
        assert not found.state.numpy().flags.owndata


def test_draws_are_the_same_and_the_next_one_is_announced():
    announced = []
    place = torch.arange(CELLS).repeat_interleave(2)
    windows = SimpleNamespace(ahead=lambda places: announced.append(places.tolist()), place=place)
    plain = drawer(torch.arange(len(place)), 4, len(AGES), 2)
    ahead = reading_ahead(plain, windows)
    first, second = (torch.Generator().manual_seed(3) for _ in range(2))
    drawn = []
    for _ in range(5):
        expected, batch = plain(first), ahead(second)
        assert torch.equal(batch.windows, expected.windows) and torch.equal(batch.ages, expected.ages)
        assert torch.equal(first.get_state(), second.get_state())
        drawn.append(place[batch.windows].tolist())
    assert announced[:-1] == drawn[1:]
    assert reading_ahead(plain, SimpleNamespace(ahead=None)) is plain


def test_rows_on_disk_come_back_and_leave_no_file(tmp_path):
    values = np.random.default_rng(0).normal(size=(7, 3, 2)).astype("f4")
    found = stacked_on_disk((values[i : i + 3] for i in range(0, 7, 3)), 7, tmp_path / "new").array
    np.testing.assert_array_equal(found, values)
    assert not list((tmp_path / "new").iterdir())
    rows = RowsOnDisk((7, 3, 2), tmp_path)
    rows.write(4, values[4:6])
    np.testing.assert_array_equal(rows.array[4:6], values[4:6])
    assert not rows.array[:4].any()


def test_a_full_disk_is_a_sentence(tmp_path, monkeypatch):
    rows = RowsOnDisk((7, 3), tmp_path)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(on_disk.os, "pwrite", full)
    with pytest.raises(ValueError, match=f"temporary file in {tmp_path} cannot be written .*free space"):
        rows.write(0, np.zeros((1, 3), "f4"))


@pytest.mark.parametrize("memory", [None, 1])
def test_frozen_outputs_are_made_once_whoever_asks_first(memory, tmp_path, monkeypatch):
    asked = []

    def made(network, windows, index, device):
        asked.append(index.tolist())
        assert not torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
        return index[:, None, None, None].float().expand(-1, 2, 3, 4) + len(index)

    monkeypatch.setattr(frozen, "weighted_pure", made)
    windows = type("Some", (), {"ages": torch.arange(2), "length": 3, "__len__": lambda self: 12})()
    network = SimpleNamespace(normaliser=SimpleNamespace(free=range(4)))
    index = torch.tensor([11, 3, 5, 7, 2, 0, 9])
    outputs = FrozenOutputs(network, windows, index, "cpu", memory, tmp_path, size=3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = outputs(torch.tensor([9, 3, 9]))
    assert asked == [[11, 3, 5], [9]]
    assert found[:, 0, 0, 0].tolist() == [10, 6, 10] and found.shape == (3, 2, 3, 4)
    assert outputs(index)[:, 1, 2, 3].tolist() == [14, 6, 8, 10, 5, 3, 10]
    assert asked == [[11, 3, 5], [9], [7, 2, 0]]
