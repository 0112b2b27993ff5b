"""A copy of the repository in which the whole pipeline was run once at tiny size."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dere.workflow.loaded import CHECK

ROOT = Path(__file__).parents[2]
PARTS = ("Makefile", "Snakefile", "config.yaml", "config", "workflow", "src", "envs", "profiles")
FIRST = "tiny.log"
PROFILE = yaml.safe_load((ROOT / "profiles" / "default" / "profile.yaml").read_text())
COMPARED = ("rerun-triggers", "max-checksum-file-size")
"""What the profile says of reruns."""
OF_MAKE = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")
"""Variables by which make changes what a make below it says: ``make[1]: ***``, not ``make: ***``."""
WARM = ROOT / "tests" / "fixtures" / "warm_snakemake.py"


def words(value):
    """Return a value of the profile as words of the command line."""
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


@dataclass
class Checkout:
    """A folder with the workflow; ``snakemake`` and ``make`` run it.

    Every job that ``snakemake`` runs checks that the digest of its code covers the modules it loaded.
    """

    folder: Path
    warm: subprocess.Popen | None = None
    """Runs what only plans, where it is given: the fixture of that name."""

    def snakemake(self, *arguments, tiny=True, warm=None):
        """Call Snakemake and return the finished process; its output is in ``stdout``.

        ``warm`` is the process of the fixture of that name, in which libraries are loaded already.
        """
        overlay = ["--configfile", "config/tiny.yaml"] if tiny else []
        overlay += [word for word in arguments if word.endswith(".yaml")]
        rest = [word for word in arguments if not word.endswith(".yaml")]
        # Without a profile: its logger is for readers, the plain one states the reason of every job.
        compared = [word for key in COMPARED for word in (f"--{key}", *words(PROFILE[key]))]
        rest = [*compared, "--workflow-profile", "none", *rest]
        rest += ["--configfile", *[word for word in overlay if word != "--configfile"]] if overlay else []
        environment = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1", CHECK: str(self.folder / "modules")}
        if warm:
            return in_process(warm, self.folder, rest, environment)
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *rest],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **environment},
            check=False,
        )

    def make(self, *words, **environment):
        """Call make with this Python's environment in place of ``.venv``, as from a shell also below another make."""
        outside = {key: value for key, value in os.environ.items() if key not in OF_MAKE}
        command = ["make", "--no-print-directory", "-o", ".venv/.runtime", f"BIN={Path(sys.executable).parent}"]
        return subprocess.run(
            [*command, "CORES=2", "GPU=0", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**outside, "OMP_NUM_THREADS": "1", **environment},
            check=False,
        )

    def jobs(self, *arguments):
        """Return (rule name, backbone or nothing, reason) of each job that a dry run would run."""
        shown = self.snakemake(*arguments, "--dry-run", "--cores", "2", warm=self.warm)
        assert shown.returncode == 0, shown.stdout[-3000:]
        found = []
        for block in re.split(r"^(?=(?:local)?rule )", shown.stdout, flags=re.M)[1:]:
            name = re.match(r"(?:local)?rule (\w+):", block)[1]
            backbone = re.search(r"^    wildcards: .*backbone=(\w+)", block, re.M)
            reason = re.search(r"^    reason: (.*)$", block, re.M)
            found.append((name, backbone[1] if backbone else "", reason[1] if reason else ""))
        if not found:
            assert "Nothing to be done" in shown.stdout
        return found

    def pending(self, *arguments):
        """Return rule name to the set of reasons that a dry run states for its jobs."""
        found = {}
        for name, _, reason in self.jobs(*arguments):
            found.setdefault(name, set()).add(reason)
        return found

    def invalidated(self, *arguments, backbones=False):
        """Return the rules that run for a reason of their own, not because another rule runs before them.

        With ``backbones``, (rule, backbone) of each such job.
        """
        own = re.compile("Params have changed|Set of input files has changed|Updated input files|Missing output")
        jobs = [(name, backbone) for name, backbone, reason in self.jobs(*arguments) if own.search(reason)]
        return set(jobs) if backbones else {name for name, _ in jobs}

    def configured(self, name, tree):
        """Write an overlay and return its name."""
        (self.folder / name).write_text(yaml.safe_dump(tree))
        return name

    def restore(self, part):
        """Let a folder be that of the repository again."""
        shutil.rmtree(self.folder / part)
        shutil.copytree(ROOT / part, self.folder / part, ignore=shutil.ignore_patterns("__pycache__"))

    def finish(self, warm, *arguments, tiny=True):
        """Run to the end, without a GPU, and return what Snakemake says."""
        made = self.snakemake(*arguments, "--cores", "1", "--resources", "gpu=0", tiny=tiny, warm=warm)
        assert made.returncode == 0, made.stdout[-6000:]
        return made.stdout


def in_process(warm, folder, arguments, environment):
    """Let a warm process run Snakemake and return what a process of its own would."""
    said = folder / "warm.log"
    call = {"folder": str(folder), "arguments": arguments, "environment": environment, "output": str(said)}
    print(json.dumps(call), file=warm.stdin, flush=True)
    status = int(warm.stdout.readline())
    return subprocess.CompletedProcess(arguments, status, said.read_text())


@pytest.fixture(scope="session")
def warm():
    """Return a process that runs Snakemake with all libraries loaded."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": "", "OMP_NUM_THREADS": "1", "DERE_PRELOAD": "0"}
    with subprocess.Popen([sys.executable, str(WARM)], env=environment, **pipes) as process:
        yield process
        process.stdin.close()


def copied_to(folder):
    """Copy the repository without results."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return Checkout(folder)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Return a fresh copy without results; for dry runs."""
    return copied_to(tmp_path_factory.mktemp("checkout"))


@pytest.fixture
def fresh(tmp_path):
    """Return a copy without results that a test may change."""
    return copied_to(tmp_path)


@pytest.fixture(scope="session")
def spaced(tmp_path_factory):
    """Return a copy below a folder with a space, with its environment inside."""
    folder = tmp_path_factory.mktemp("a b") / "my checkout"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return copied_to(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory, worker_id, warm):
    """Return a copy of one complete run at tiny size on the CPU, two jobs at a time, which all workers share."""
    own = tmp_path_factory.getbasetemp()
    shared = (own if worker_id == "master" else own.parent) / "tiny"
    with open(f"{shared}.lock", "w") as lock:
        # freed by the system when a worker ends, whatever ends it
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / FIRST).exists():
            run_tiny(shared)
    folder = tmp_path_factory.mktemp("tiny") / "checkout"
    shutil.copytree(shared, folder)
    return Checkout(folder, warm)


def run_tiny(folder):
    """Run the whole pipeline; what it said is written last, so that only a finished run is taken for one."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir()
    made = copied_to(folder).snakemake("--cores", "2", "--resources", "gpu=0")
    assert made.returncode == 0, made.stdout[-6000:]
    (folder / FIRST).write_text(made.stdout)


@pytest.fixture(scope="module")
def continued(tiny, tmp_path_factory):
    """Return a copy of the finished run, to go on from; times of files are kept, so that nothing reruns by itself."""
    folder = tmp_path_factory.mktemp("continued") / "checkout"
    shutil.copytree(tiny.folder, folder)
    return Checkout(folder)
