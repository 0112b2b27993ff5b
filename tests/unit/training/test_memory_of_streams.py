"""Simulations larger than what a process may allocate are trained on; held whole, they are not."""

import os
import subprocess
import sys
import textwrap

import pytest

SIZES, YEARS, AGES = (500, 1000, 2000), 10, (1, 20, 50, 100, 200, 300)
ROOM_MB, MEMORY_MB = 150, 80
"""What a process may allocate beyond its libraries, and what the rule states; the states of 2000 cells are 230 MB."""

STEP = """
    import resource, sys
    from dataclasses import replace
    from pathlib import Path
    import numpy, torch
    import dere.methods.dere.competition, dere.methods.dere.pure
    from dere.workflow.train import train
    from scale_canonical import write_canonical
    from stage_jobs import make_job, with_settings

    folder = Path(sys.argv[1])
    torch.set_num_threads(1)

    def trained(cells, files, memory):
        for stage in ("pure", "mixture"):
            job = make_job(stage, files, folder / str(cells), "lags", width=8)
            train(with_settings(replace(job, memory=memory), epochs=1, steps_per_epoch=2))

    def state(name):
        return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) * 1024

    # what is read for the first time, and never given back
    trained(0, write_canonical(folder / "data0", 20, {years}, {ages}), None)
    held = state("VmData")
    resource.setrlimit(resource.RLIMIT_DATA, (held + {room} * 1_000_000,) * 2)
    for cells in {sizes}:
        files = write_canonical(folder / f"data{{cells}}", cells, {years}, {ages})
        trained(cells, files, {memory} * 1_000_000)
        size = files["simulation"].stat().st_size
        print(cells, size // 1_000_000, (state("VmData") - held) // 1_000_000, state("VmHWM") // 1_000_000)
    try:
        trained("whole", files, None)
    except (MemoryError, OSError, RuntimeError):
        print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mapped memory on Linux only")
def test_memory_of_a_training_is_that_of_its_rule_whatever_the_number_of_cells(tmp_path):
    code = textwrap.dedent(STEP).format(sizes=SIZES, years=YEARS, ages=AGES, room=ROOM_MB, memory=MEMORY_MB)
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *rows, last = done.stdout.splitlines()
    print("cells, MB of states, MB allocated after it, peak resident MB:", *rows, sep="\n")
    assert [int(row.split()[0]) for row in rows] == list(SIZES) and last == "refused"
    assert int(rows[-1].split()[1]) > 1.5 * ROOM_MB
