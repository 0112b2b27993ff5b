"""``dere predict --grid`` on a copy of the finished run: its own cells get the bits of its products."""

import shutil

import numpy as np
import pandas as pd
import xarray as xr
from click.testing import CliRunner

from dere.cli import main

LEFT = ("data", "interim", "raw", "labels", "figures", "products", "logs", "benchmarks")


def test_cells_of_the_run_get_the_maps_and_totals_of_its_products(tiny, tmp_path):
    results = tiny.folder / "results" / "tiny"
    copied = tmp_path / "copied"
    shutil.copytree(results, copied, ignore=shutil.ignore_patterns(*LEFT))
    words = ["predict", str(copied), "--out", str(tmp_path / "maps")]
    for name in ("drivers.nc", "cover.nc"):
        words += ["--grid", str(results / "data" / name)]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    made = sorted(path.relative_to(results / "products") for path in (results / "products").rglob("*.nc"))
    assert len(made) == 6
    for path in made:
        with (
            xr.open_dataset(results / "products" / path, decode_times=False) as expected,
            xr.open_dataset(tmp_path / "maps" / path, decode_times=False) as found,
        ):
            assert set(found.variables) == set(expected.variables)
            assert found.attrs["invented_sources"] and "invented world" in found.attrs["source"]
            for name in expected.variables:
                np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=f"{path}: {name}")
    expected, found = (pd.read_csv(part / "totals.csv") for part in (results / "products", tmp_path / "maps"))
    pd.testing.assert_frame_equal(found, expected, rtol=1e-12)
    assert pd.read_csv(tmp_path / "maps" / "cells_not_predicted.csv").empty
    with xr.open_dataset(tmp_path / "maps" / "cells.nc") as file:
        assert f"{int((file['status'] == 1).sum())} predicted; written to" in shown.output

    again = CliRunner().invoke(main, words)
    assert again.exit_code == 1 and "is not empty" in again.output
    alone = CliRunner().invoke(main, [*words[:4], "--overwrite", *words[4:6]])
    assert alone.exit_code == 1 and "cells without plant_fraction" in alone.output
