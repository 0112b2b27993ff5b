"""Several processes train one network: each draws the same global batch and computes its own rows of it.

What is summed over the rows of a batch (numerators and denominators of masked means, gradients) is summed over the
processes too, so the course of a training does not depend on their number. Every process holds the whole network and
takes the same step; only the first one writes. Plain ``torch.distributed``: nccl between CUDA devices, gloo otherwise.

Dropout and other noise inside a network come from a stream per process, so with them the loss curves of different
numbers of processes agree in distribution only. The draws of batches agree always.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn


@dataclass(frozen=True)
class Team:
    """The processes of one training as seen by one of them; alone, every method leaves its arguments as they are.

    Parameters
    ----------
    rank
        Number of this process.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process is the one that writes files."""
        return self.rank == 0

    def share(self, batch: Any) -> Any:
        """Rows of a global batch that this process computes, see `share`."""
        return share(batch, self.rank, self.size) if self.size > 1 else batch

    def own(self, count: int) -> range:
        """Numbers of the validation batches, out of ``count``, that this process computes."""
        return range(self.rank, count, self.size)

    def total(self, *values: Tensor) -> tuple[Tensor, ...]:
        """Sums of ``values`` over the processes, without gradient, in one message."""
        if self.size == 1:
            return tuple(value.detach() for value in values)
        message = torch.cat([value.detach().double().flatten() for value in values])
        distributed.all_reduce(message)
        parts = message.split([value.numel() for value in values])
        return tuple(part.view_as(value).to(value.dtype) for part, value in zip(parts, values, strict=True))

    def smallest(self, number: int) -> int:
        """Smallest ``number`` of any process."""
        if self.size == 1:
            return number
        message = torch.tensor(number)
        distributed.all_reduce(message, distributed.ReduceOp.MIN)
        return int(message)

    def add_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace each gradient by its sum over the processes; None stays where no process has one."""
        if self.size == 1:
            return
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        there = torch.tensor([p.grad is not None for p in parameters]).to(parts[0])
        message = torch.cat([*(part.flatten() for part in parts), there])
        distributed.all_reduce(message)
        *sums, there = message.split([*(part.numel() for part in parts), len(parts)])
        for parameter, value, count in zip(parameters, sums, there.tolist(), strict=True):
            parameter.grad = value.view_as(parameter).to(parameter.dtype) if count else None

    def same_start(self, model: nn.Module) -> None:
        """Give every process the weights and buffers of the first."""
        if self.size > 1:
            for value in model.state_dict().values():
                distributed.broadcast(value, 0)

    def agree(self, content: Any) -> Any:
        """What the first process passes; tensors come on the CPU if they were there."""
        if self.size == 1:
            return content
        box = [content]
        distributed.broadcast_object_list(box, 0, device=torch.device("cpu"))
        return box[0]

    def seed_epoch(self, seed: int, epoch: int) -> None:
        """Start this process's own stream of dropout for an epoch.

        The first process keeps the stream it has, which is saved after every epoch; those of the others follow from
        seed, epoch and rank, so that a training goes on with any number of processes.
        """
        if not self.leads:
            torch.manual_seed(int(np.random.SeedSequence((seed, epoch, self.rank)).generate_state(1)[0]))


def team() -> Team:
    """The processes this one belongs to."""
    if distributed.is_available() and distributed.is_initialized():
        return Team(distributed.get_rank(), distributed.get_world_size())
    return Team()


def share(batch: Any, part: int, parts: int) -> Any:
    """Rows of a batch for one of several processes.

    Parameters
    ----------
    batch
        A tensor or array with rows along its first axis; a tuple, list or dataclass of such; or anything with a
        method ``share(part, parts)`` of its own, where not everything has rows or not along the first axis.
    part, parts
        Which of how many.

    Returns
    -------
    Any
        Of the same type. Together the parts are the batch; their numbers of rows differ by at most one.

    Raises
    ------
    ValueError
        When there are fewer rows than processes.
    """
    if isinstance(batch, Tensor):
        return batch[_rows(len(batch), part, parts)]
    if isinstance(batch, np.ndarray):
        return batch[_rows(len(batch), part, parts)]
    if hasattr(batch, "share"):
        return batch.share(part, parts)
    if isinstance(batch, list | tuple):
        return type(batch)(share(item, part, parts) for item in batch)
    if is_dataclass(batch) and not isinstance(batch, type):
        return replace(batch, **{f.name: share(getattr(batch, f.name), part, parts) for f in fields(batch)})
    raise TypeError(f"a batch of type {type(batch).__name__} has no rows to share; give it a method share(part, parts)")


def _rows(count: int, part: int, parts: int) -> slice:
    """Part ``part`` of ``count`` rows."""
    if count < parts:
        raise ValueError(
            f"a training batch has {count} rows, {parts} processes share it and each needs one; make the stage's batch "
            "larger or train on fewer devices"
        )
    return slice(count * part // parts, count * (part + 1) // parts)


def started_by_torchrun() -> bool:
    """Whether this process was started as one of several, by ``torchrun`` or in its way."""
    return "RANK" in os.environ and int(os.environ.get("WORLD_SIZE", 1)) > 1


def local_device() -> str:
    """CUDA device of this process: its own one in a team, the first visible one alone."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if team().size > 1 else "cuda"


@contextmanager
def joined(gpu: int, rendezvous: Path | None = None) -> Iterator[Team]:
    """Belong to the team that the environment names (``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK`` ... of torchrun).

    After an exception the group is left as it is, because an orderly end would wait for the others: end the process.

    Parameters
    ----------
    gpu
        0 = compute on the CPU, else on the CUDA device of number ``LOCAL_RANK`` where there is CUDA.
    rendezvous
        File, not yet there, in which processes of one machine find each other; without it they meet at the address
        that the environment names (``MASTER_ADDR``, ``MASTER_PORT``).

    Raises
    ------
    ValueError
        When more processes were started than CUDA devices are visible.
    """
    cuda = gpu > 0 and torch.cuda.is_available()
    number = int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    if cuda and number >= torch.cuda.device_count():
        raise ValueError(
            f"process {number + 1} of this node found {torch.cuda.device_count()} CUDA devices, one each is needed; "
            "start fewer processes"
        )
    if cuda:
        torch.cuda.set_device(number)
    os.environ["LOCAL_RANK"] = str(number)
    distributed.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo",
        init_method=f"file://{rendezvous.resolve()}" if rendezvous else "env://",
        rank=int(os.environ["RANK"]),
        world_size=int(os.environ["WORLD_SIZE"]),
    )
    yield team()
    team().smallest(0)  # nobody leaves while the first one still writes
    distributed.destroy_process_group()
