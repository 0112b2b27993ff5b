"""Load libraries, then run each script that a client hands over in a fork of this process.

Run by its path as ``server.py SOCKET LIBRARY...``, so that nothing of the package is loaded: a script loads the code of
its own checkout, and what it has loaded is what its digest covers. It ends with its standard input.
"""

import contextlib
import gc
import importlib
import json
import os
import random
import runpy
import select
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any

OF_LOADING = (
    *("OMP_", "MKL_", "OPENBLAS_", "GOTO_", "VECLIB_", "NUMEXPR_", "KMP_", "GOMP_"),
    *("PYTHON", "LD_", "MPL", "MALLOC_", "TORCH_", "CUDA_"),
)
"""Beginnings of environment variables that the interpreter or a library reads when it is loaded."""
STREAMS = 3
_LENGTH = 15
"""Characters of the name of a process."""


def load(libraries: list[str]) -> None:
    """Import the libraries; those that an environment lacks are left out."""
    for name in libraries:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # no fork then copies the memory of what was loaded by marking it
    gc.collect()
    gc.freeze()


def of_loading(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that loading depends on."""
    return {key: value for key, value in environment.items() if key.startswith(OF_LOADING)}


def received(connection: socket.socket) -> tuple[dict, list[int]]:
    """Return a call and the standard streams of its client."""
    head, streams, _, _ = socket.recv_fds(connection, 8, STREAMS)
    length, text = int.from_bytes(head, "big"), b""
    while len(text) < length:
        part = connection.recv(length - len(text))
        if not part:
            raise EOFError
        text += part
    return json.loads(text), streams


def become(call: dict, streams: list[int]) -> None:
    """Let this fork be what the interpreter would be for the script, and run it; errors are the interpreter's."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
        os.close(stream)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    # what an interpreter would find out or draw for itself
    tempfile.tempdir = None
    random.seed()
    script = call["arguments"][0]
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        # what top and ps call it
        name.write(os.path.basename(script)[-_LENGTH:])
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    runpy.run_path(script, run_name="__main__")


class Server:
    """Sockets of clients and the forks that run for them."""

    def __init__(self, address: str, loaded_with: dict[str, str]) -> None:
        self.loaded_with = loaded_with
        self.running: dict[int, socket.socket] = {}
        self.woken, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # under its name only once it listens
        self.listener.bind(f"{address}.new")
        self.listener.listen(128)
        os.rename(f"{address}.new", address)

    def serve(self) -> None:
        """Run scripts until standard input ends; then end those that still run."""
        while True:
            watched: list[Any] = [0, self.woken, self.listener, *self.running.values()]
            ready, _, _ = select.select(watched, [], [])
            if self.listener in ready:
                self.take()
            if self.woken in ready:
                os.read(self.woken, 4096)
                self.answer()
            for process, connection in list(self.running.items()):
                # a client says nothing more: it has ended
                if connection in ready:
                    os.kill(process, signal.SIGTERM)
                    self.running.pop(process).close()
            if 0 in ready:
                for process in self.running:
                    os.kill(process, signal.SIGTERM)
                return

    def take(self) -> None:
        """Accept a client and run its script in a fork."""
        connection, _ = self.listener.accept()
        try:
            call, streams = received(connection)
        except (EOFError, OSError, ValueError):
            connection.close()
            return
        if of_loading(call["environment"]) != self.loaded_with:
            for stream in streams:
                os.close(stream)
            with connection:
                connection.sendall(b"refused\n")
            return
        process = os.fork()
        if process == 0:
            self.listener.close()
            os.close(self.woken)
            for other in (connection, *self.running.values()):
                other.close()
            become(call, streams)
            sys.exit(0)
        for stream in streams:
            os.close(stream)
        self.running[process] = connection

    def answer(self) -> None:
        """Tell clients how their scripts have ended."""
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if process == 0:
                return
            if connection := self.running.pop(process, None):
                with connection, contextlib.suppress(OSError):
                    connection.sendall(f"{status}\n".encode())


if __name__ == "__main__":
    # of the scripts alone: this process ends with the one that started it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    own = os.getpid()
    # libraries set variables too
    before = of_loading(dict(os.environ))
    place, *libraries = sys.argv[1:]
    load(libraries)
    try:
        Server(place, before).serve()
    finally:
        # a fork has left by now, or is one of the scripts
        if os.getpid() == own:
            shutil.rmtree(os.path.dirname(place), ignore_errors=True)
