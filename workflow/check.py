"""Preflight of `make check`: says in plain sentences what is at hand and what is missing. Needs no package."""

import argparse
import os
import shutil
import sys
from pathlib import Path

OLDEST = (3, 11)
DISK_GB = {"any": 6, "cpu": 3}
"""The environment needs about 2 GB with a CPU build of torch, more with a CUDA build; a run about 0.5 GB."""


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
    need = DISK_GB["cpu"] if Path(".venv/.runtime").exists() else DISK_GB["any"]
    return f"{free:.1f} GB are free here, about {need} GB are needed; free some" if free < need else None


def inputs(folder: str | None) -> str | None:
    """Return a problem with the real data, or None; the built-in world needs no input."""
    if folder is None:
        return None
    found = list(Path(folder).glob("fluxnet2015-monthly/*_MM.csv*"))
    if found:
        return None
    return f"{folder} holds no fluxnet2015-monthly/*_MM.csv files; set DERE_REALDATA to the folder that does"


def downloads(folder: Path) -> list[str]:
    """Return one line per published data set that has files in the folder of downloads, and one for the others."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
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
    return [*lines, f"Not in {folder}: {', '.join(absent)}; make download SOURCE=<name> fetches one or says how."]


def gpu() -> bool:
    """Tell whether an NVIDIA GPU is visible."""
    return shutil.which("nvidia-smi") is not None


def main() -> int:
    """Write the findings; return 1 when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--realdata", help="folder of real tower data, as for make towers")
    parser.add_argument("--downloads", default="data", type=Path, help="folder of downloads (downloads.folder)")
    parser.add_argument("--only-downloads", action="store_true", help="list the downloads and nothing else")
    arguments = parser.parse_args()
    realdata = arguments.realdata
    if arguments.only_downloads:
        sys.stdout.write("\n".join(downloads(arguments.downloads)) + "\n")
        return 0
    problems = [problem for problem in (python_version(), tools(), disk(), inputs(realdata)) if problem]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    installed = "is installed" if Path(".venv/.runtime").exists() else "will be installed first (1 to 3 minutes)"
    lines = [
        f"{cores} cores, {'a GPU' if gpu() else 'no GPU: trainings run on the CPU, side by side'}.",
        f"The environment {installed}.",
        f"make demo takes about {max(3, round(10 / min(cores, 4)))} minutes after that; it needs no input files.",
    ]
    if realdata and not problems:
        count = len(list(Path(realdata).glob("fluxnet2015-monthly/*_MM.csv*")))
        lines.append(f"make towers finds {count} tower files; the run takes 35 minutes to an hour on 2 cores.")
    elif not realdata:
        lines.append("make towers needs real data: set DERE_REALDATA to the folder that holds fluxnet2015-monthly.")
    if python_version() is None:
        lines += downloads(arguments.downloads)
    lines += [f"Problem: {problem}." for problem in problems] or ["Nothing is missing."]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
