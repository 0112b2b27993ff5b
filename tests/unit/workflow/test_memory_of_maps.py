"""Maps of more cells than a process may hold are predicted and given away; held whole, they are not."""

import os
import subprocess
import sys
import textwrap

import pytest

SIZES, YEARS, AGES = (400, 800, 1600), 6, (100,)
ROOM_MB = 40
"""What a process may allocate beyond its libraries. Means, spread and quantiles of 1600 cells are 20 MB, and held
several times where there are no blocks."""

STEP = """
    import resource, sys
    from pathlib import Path
    import dask.array, netCDF4, numpy, xarray
    from dere import cell_files
    from dere.config.products import ProductsConfig
    from dere.exchange.co2 import EXCHANGE
    from dere.intervals.stated import stated
    from dere.io import read_netcdf, write_netcdf
    from dere.products import grid_files
    from dere.products.attributes import Provenance
    from dere.products.map_blocks import blocks_of_runs
    from invented_errors import KNOWN
    from scale_canonical import write_canonical
    from stage_jobs import at_cells, prediction_job
    from dere.workflow.predict_cells import predict_cells

    folder = Path(sys.argv[1])
    # of 16 MB for each variable of an open file by default
    netCDF4.set_chunk_cache(1 << 18)
    sites = write_netcdf(xarray.Dataset(attrs=stated(KNOWN)), folder / "sites.nc")

    def state(name):
        return int(Path("/proc/self/status").read_text().split(name + ":")[1].split()[0]) * 1024

    def mapped(cells, block):
        cell_files.BLOCK, cell_files.VALUES = block, 12 * 36 * 72
        files = write_canonical(folder / f"data{{cells}}", cells, {years}, {ages}, degrees=5.0)
        files = {{name: files[name] for name in ("drivers", "simulation", "cover", "splits")}} | {{"sites": sites}}
        output = folder / f"{{cells}}_{{block}}.nc"
        predict_cells(prediction_job("simulation", files, folder, output))
        run = read_netcdf(output, load=False)
        given = (read_netcdf(files[name], load=False) for name in ("cover", "drivers"))
        parts = blocks_of_runs({{"run": run}}, *given, folder / f"blocks{{cells}}_{{block}}", EXCHANGE)
        maps = folder / f"maps{{cells}}_{{block}}"
        grid_files.write_maps(parts, maps, ProductsConfig(), Provenance(), EXCHANGE)

    mapped(210, 200)
    held = state("VmData")
    resource.setrlimit(resource.RLIMIT_DATA, (held + {room} * 1_000_000,) * 2)
    for cells in {sizes}:
        mapped(cells, 200)
        print(cells, (state("VmData") - held) // 1_000_000, state("VmHWM") // 1_000_000)
    try:
        mapped(cells, cells)
    except (MemoryError, OSError, RuntimeError):
        print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA counts mapped memory on Linux only")
def test_memory_of_maps_is_that_of_a_block_whatever_the_number_of_cells(tmp_path):
    code = textwrap.dedent(STEP).format(sizes=SIZES, years=YEARS, ages=AGES, room=ROOM_MB)
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    *rows, last = done.stdout.splitlines()
    print("cells, MB allocated after it, peak resident MB:", *rows, sep="\n")
    assert [int(row.split()[0]) for row in rows] == list(SIZES) and last == "refused"
