"""Processes that run many cases each, within limits of memory and time; what kills one costs one case."""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NamedTuple

import fuzz_cases
from fuzz_readers import Reader

ROOM = 1 << 30
"""Bytes that a case may use beside what the process had before."""
IDLE = 12.0
"""Seconds without any CPU after which a process waits for what never comes."""
FORK = multiprocessing.get_context("fork")
"""Children have everything imported, so that a new one costs nothing."""


class Outcome(NamedTuple):
    """Verdict of a case, in words, and the CPU seconds it took."""

    number: int
    reader: str
    what: str
    word: str
    why: str
    cpu: float


class Worker:
    """A process that takes numbers of cases and gives outcomes.

    Parameters
    ----------
    seed, readers
        Of the cases.
    folder
        Where it writes the files of the case that it runs.
    seconds
        CPU seconds of a case.
    """

    def __init__(self, seed: int, readers: Sequence[Reader], folder: Path, seconds: float) -> None:
        self.folder, self.readers, self.seconds = folder, readers, seconds
        self.pipe, other = FORK.Pipe()
        self.number = -1
        self.process = FORK.Process(target=serve, args=(seed, readers, folder, seconds, other), daemon=True)
        self.process.start()
        other.close()

    def give(self, number: int) -> None:
        """Start a case."""
        self.number, self.moved = number, time.monotonic()
        self.before = self.spent = cpu_seconds(self.process.pid)
        self.pipe.send(number)

    def outcome(self) -> Outcome | None:
        """What came of the case; None while it runs. A process that died, is late or waits in vain is at its end."""
        if self.pipe.poll():
            with suppress(EOFError):
                found: Outcome = self.pipe.recv()
                return found
        spent, now = cpu_seconds(self.process.pid), time.monotonic()
        if spent > self.spent:
            self.spent, self.moved = spent, now
        why = ""
        if spent - self.before > self.seconds:
            why = f"more than {self.seconds:g} CPU seconds"
        elif now - self.moved > IDLE:
            why = f"it waits; no CPU in {IDLE:g} s"
        if self.process.is_alive() and not why:
            return None
        self.end()
        reader = self.readers[self.number % len(self.readers)].name
        plan = self.folder / "plan"
        what = plan.read_text() if plan.exists() else reader
        word, why = ("TIME", why) if why else ("DIED", f"the process ended with {self.process.exitcode}")
        return Outcome(self.number, reader, what, word, why, max(spent - self.before, 0.0))

    def end(self) -> None:
        """Stop the process."""
        self.process.kill()
        self.process.join()


def cpu_seconds(process: int | None) -> float:
    """CPU seconds that a process has used; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def serve(seed: int, readers: Sequence[Reader], folder: Path, seconds: float, pipe: Connection) -> None:
    """Run cases until the pipe is closed."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    limit = int(status["VmData"].split()[0]) * 1024 + ROOM
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    while True:
        number = pipe.recv()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        before = time.process_time()
        try:
            planned, verdict = fuzz_cases.drawn(seed, number, readers, folder)
            what, word, why = str(planned), *verdict
        except Exception:
            what, word, why = readers[number % len(readers)].name, "HARNESS", traceback.format_exc(limit=-4)
        spent = time.process_time() - before
        if spent > seconds:
            word, why = "TIME", f"{spent:.0f} CPU seconds ({word}: {why[:200]})"
        pipe.send(Outcome(number, readers[number % len(readers)].name, what, word, why, spent))


def run(
    seed: int,
    numbers: Sequence[int],
    readers: Sequence[Reader],
    scratch: Path,
    seconds: float,
    processes: int,
    kept: Callable[[Outcome, Path], None] | None,
) -> Iterator[Outcome]:
    """Yield the outcomes of cases as they come.

    Parameters
    ----------
    seed, numbers, readers
        Of the cases.
    scratch
        Folder for their files.
    seconds
        CPU seconds of a case.
    processes
        How many run side by side.
    kept
        Called with a bad outcome and the folder of its files, before these go.
    """
    left = list(reversed(numbers))
    workers: dict[int, Worker] = {}
    try:
        for place in range(min(processes, len(left))):
            workers[place] = Worker(seed, readers, scratch / f"worker{place}", seconds)
            workers[place].give(left.pop())
        while workers:
            wait([worker.pipe for worker in workers.values()], timeout=0.5)
            for place, worker in list(workers.items()):
                found = worker.outcome()
                if found is None:
                    continue
                if kept is not None and not found.word.startswith("OK_"):
                    kept(found, worker.folder / "input")
                yield found
                if left and not worker.process.is_alive():
                    workers[place] = worker = Worker(seed, readers, worker.folder, seconds)
                if left:
                    worker.give(left.pop())
                else:
                    workers.pop(place).end()
    finally:
        for worker in workers.values():
            worker.end()
