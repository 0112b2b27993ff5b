"""The pipeline on a real SLURM, one node on this machine, with the profile that users start from.

It needs the programs of SLURM (see the fixture) and the plugin, snakemake-executor-plugin-slurm with its -jobstep, in
the environment or in a folder of ``PYTHONPATH`` (``pip install --no-deps --target FOLDER ...``).
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from slurm_cluster import cluster, missing

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from differences import compare, files_of, kind_of

PLUGIN = importlib.util.find_spec("snakemake_executor_plugin_slurm")
LACKING = [*missing(), *([] if PLUGIN else ["snakemake-executor-plugin-slurm"])]
ONE_BACKBONE = {"backbones": ["transformer"]}
HANDED_ON = "HANDED_ON"
"""Environment variable of the head process that its jobs are to find."""
CANCELLED = "rule_train_pure_wildcards_transformer_0_0"
"""What SLURM is told of the job that is cancelled with scancel."""
KILLED = "rule_baseline_predict_baseline_train_baseline"
"""What it is told of the job, a group, in which the training is killed."""
PATIENCE = 3600
pytestmark = [
    pytest.mark.slurm,
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"this machine lacks {', '.join(LACKING)}"),
]


def processes_of(number, script):
    """Return number and environment of the processes that run a script in a job of SLURM."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if f"SLURM_JOB_ID={number}".encode() in environment and any(w.endswith(script.encode()) for w in words):
                found[int(folder.name)] = environment
    return found


def stop_two(slurm, head):
    """Cancel one job and kill the process of another once they run; return number and environment of both."""
    stopped = {}
    end = time.monotonic() + PATIENCE
    while len(stopped) < 2 and head.poll() is None and time.monotonic() < end:
        for number, (state, comment) in slurm.jobs().items():
            ours = processes_of(number, ".train.py") if state == "RUNNING" and comment in {CANCELLED, KILLED} else {}
            for process, environment in ours.items():
                if comment not in stopped:
                    slurm.call("scancel", number) if comment == CANCELLED else os.kill(process, signal.SIGKILL)
                    stopped[comment] = number, environment
        time.sleep(0.1)
    return stopped


def test_a_run_on_slurm_with_a_job_cancelled_and_one_killed_makes_the_same_files(fresh, warm, tmp_path_factory):
    folder = tmp_path_factory.mktemp("slurm")
    fresh.configured("one.yaml", ONE_BACKBONE)
    local = type(fresh)(Path(shutil.copytree(fresh.folder, folder / "local")))
    local.finish(warm, "one.yaml")
    with cluster(folder / "cluster") as slurm, (folder / "head.log").open("w") as said:
        environment = {
            **os.environ,
            **slurm.environment,
            "PYTHONPATH": str(Path(PLUGIN.origin).parents[1]),
            "OMP_NUM_THREADS": "1",
            HANDED_ON: "to the jobs",
        }
        words = ["--workflow-profile", "profiles/slurm", "--configfile", "config/tiny.yaml", "one.yaml"]
        # the defaults are for clusters, whose file systems and controllers are slower than one machine
        words += ["--latency-wait", "5", "--slurm-init-seconds-before-status-checks", "2"]
        head = subprocess.Popen(
            [sys.executable, "-m", "snakemake", *words],
            cwd=fresh.folder,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            stopped = stop_two(slurm, head)
            status = head.wait(timeout=PATIENCE)
        finally:
            head.kill()
            head.wait()
        jobs = slurm.jobs()
    text = (folder / "head.log").read_text()
    assert status == 0, text[-6000:]
    assert set(stopped) == {CANCELLED, KILLED}
    for comment, state in ((CANCELLED, "CANCELLED"), (KILLED, "FAILED")):
        number, found = stopped[comment]
        assert f"{HANDED_ON}=to the jobs".encode() in found
        assert jobs[number][0] == state
        assert sorted(ended for ended, what in jobs.values() if what == comment) == sorted([state, "COMPLETED"])
    assert [ended for ended, _ in jobs.values()].count("COMPLETED") == len(jobs) - 2
    steps = int(re.search(r"(\d+) of \1 steps \(100%\) done", text)[1])
    assert len(jobs) - 2 < 0.7 * steps, "groups are submitted as one"
    ours, theirs = (checkout.folder / "results" / "tiny" for checkout in (fresh, local))
    differences, equal = compare(theirs, ours, {})
    assert differences == [] and all(equal.values())
    names = [name for name in files_of(ours) if kind_of(name)[1] is None]
    assert [name for name in names if (ours / name).read_bytes() != (theirs / name).read_bytes()] == []
