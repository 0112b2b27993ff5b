"""What a terminal and a file show of a run that fails or is interrupted: the reason first, no stack frames."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time

import pytest

from dere.workflow.messages import AGAIN, GO_ON

SENTENCE = (
    "FLX_XX-Bad_FLUXNET2015_FULLSET_MM_2004-2004_1-1.csv holds 2004-01 to 2004-01, but its name promises the whole"
)
OF_SNAKEMAKE = ("Traceback", "RuleException", "CalledProcessError", "WorkflowError", 'File "', "Exiting because")


@pytest.fixture
def bad(checkout):
    """Return the name of an overlay whose only tower file is at fault; nothing of the built-in world is read."""
    folder = checkout.folder / "bad"
    folder.mkdir(exist_ok=True)
    name = "FLX_XX-Bad_FLUXNET2015_FULLSET_MM_2004-2004_1-1.csv"
    (folder / name).write_text("TIMESTAMP,TA_F,NEE_VUT_REF\n200401,1,2\n")
    sources = {"simulation": {"provider": "builtin"}, "cover": {"provider": "igbp"}, "towers": {"paths": ["bad"]}}
    return checkout.configured("bad.yaml", {"run": "bad", "world": None, "sources": sources})


def terminal(folder, *words, until=None):
    """Return status and output of ``dere run`` on a terminal; Ctrl-C is pressed when the file ``until`` exists."""
    head, tail = pty.openpty()
    fcntl.ioctl(tail, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "dere", "run", "--cores", "1", "--gpu", "0", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "TERM": "xterm"},
        stdin=tail,
        stdout=tail,
        stderr=tail,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(tail)
    os.set_blocking(head, False)
    shown, end = b"", time.monotonic() + 120
    while time.monotonic() < end:
        if until is not None and until.exists():
            os.write(head, b"\x03")
            until = None
        try:
            shown += os.read(head, 1 << 16)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            break
    os.close(head)
    return process.wait(10), shown.decode(errors="replace")


def lines_of(shown):
    """Return the lines of a terminal as (red, text), without those of the live table."""
    lines = [
        (("\x1b[31m" in line), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line)) for line in re.split(r"[\r\n]+", shown)
    ]
    return [(red, text) for red, text in lines if text.strip() and not re.match(r"[│╭╰]", text.strip())]


def test_without_a_terminal_the_reason_comes_first_and_last(checkout, bad):
    made = checkout.make("demo", f"CONFIG=config/tiny.yaml {bad}", "ARGS=--until ingest_towers")
    assert made.returncode != 0
    assert not [words for words in OF_SNAKEMAKE if words in made.stdout]
    assert "built-in world" not in made.stdout and "towers from bad." in made.stdout
    first = made.stdout.index(SENTENCE)
    after = made.stdout[first:].splitlines()
    assert after[1] == "    log: results/bad/logs/ingest_towers.log"
    last = [line for line in after if line.strip() and not line.startswith("make: ***")]
    assert last[-4] == "1 step failed:" and last[-3].strip().startswith(SENTENCE)
    assert last[-2:] == ["      log: results/bad/logs/ingest_towers.log", AGAIN]


def test_on_a_terminal_the_first_red_line_is_the_reason(checkout, bad):
    status, shown = terminal(checkout.folder, "config/tiny.yaml", bad, "--", "--until", "ingest_towers")
    lines = lines_of(shown)
    red = [text for is_red, text in lines if is_red]
    assert status == 1 and red[0].startswith(SENTENCE) and lines[-1] == (True, AGAIN)
    assert not [words for words in OF_SNAKEMAKE if words in shown]
    assert "Workflow Progress" in shown


def test_ctrl_c_says_that_the_run_goes_on_when_called_again(checkout):
    overlay = checkout.configured("cut.yaml", {"run": "cut"})
    begun = checkout.folder / "results" / "cut" / "logs" / "build_world.log"
    status, shown = terminal(checkout.folder, "config/tiny.yaml", overlay, "--", "--until", "build_world", until=begun)
    assert status == 130 and lines_of(shown)[-1] == (True, GO_ON)
    assert not [words for words in OF_SNAKEMAKE if words in shown] and "KeyboardInterrupt" not in shown
