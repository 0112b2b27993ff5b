"""One make at a time per run; only locks that are nobody's are removed."""

import os
import signal
import subprocess
import sys

import pytest

from dere.workflow.one_run import call, held


def left_over(folder):
    (folder / ".snakemake" / "locks").mkdir(parents=True, exist_ok=True)
    (folder / ".snakemake" / "locks" / "0.output.lock").write_text("a\n")


def test_locks_are_removed_only_where_some_lie(tmp_path):
    called = []
    with held(tmp_path, "demo", lambda: called.append("free")):
        pass
    left_over(tmp_path)
    assert not called
    with held(tmp_path, "demo", lambda: called.append("locked")):
        pass
    assert called == ["locked"]


def test_another_run_may_be_made_meanwhile_and_keeps_its_locks(tmp_path):
    called = []
    with held(tmp_path, "demo", lambda: called.append("first")):
        left_over(tmp_path)
        with held(tmp_path, "towers", lambda: called.append("second")):
            pass
        raised = pytest.raises(ValueError, match="demo is being made by another make; wait")
        with raised, held(tmp_path, "demo", lambda: called.append("third")):
            pass
    assert not called


def test_the_right_lives_as_long_as_what_was_started(tmp_path):
    with held(tmp_path, "demo", lambda: None) as descriptors:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=descriptors)
    with pytest.raises(ValueError, match="being made"), held(tmp_path, "demo", lambda: None):
        pass
    child.communicate(b"\n")
    with held(tmp_path, "demo", lambda: None):
        pass


def test_locks_of_a_snakemake_that_runs_are_left_alone(tmp_path):
    left_over(tmp_path)
    command = [sys.executable, "-c", "print('ready', flush=True); input()", "snakemake"]
    child = subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # a process that is only starting has no command line yet, and no locks either
    assert child.stdout.readline() == b"ready\n"
    try:
        raised = pytest.raises(ValueError, match=f"process {child.pid} still runs Snakemake here")
        with raised, held(tmp_path, "demo", lambda: None):
            pass
    finally:
        child.communicate(b"\n")


def test_an_interrupted_command_is_waited_for(tmp_path):
    """Ctrl-C reaches the whole group: the command ends its work and its status counts."""
    work = "import signal, time, sys\nsignal.signal(signal.SIGINT, lambda *_: (time.sleep(1), sys.exit(7)))\n"
    work += "print('ready', flush=True)\nwhile True:\n    time.sleep(0.1)"
    source = f"import sys\nfrom dere.workflow.one_run import call\nsys.exit(call([sys.executable, '-c', {work!r}]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    outer = subprocess.Popen(
        [sys.executable, "-c", source], start_new_session=True, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert outer.stdout.readline() == "ready\n"
    os.killpg(outer.pid, signal.SIGINT)
    assert outer.wait(30) == 7


def test_the_status_of_a_killed_command_is_that_of_a_shell():
    assert call([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == 137
