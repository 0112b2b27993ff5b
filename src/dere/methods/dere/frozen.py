"""Frozen outputs of the pure stands, computed once per stage."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from dere.methods.dere.networks.dere import pure_outputs, weight_types
from dere.methods.dere.networks.pure import PureNetwork
from dere.training.on_disk import RowsOnDisk
from dere.training.windows import Windows

SHARE = 8
"""The outputs lie in memory where they take no more than this part of it."""


def weighted_pure(network: PureNetwork, windows: Windows, index: Tensor, device: str) -> Tensor:
    """Fraction-weighted pure outputs of cell windows.

    Parameters
    ----------
    network
        Trained pure network; it is evaluated, never changed.
    index
        Windows wanted.

    Returns
    -------
    Tensor
        (B, A, W, 7) scaled, weighted with the simulated fractions of each age.
    """
    drivers, static = (x.to(device) for x in windows.inputs(index))
    pure = pure_outputs(network, drivers, static, windows.before(index).to(device), windows.ages.to(device))
    _, fractions = windows.simulated_fractions(index)
    return weight_types(pure, fractions.repeat_interleave(12, dim=2).to(device)).cpu()


class FrozenOutputs:
    """`weighted_pure` of some windows: made in groups when a batch first asks for one of them, and kept.

    What is kept lies in memory where it fits, else in a file. Groups are the same whoever asks first, so that values do
    not depend on the order: rounding depends on what is computed together.

    Parameters
    ----------
    network, windows, device
        As for `weighted_pure`.
    index
        Windows that may be asked for.
    memory
        Bytes that the job may use; None = everything fits.
    scratch
        Folder for the file.
    size
        Windows of a group.
    """

    def __init__(
        self,
        network: PureNetwork,
        windows: Windows,
        index: Tensor,
        device: str,
        memory: int | None = None,
        scratch: Path = Path(),
        size: int = 16,
    ) -> None:
        self._make = lambda some: weighted_pure(network, windows, some, device)
        self._device = device.split(":")[0]
        self._groups = index.split(size)
        self._size = size
        self._made = [False] * len(self._groups)
        self._row = torch.full((len(windows),), -1)
        self._row[index] = torch.arange(len(index))
        shape = (len(index), len(windows.ages), windows.length, len(network.normaliser.free))
        whole = memory is None or torch.Size(shape).numel() * torch.float32.itemsize <= memory // SHARE
        self._file = None if whole else RowsOnDisk(shape, scratch)
        self._kept = torch.empty(shape) if self._file is None else torch.from_numpy(self._file.array)

    def __call__(self, index: Tensor) -> Tensor:
        """(B, A, W, 7) of windows ``index``."""
        rows = self._row[index]
        for number in torch.unique(rows // self._size).tolist():
            if not self._made[number]:
                self._keep(number)
        return self._kept[rows]

    def _keep(self, number: int) -> None:
        first = number * self._size
        # a batch may ask in the middle of a training step, whose settings are not those of what is frozen
        with torch.no_grad(), torch.autocast(self._device, enabled=False):
            values = self._make(self._groups[number])
        if self._file is None:
            self._kept[first : first + len(values)] = values
        else:
            self._file.write(first, values.numpy())
        self._made[number] = True
