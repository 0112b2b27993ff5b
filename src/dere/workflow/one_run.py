"""One `make` at a time per run, and the locks that a killed Snakemake left behind."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

UNSUPPORTED = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
"""What file systems without locks answer."""
SNAKEMAKE = ("snakemake", "snakemake.py")
"""How Snakemake is called in a list of processes: by itself, or by `dere.workflow.launch`."""


@contextmanager
def held(folder: Path, name: str, unlock: Callable[[], object]) -> Iterator[tuple[int, ...]]:
    """Hold the right to make ``name``; first free what a killed Snakemake left locked, where nothing else runs.

    The system drops these locks when the last process that holds them ends, however it ends; Snakemake's own locks
    are files, which outlive a ``kill -9``. Every make shares one lock of the folder, so that whoever gets it alone
    knows that no other make runs and that Snakemake's locks are nobody's.

    Parameters
    ----------
    folder
        Folder that holds ``.snakemake``.
    name
        What is made, the name of a run; other names may be made at the same time.
    unlock
        Called when locks of a Snakemake that is gone lie in the folder.

    Yields
    ------
    tuple of int
        File descriptors to hand to Snakemake, so that the right lives as long as it does.

    Raises
    ------
    ValueError
        When ``name`` is being made, or Snakemake was started here by other means and still runs.
    """
    state = folder / ".snakemake"
    state.mkdir(exist_ok=True)
    with (state / "make.lock").open("w") as everyone, (state / f"make.{name}.lock").open("w") as own:
        try:
            if locked(own.fileno(), fcntl.LOCK_EX):
                alone = locked(everyone.fileno(), fcntl.LOCK_EX)
            else:
                raise ValueError(
                    f"{folder.resolve()}: {name} is being made by another make; wait until it has ended, or stop it"
                )
            if alone and any((state / "locks").glob("*")):
                refuse_direct_runs(folder)
                log.info("An earlier run was killed; its locks are removed, and the run goes on where it stopped.")
                unlock()
            fcntl.flock(everyone, fcntl.LOCK_SH)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            log.warning("%s is on a file system without locks (%s); start only one make at a time", folder, error)
        yield everyone.fileno(), own.fileno()


def locked(descriptor: int, kind: int) -> bool:
    """Take a lock if it is free, and tell whether it was."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def refuse_direct_runs(folder: Path) -> None:
    """Stop when a Snakemake that no make holds the right for works in the folder: its locks are its own.

    Raises
    ------
    ValueError
        Names the process.
    """
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").resolve() == folder.resolve()
        except OSError:
            # ended meanwhile, or somebody else's
            continue
        runs = any(Path(os.fsdecode(word)).name in SNAKEMAKE for word in words)
        if here and runs and int(process.name) != os.getpid():
            raise ValueError(
                f"{folder.resolve()}: process {process.name} still runs Snakemake here; wait until it has ended, or "
                f"stop it (kill {process.name})"
            )


def nothing() -> None:
    """Do nothing."""


def call(
    command: list[str],
    descriptors: tuple[int, ...] = (),
    on_interrupt: Callable[[], object] = nothing,
    **options: Any,
) -> int:
    """Run a command to its end and return its status, whatever signals come meanwhile.

    Ctrl-C reaches the command by itself; it then ends its jobs in order, which must be waited for. ``on_interrupt`` is
    called on each.
    """
    # before the start, so that no Ctrl-C falls between: it would end this process and leave the command alone
    before = {signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: on_interrupt())}
    try:
        process = subprocess.Popen(command, pass_fds=descriptors, **options)
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - status if status < 0 else status
