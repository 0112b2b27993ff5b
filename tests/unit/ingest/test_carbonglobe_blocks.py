"""The CarbonGlobe layout read in blocks of cells: the same values, counts and faults as read whole."""

import numpy as np
import pytest
import xarray as xr

import scale_simulation
from dere.blocks import BLOCK_SHARE
from dere.ingest.simulation.carbonglobe import read_simulation
from dere.ingest.simulation.carbonglobe_states import find_states
from dere.io import read_netcdf, write_netcdf
from dere.variables import STANDS, TARGETS

AGES = (1, 100)
CELLS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulation")
    scale_simulation.write_simulation(path, CELLS, 2, AGES, STANDS, degrees=6)
    return path


def memory_for(rows, row_size):
    """Memory at which blocks have ``rows`` rows."""
    return BLOCK_SHARE * rows * row_size


def row_size(folder):
    return find_states(folder, AGES, CELLS, 2).row_size


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_blocks_and_the_whole_are_identical(folder, tmp_path, driver_set):
    whole = read_simulation(folder, driver_set)
    cut = read_simulation(folder, driver_set, memory_for(4, row_size(folder)))
    assert cut[1]["state"].chunks[0] == (4,) * 10
    for name, first, second in zip(("forcing", "simulation"), whole, cut, strict=True):
        assert {str(n): v.dtype for n, v in first.variables.items()} == {
            str(n): v.dtype for n, v in second.variables.items()
        }
        write_netcdf(second, tmp_path / f"{name}.nc", compress=False)
        write_netcdf(first, tmp_path / f"{name}_whole.nc", compress=False)
        written = read_netcdf(tmp_path / f"{name}.nc")
        xr.testing.assert_identical(written, read_netcdf(tmp_path / f"{name}_whole.nc"))
    np.testing.assert_array_equal(written["state"], whole[1]["state"])


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_drivers_are_cut_too(folder, driver_set):
    forcing, _ = read_simulation(folder, driver_set, memory=BLOCK_SHARE * 24 * 8 * 8 * 2)
    name = "vpd" if driver_set == "monthly8" else "co2_hourly"
    assert len(forcing[name].chunks[0]) > 3
    assert forcing["soil"].chunks is None
    xr.testing.assert_identical(forcing.compute(), read_simulation(folder, driver_set)[0])


def change(folder, tmp_path, name, edit):
    """A folder like another one with one array edited."""
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    array = np.load(folder / name)
    edit(array)
    (tmp_path / name).unlink()
    np.save(tmp_path / name, array)
    return tmp_path


def test_a_missing_value_names_the_cells_of_its_block(folder, tmp_path):
    def edit(array):
        array[21, 1, 3, 2] = np.nan

    broken = change(folder, tmp_path, "glob_Y_NL100.npy", edit)
    with pytest.raises(ValueError, match=r"glob_Y_NL100\.npy \(cells 20 to 23\) holds 1 NaN"):
        read_simulation(broken, "monthly8", memory_for(4, row_size(folder)))


def test_a_wrong_sign_in_some_cells_is_found(folder, tmp_path):
    def edit(array):
        array[8:12, ..., TARGETS.index("nee")] *= -1

    broken = change(folder, tmp_path, "glob_Y001.npy", edit)
    with pytest.raises(ValueError, match=r"cells 8 to 11\): nee differs.*sign of NEE"):
        read_simulation(broken, "monthly8", memory_for(4, row_size(folder)))


def test_values_out_of_range_are_counted_over_all_blocks(folder, tmp_path, caplog):
    def edit(array):
        array[[3, 30], 1, 5, TARGETS.index("height")] = 99.0

    broken = change(folder, tmp_path, "glob_Y001.npy", edit)
    for memory in (None, memory_for(4, row_size(folder))):
        caplog.clear()
        read_simulation(broken, "monthly8", memory)
        assert sum("2 of 7680 values of height outside" in record.message for record in caplog.records) == 1


def test_annual_values_are_found_only_if_all_cells_repeat_them(folder, tmp_path, caplog):
    def annual(array):
        array[:] = array[:, :, :1]

    repeated = change(folder, tmp_path, "glob_Y100.npy", annual)
    read_simulation(repeated, "monthly8", memory_for(4, row_size(folder)))
    assert "1 of 8 target files repeat one value in all months" in caplog.text
    caplog.clear()
    array = np.load(repeated / "glob_Y100.npy")
    array[39, 2, 7, TARGETS.index("height")] += 1
    np.save(repeated / "glob_Y100.npy", array)
    read_simulation(repeated, "monthly8", memory_for(4, row_size(folder)))
    assert "repeat one value" not in caplog.text


def test_a_monthly_file_for_other_cells_is_refused_in_blocks_too(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "monthly8.nc").unlink()
    with xr.open_dataset(folder / "monthly8.nc") as monthly:
        xr.concat([monthly, monthly], dim="cell").to_netcdf(tmp_path / "monthly8.nc")
    with pytest.raises(ValueError, match="cell: 40, time: 24 are needed"):
        read_simulation(tmp_path, "monthly8", memory=BLOCK_SHARE * 24 * 8 * 8 * 2)
