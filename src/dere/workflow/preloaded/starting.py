"""Start the server of a run, and let Snakemake start its client in place of the interpreter."""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SWITCH = "DERE_PRELOAD"
"""Environment variable; with 0, every job is a process of its own."""
WORTH = 8
"""Fewest jobs for which the libraries are loaded before."""
LIBRARIES = (
    *("numpy", "pandas", "xarray", "dask.array", "netCDF4", "scipy.optimize", "pydantic", "yaml"),
    *("pandera.pandas", "pandera.accessors.pandas_accessor", "pandera.strategies.pandas_strategies"),
    # the second by every optimiser of torch
    *("torch", "torch._dynamo", "safetensors.torch", "lightgbm", "matplotlib.pyplot"),
    *("snakemake.logging", "snakemake.iocontainers"),
)
"""What most jobs import, at once or on their way."""
SOCKET = "s"
THREADS = (
    *(f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")),
    "VECLIB_MAXIMUM_THREADS",
)
"""Variables by which Snakemake tells libraries how many threads a job has."""
ENDS_WITHIN = 10.0
"""Seconds that the server has to end."""
_NVIDIA = Path("/dev/nvidiactl")
_HERE = Path(__file__).parent


def worthwhile(jobs: int) -> bool:
    """Whether a run of so many jobs on this machine should have a server."""
    on = os.environ.get(SWITCH, "1") != "0"
    # on macOS a fork may not use what the libraries of the system have begun; beside CUDA it was not tried
    return on and jobs >= WORTH and sys.platform == "linux" and not _NVIDIA.exists()


def start(executable: str) -> str:
    """Start the server and return the command that takes the place of the interpreter in shell commands.

    The server ends when this process does, whatever ends it: it reads from a pipe that this process holds.

    Parameters
    ----------
    executable
        Path of the interpreter.
    """
    # no longer than the name of a socket may be, whatever the working directory is called; nobody else may enter
    folder = Path(tempfile.mkdtemp(prefix="dere"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    address = folder / SOCKET
    command = [executable, "-P", str(_HERE / "server.py"), str(address), *LIBRARIES]
    # jobs of more threads load their libraries themselves
    environment = os.environ | dict.fromkeys(THREADS, "1")
    pipe_end, held = os.pipe()
    os.set_inheritable(held, False)
    with open(pipe_end, "rb") as stream:
        server = subprocess.Popen(command, stdin=stream, stdout=subprocess.DEVNULL, env=environment)
    atexit.register(_end, server, held)
    words = [executable, "-I", "-S", str(_HERE / "client.py"), executable, str(address)]
    launcher = folder / "python"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
    launcher.chmod(0o700)
    return shlex.quote(str(launcher))


def _end(server: subprocess.Popen[bytes], held: int) -> None:
    os.close(held)
    try:
        server.wait(ENDS_WITHIN)
    except subprocess.TimeoutExpired:
        server.kill()
