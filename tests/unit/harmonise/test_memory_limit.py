"""A simulation larger than what a process may allocate goes through; held whole, it does not."""

import os
import subprocess
import sys
import textwrap

import pytest

import scale_simulation

CELLS, YEARS = 5000, 2
AGES = (1, 5, 10, 20, 30, 40, 50, 70, 100, 130, 160, 200, 250, 300, 350, 400, 450, 500)
ROOM_MB = 250
"""What a process may allocate beyond its libraries; the states of the four stands are 346 MB."""

STEP = """
    import logging, resource, sys
    from pathlib import Path
    import dask.array, netCDF4, numpy, pandera.pandas, scale_simulation, scipy.sparse, xarray
    from dere.config.harmonise import HarmoniseConfig
    from dere.config.simulation import SimulationSource
    from dere.config.splits import SplitsConfig
    from dere.config.windows import WindowConfig
    from dere.harmonise.build import harmonise, write
    from dere.harmonise.interim import Interim
    from dere.ingest.simulation.carbonglobe import read_simulation
    from dere.io import read_netcdf, write_netcdf
    from dere.workflow.statistics import write_statistics

    folder, memory, room = Path(sys.argv[1]), int(sys.argv[2]) or None, int(sys.argv[3])
    forcing, simulation = folder / "forcing.nc", folder / "interim.nc"
    cover = scale_simulation.cover({cells}, {ages})
    towers = scale_simulation.towers({years}, {cells})

    held = int(Path("/proc/self/status").read_text().split("VmData:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (held + room * 1_000_000,) * 2)

    if not simulation.exists():
        for dataset, path in zip(read_simulation(folder / "raw", "monthly8", memory), (forcing, simulation)):
            write_netcdf(dataset, path, compress=False)
    parts = (read_netcdf(path, memory=memory) for path in (forcing, simulation))
    config = HarmoniseConfig(window=12, window_stride=12, dominance=0.8)
    write(harmonise(Interim(towers, cover, *parts), SimulationSource(), config, SplitsConfig(folds=3)), folder / "data")
    files = {{name: folder / "data" / f"{{name}}.nc" for name in ("drivers", "simulation", "towers")}}
    files["splits"] = folder / "data" / "splits.csv"
    write_statistics(files, 0, folder / "data" / "fold0.nc", WindowConfig(), memory)
    print("done")
"""


def run(folder, memory_mb):
    code = textwrap.dedent(STEP).format(cells=CELLS, ages=AGES, years=YEARS)
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    arguments = [str(folder), str(memory_mb * 1_000_000), str(ROOM_MB)]
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mapped memory on Linux only")
def test_a_simulation_larger_than_memory_goes_through_in_blocks(tmp_path):
    scale_simulation.write_simulation(tmp_path / "raw", CELLS, YEARS, AGES)
    states = CELLS * 4 * len(AGES) * YEARS * 12 * 10 * 4
    assert states / 1e6 > 1.2 * ROOM_MB
    result = run(tmp_path, memory_mb=150)
    assert result.returncode == 0, result.stderr[-2000:]
    assert (tmp_path / "data" / "simulation.nc").stat().st_size > states
    whole = run(tmp_path, memory_mb=0)
    assert whole.returncode != 0 and "MemoryError" in whole.stderr, "the limit must matter"
