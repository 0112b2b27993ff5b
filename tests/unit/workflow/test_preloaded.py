"""Scripts that a server runs in forks: what their client says and how it ends is what the interpreter would."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dere.workflow.preloaded import starting
from dere.workflow.preloaded.starting import THREADS, start, worthwhile

ONE_THREAD = dict.fromkeys(THREADS, "1")


@pytest.fixture(scope="module")
def launcher():
    """Command of the client of a server that has loaded one small module."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(starting, "LIBRARIES", ("colorsys", "no_such_library"))
        ends = []
        patched.setattr(starting.atexit, "register", lambda *call, **options: ends.append((call, options)))
        [path] = shlex.split(start(sys.executable))
        socket = Path(path).with_name(starting.SOCKET)
        while not socket.exists():
            time.sleep(0.01)
        yield path
        for (end, *arguments), options in reversed(ends):
            end(*arguments, **options)
    assert not socket.parent.exists()


def run(launcher, folder, source, **environment):
    (folder / "job.py").write_text(source)
    return subprocess.run(
        [launcher, "job.py"], cwd=folder, env=os.environ | ONE_THREAD | environment, capture_output=True, text=True
    )


def test_a_script_runs_in_a_fork_that_has_the_libraries(launcher, tmp_path):
    source = """
import os, sys
print("colorsys" in sys.modules, "dere" in sys.modules, os.getcwd(), sys.argv)
print(os.environ["MARK"], __name__, sys.path[0])
print(open("/proc/self/comm").read(), end="")
"""
    made = run(launcher, tmp_path, source, MARK="here")
    folder = os.path.realpath(tmp_path)
    assert made.stdout == f"True False {folder} ['job.py']\nhere __main__ {folder}\njob.py\n"
    assert (made.returncode, made.stderr) == (0, "")


@pytest.mark.parametrize(
    ("source", "status", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
        ("import atexit; atexit.register(print, 'bye')", 0, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL, ""),
    ],
)
def test_its_end_is_the_end_of_the_client(launcher, tmp_path, source, status, said):
    made = run(launcher, tmp_path, source)
    assert made.returncode == status and made.stderr.endswith(said)
    assert made.stdout == ("bye\n" if "bye" in source else "")


def test_another_number_of_threads_is_an_interpreter_of_its_own(launcher, tmp_path):
    made = run(launcher, tmp_path, "import sys; print('colorsys' in sys.modules)", OMP_NUM_THREADS="2")
    assert (made.stdout, made.returncode) == ("False\n", 0)


def test_what_a_fork_draws_is_its_own(launcher, tmp_path):
    (tmp_path / "own").mkdir()
    source = "import random, tempfile; print(random.random(), tempfile.gettempdir())"
    drawn = [run(launcher, tmp_path, source, TMPDIR=str(tmp_path / "own")).stdout.split() for _ in range(2)]
    assert drawn[0][0] != drawn[1][0] and drawn[0][1] == drawn[1][1] == str(tmp_path / "own")


def test_other_arguments_are_the_interpreters(launcher):
    assert subprocess.check_output([launcher, "-c", "print(7)"], text=True) == "7\n"


def test_without_a_server_the_script_runs_all_the_same(launcher, tmp_path):
    words = Path(launcher).read_text().replace(f"/{starting.SOCKET} ", "/gone ")
    other = tmp_path / "python"
    other.write_text(words)
    other.chmod(0o700)
    assert run(str(other), tmp_path, "print('alone')").stdout == "alone\n"


def gone(process):
    """Whether a process has ended within some seconds."""
    for _ in range(500):
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_a_script_ends_with_its_client(launcher, tmp_path):
    (tmp_path / "job.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    client = subprocess.Popen(
        [launcher, "job.py"], cwd=tmp_path, env=os.environ | ONE_THREAD, stdout=subprocess.PIPE, text=True
    )
    script = int(client.stdout.readline())
    client.kill()
    client.wait()
    assert gone(script)


def test_the_server_ends_with_the_process_that_started_it(tmp_path):
    source = f"""
import os, sys
sys.path.insert(0, {str(Path(starting.__file__).parents[3])!r})
from dere.workflow.preloaded import starting
starting.LIBRARIES = ()
print(starting.start(sys.executable), flush=True)
os.read(0, 1)
"""
    process = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    folder = Path(shlex.split(process.stdout.readline())[0]).parent
    while not (folder / starting.SOCKET).exists():
        time.sleep(0.01)
    process.kill()
    process.wait()
    for _ in range(500):
        if not folder.exists():
            return
        time.sleep(0.01)
    raise AssertionError("the server of a killed process goes on")


def test_few_jobs_load_their_libraries_themselves(monkeypatch):
    monkeypatch.setattr(starting.sys, "platform", "linux")
    monkeypatch.setattr(starting, "_NVIDIA", Path("/nowhere"))
    monkeypatch.delenv(starting.SWITCH, raising=False)
    assert worthwhile(starting.WORTH) and not worthwhile(starting.WORTH - 1)
    monkeypatch.setattr(starting, "_NVIDIA", Path("/"))
    assert not worthwhile(100)
    monkeypatch.setattr(starting, "_NVIDIA", Path("/nowhere"))
    monkeypatch.setenv(starting.SWITCH, "0")
    assert not worthwhile(100)
