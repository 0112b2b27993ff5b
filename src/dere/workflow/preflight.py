"""What is at hand and what is missing, in plain sentences.

`make check` runs this file before anything is installed, with a Python that may be too old: it imports the standard
library alone, and says so instead of failing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
DISK_GB = {"any": 6, "cpu": 3}
"""The environment needs about 2 GB with a CPU build of torch, more with a CUDA build; a run about 0.5 GB."""
DOWNLOADS = "data"
"""Folder of downloads by default (``downloads.folder``)."""
STAMP = Path(".venv", ".runtime")
"""Written when the environment of a checkout is complete."""


def cores_here() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_here() -> bool:
    """Tell whether the machine has an NVIDIA GPU."""
    if shutil.which("nvidia-smi") is None:
        return False
    listed = subprocess.run(["nvidia-smi", "-L"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return b"GPU" in listed.stdout


def python_version() -> str | None:
    """Return a problem with the Python version, or None."""
    if tuple(sys.version_info) >= OLDEST:
        return None
    return f"Python is {sys.version.split()[0]}, 3.11 or later is needed; give one with make PYTHON=/path/to/python"


def tools() -> str | None:
    """Return a problem with programs on the path, or None."""
    missing = [name for name in ("make", "git") if shutil.which(name) is None]
    return f"{', '.join(missing)} cannot be found; install it with the system's package manager" if missing else None


def disk() -> str | None:
    """Return a problem with disk space, or None."""
    free = shutil.disk_usage(".").free / 1e9
    need = DISK_GB["cpu"] if STAMP.exists() else DISK_GB["any"]
    return f"{free:.1f} GB are free here, about {need} GB are needed; free some" if free < need else None


def tower_files(folder: str) -> list[Path]:
    """Return the FLUXNET2015 files that `make towers197` reads."""
    return list(Path(folder).glob("fluxnet2015-monthly/*_MM.csv*"))


def inputs(folder: str | None) -> str | None:
    """Return a problem with the real data, or None; `make demo` and `make towers` need no input."""
    if folder is None or tower_files(folder):
        return None
    return f"{folder} holds no fluxnet2015-monthly/*_MM.csv files; set DERE_REALDATA to the folder that does"


def downloads(folder: Path) -> list[str]:
    """Return one line per published data set that has files in the folder of downloads, and one for the others."""
    # only here: it is not written for an old Python
    from dere.download.catalogue import present, read_datasets

    lines, absent = [], []
    for row in read_datasets():
        files = present(folder / row.folder, [row])
        if not files:
            absent.append(f"{row.name} {row.version}")
            continue
        count = f"{len(files)} of {len(row.patterns)}" if row.service == "http" else str(len(files))
        size = sum(file.stat().st_size for file in files) / 1e9
        lines.append(f"Downloaded: {row.name} {row.version}, files: {count}, {size:.2f} GB in {folder / row.folder}.")
    return [
        *lines,
        f"Optional, none in {folder} yet: {', '.join(absent)}; make download SOURCE=<name> fetches one or says how.",
    ]


def of_checkout(realdata: str | None) -> tuple[list[str], list[str]]:
    """Return what make will do in the working directory, a checkout, and what is missing for it.

    Parameters
    ----------
    realdata
        Folder of real tower data as for `make towers197`, or None.
    """
    problems = [problem for problem in (tools(), disk(), inputs(realdata)) if problem]
    minutes = max(3, round(10 / min(cores_here(), 4)))
    installed = "is installed" if STAMP.exists() else "will be installed first (1 to 3 minutes)"
    lines = [
        f"The environment {installed}.",
        f"make demo takes about {minutes} minutes after that; it needs no input files.",
        "make towers reads the FLUXNET2015 towers of the package; the run takes 35 minutes to an hour on 2 cores.",
    ]
    if realdata is None:
        lines.append(
            "make towers197 needs more real data: set DERE_REALDATA to the folder that holds fluxnet2015-monthly and "
            "icos-warm-winter-2020."
        )
    elif not problems:
        count = len(tower_files(realdata))
        lines.append(f"make towers197 finds {count} tower files of FLUXNET2015.")
    return lines, problems


def machine() -> str:
    """Return what trainings will run on."""
    return f"{cores_here()} cores, {'a GPU' if gpu_here() else 'no GPU: trainings run on the CPU, side by side'}."


def verdict(problems: list[str]) -> list[str]:
    """Return the last lines: every problem, or that there is none."""
    return [f"Problem: {problem}." for problem in problems] or ["Nothing is missing."]


def main() -> int:
    """Write the findings in a checkout; return 1 when something is missing."""
    parser = argparse.ArgumentParser(description="What is at hand and what is missing.")
    parser.add_argument("--realdata", help="folder of real tower data, as for make towers197")
    parser.add_argument("--downloads", default=DOWNLOADS, type=Path, help="folder of downloads (downloads.folder)")
    parser.add_argument("--only-downloads", action="store_true", help="list the downloads and nothing else")
    arguments = parser.parse_args()
    if arguments.only_downloads:
        sys.stdout.write("\n".join(downloads(arguments.downloads)) + "\n")
        return 0
    lines, problems = of_checkout(arguments.realdata)
    if (old := python_version()) is None:
        lines += downloads(arguments.downloads)
    else:
        problems.insert(0, old)
    sys.stdout.write("\n".join([machine(), *lines, *verdict(problems)]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
