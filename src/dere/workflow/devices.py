"""Start a training once per granted device, and end it as a whole.

The job of the rule only waits: it starts the processes that train, writes their log lines into its own log, and ends
all of them when one fails. Each finds its place in the environment variables of ``torchrun``, so a script that calls
`on_devices` can also be started by ``torchrun`` itself.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from functools import partial
from logging.handlers import QueueHandler
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from dere.raised import raised_by_package
from dere.training.parallel import joined, started_by_torchrun
from dere.workflow.script import SENTENCES

log = logging.getLogger(__name__)

ON_CPU = "DERE_CPU_PROCESSES"
"""Environment variable: number of processes of a training on the CPU, where no GPU was granted."""

_BY_NAME: dict[str, type[Exception]] = {error.__name__: error for error in SENTENCES}


def processes(gpu: int) -> int:
    """Number of processes for a rule's ``gpu`` resource; missing devices are said, not hidden.

    Raises
    ------
    ValueError
        When the environment variable ``DERE_CPU_PROCESSES`` is no positive number.
    """
    visible = torch.cuda.device_count() if gpu > 0 else 0
    if visible:
        if visible < gpu:
            log.warning("gpu=%d was granted, but only %d CUDA devices are visible; training on these", gpu, visible)
        return min(gpu, visible)
    given = os.environ.get(ON_CPU, "1")
    if not given.isdigit() or int(given) < 1:
        raise ValueError(f"{ON_CPU}={given!r} is no number of processes; give 1 or more, or unset it")
    return int(given)


def on_devices(train: Callable[..., None], *arguments: Any, gpu: int, **options: Any) -> None:
    """Call ``train(*arguments, **options)`` in as many processes as devices were granted.

    With one device it runs in this process. In a process started by ``torchrun`` it joins the others of its group.

    Parameters
    ----------
    train
        Training function of a stage, importable by its name.
    gpu
        The rule's ``gpu`` resource.

    Raises
    ------
    ValueError, FileNotFoundError, FloatingPointError
        The sentence of the process that failed.
    ChildProcessError
        When a process was killed.
    RuntimeError
        When a process failed for another reason.
    """
    job = partial(train, *arguments, **options)
    if started_by_torchrun():
        with joined(gpu):
            job()
        return
    count = processes(gpu)
    if count == 1:
        job()
        return
    log.info("training in %d processes", count)
    with tempfile.TemporaryDirectory(prefix="dere-") as folder:
        _supervise(job, count, gpu, Path(folder))


def _supervise(job: Callable[[], None], count: int, gpu: int, folder: Path) -> None:
    """Run ``job`` in ``count`` processes that meet in ``folder``; none survives this call."""
    started: dict[Connection, subprocess.Popen[bytes]] = {}
    try:
        for rank in range(count):
            ours, theirs = Pipe()
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "dere.workflow.devices", str(theirs.fileno())],
                    env=os.environ
                    | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
                    | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)},
                    pass_fds=[theirs.fileno()],
                    # Ctrl-C reaches the job alone, which ends them
                    process_group=0,
                )
            started[ours] = process
            ours.send((job, gpu, folder))
        _listen(started)
    finally:
        for connection, process in started.items():
            process.kill()
            process.wait()
            connection.close()


def _listen(started: dict[Connection, subprocess.Popen[bytes]]) -> None:
    """Handle what the processes send until all have ended; raise what the first failing one reports."""
    open_ones = set(started)
    while open_ones:
        for connection in wait(list(open_ones)):
            assert isinstance(connection, Connection)
            try:
                message = connection.recv()
            except (EOFError, ConnectionResetError):
                open_ones.remove(connection)
                started[connection].wait()
                _say_if_killed(list(started.values()))
                continue
            if isinstance(message, logging.LogRecord):
                logging.getLogger(message.name).handle(message)
                continue
            # the others of a killed process report a lost connection, which explains nothing
            _say_if_killed(list(started.values()))
            kind, sentence = message
            raise _BY_NAME.get(kind, RuntimeError)(sentence)


def _say_if_killed(processes: list[subprocess.Popen[bytes]]) -> None:
    for number, process in enumerate(processes, 1):
        status = process.poll()
        if status:
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            raise ChildProcessError(
                f"process {number} of {len(processes)} of this training {how}; where it was memory, ask for more "
                "(--set-resources RULE:mem_mb=...); started again, it goes on after its last complete epoch"
            )


class _Forward(QueueHandler):
    """Sends log records to the job: all of the first process, errors of the others, which say the same otherwise."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)  # type: ignore[arg-type]
        self.setLevel(logging.INFO if os.environ["RANK"] == "0" else logging.ERROR)

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue.send(record)  # type: ignore[attr-defined]


def _end_with(connection: Connection) -> None:
    """End this process when the job is gone, even if that was killed."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


def _process(descriptor: int) -> None:
    """Body of one of the processes."""
    connection = Connection(descriptor)
    job, gpu, folder = connection.recv()
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    logging.captureWarnings(True)
    logging.getLogger().addHandler(_Forward(connection))
    logging.getLogger().setLevel(logging.INFO)
    try:
        with joined(gpu, folder / "rendezvous"):
            job()
    except Exception as error:
        kind = type(error).__name__
        own = kind in _BY_NAME and raised_by_package(error.__traceback__)
        connection.send((kind, str(error)) if own else ("", traceback.format_exc()))
        # no orderly end: the others may wait for this process, and it for them
        threading.Event().wait(10)
        os._exit(1)


if __name__ == "__main__":
    _process(int(sys.argv[1]))
