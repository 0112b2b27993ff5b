"""What a job says of its own cost."""

import os
import subprocess
import sys
import time

import pandas as pd
import pytest

from dere.evaluation.cost import MEASURED
from dere.workflow.measured import MIB, cost, measured

BURN = "import time\nwhile time.process_time() < 1.0: pass"
FILL = "len(b'x' * (300 << 20))"


def clock():
    """Return the processor time of this process and its children as the kernel counts it in ticks."""
    return sum(os.times()[:4])


def test_processor_time_is_that_of_the_process_and_its_children():
    tick = 4 / os.sysconf("SC_CLK_TCK")
    before, own = cost()["cpu_seconds"], time.process_time()
    subprocess.run([sys.executable, "-c", BURN], check=True)
    own = time.process_time() - own
    least, after, most = clock(), cost()["cpu_seconds"], clock()
    assert after - before >= 1.0 + own
    assert least - tick <= after <= most + tick


def test_clock_and_memory_are_of_the_whole_life_of_the_process_and_its_children():
    """A process that does nothing for a while before it measures, started by one much larger than itself."""
    body = f"""
import subprocess, sys, time
time.sleep(0.5)
from dere.workflow.measured import cost
first = cost()
subprocess.run([sys.executable, "-c", {FILL!r}], check=True)
print(first["seconds"], first["max_rss_mb"], cost()["max_rss_mb"])
"""
    large = b"x" * (500 * MIB)
    command = [sys.executable, "-c", body]
    began = time.monotonic()
    said = subprocess.check_output(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, text=True)
    took = time.monotonic() - began
    seconds, alone, with_child = map(float, said.split())
    assert 0.5 <= seconds <= took
    assert 20 < alone < 300 <= with_child < 400 < len(large) / MIB


def test_what_a_job_cost_is_written_when_it_ends_well(tmp_path):
    path = tmp_path / "benchmarks" / "train_pure" / "seed0.csv"
    with pytest.raises(ValueError, match="wrong"), measured(path):
        raise ValueError("wrong")
    assert not path.exists()
    with measured(path):
        assert not path.exists()
    table = pd.read_csv(path)
    assert tuple(table.columns) == MEASURED and len(table) == 1 and bool((table > 0).all(axis=None))
