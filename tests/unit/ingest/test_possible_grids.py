"""No reader of grids lets a mark of missing values or an impossible number into a state, a driver or a cover.

Kinds seen in public: E3SM-Project/scream#2262, FESOM/fesom2#799 and CliMA/ClimaLand.jl#1443 (1e20, 9.97e36 and -999
without an attribute).
"""

import shutil

import numpy as np
import pytest
import xarray as xr
from process_model_samples import LAND, config, write_model
from test_esacci import LAYERS, MAP, write_map

from dere.config.simulation import SimulationSource
from dere.ingest.arrays.dere_arrays import parse_fluxes
from dere.ingest.arrays.dere_cover import read_cover as read_array_cover
from dere.ingest.arrays.dere_simulation import read_simulation as read_arrays
from dere.ingest.arrays.dere_towers import read_towers as read_array_towers
from dere.ingest.cover.esacci import read_cover
from dere.ingest.cover.forest_age import read_gfad, read_mpi_bgc
from dere.ingest.simulation.carbonglobe import read_simulation as read_carbonglobe
from dere.ingest.simulation.process_model_netcdf import read_simulation
from dere_arrays import write_arrays
from forest_age_maps import gfad, mpi_ages, write_gfad, write_mpi

CODES = (1e20, 9.96921e36, -999.0, -9999.9, np.inf)
ARRAYS = SimulationSource(format="dere", network="mix")
CELL = 1


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_model(folder)
    return folder, *read_simulation(folder, "monthly8", config())[:2]


def spoiled(model, folder, name, value, month=slice(None), plant_type=slice(None)):
    """Read a copy of the model in which a land cell of a variable holds a value that no attribute names."""
    for path in model.iterdir():
        shutil.copy(path, folder / path.name)
    (path,) = folder.glob(f"*{name}[._]*nc") or folder.glob(f"*{name}.nc")
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    values = dataset[name].values.copy()
    row, column = LAND[CELL]
    if values.ndim == 4:
        values[month, plant_type, row, column] = value
    else:
        values[month, row, column] = value
    changed = dataset.assign({name: dataset[name].copy(data=values)})
    changed.to_netcdf(path, encoding={name: {"_FillValue": None}})
    return read_simulation(folder, "monthly8", config())


@pytest.mark.parametrize("code", [1e20, -999.0, 9.96921e36])
@pytest.mark.parametrize(
    "name", ["gpp", "ra", "rh", "lai", "cVeg", "cSoil", "landCoverFrac", "tmp", "spfh", "ugrd", "pres"]
)
def test_a_cell_with_a_mark_in_one_month_is_a_gap(model, tmp_path, name, code):
    folder, forcing, simulation = model
    drivers, states, _ = spoiled(folder, tmp_path, name, code, month=-1)
    left = np.delete(np.arange(forcing.sizes["cell"]), np.flatnonzero(~np.isin(forcing["cell"], drivers["cell"])))
    assert drivers.sizes["cell"] == states.sizes["cell"] == forcing.sizes["cell"] - 1
    xr.testing.assert_equal(drivers, forcing.isel(cell=left))
    xr.testing.assert_equal(states, simulation.isel(cell=left))


def test_what_is_taken_out_is_said_once_per_variable(model, tmp_path, caplog):
    spoiled(model[0], tmp_path, "cSoil", 1e20)
    lines = [
        r.getMessage() for r in caplog.records if "count as missing" in r.getMessage() and "cSoil" in r.getMessage()
    ]
    assert lines == ["SYNTH_S3_cSoil.nc: cSoil: 25 of 125 values count as missing, 25 marks of missing values"]


def test_an_impossible_share_of_one_plant_type_is_no_share_of_the_others(model, tmp_path):
    """The others would become fractions of something else."""
    _, forcing, _ = model
    drivers, _, _ = spoiled(model[0], tmp_path, "landCoverFrac", 1e20, plant_type=1)
    assert drivers.sizes["cell"] == forcing.sizes["cell"] - 1


def test_a_variable_in_another_unit_is_refused(model, tmp_path):
    for path in model[0].iterdir():
        shutil.copy(path, tmp_path / path.name)
    path = tmp_path / "SYNTH_S3_cSoil.nc"
    with xr.open_dataset(path, decode_times=False) as opened:
        dataset = opened.load()
    large = dataset["cSoil"].where(dataset["cSoil"] < 0, dataset["cSoil"] * 1000)
    dataset.assign(cSoil=large.assign_attrs(dataset["cSoil"].attrs)).to_netcdf(path)
    with pytest.raises(ValueError, match=r"SYNTH_S3_cSoil\.nc: cSoil: 125 of 125 values are beyond what is possible"):
        read_simulation(tmp_path, "monthly8", config())


@pytest.mark.parametrize("code", CODES)
def test_a_carbonglobe_folder_with_a_mark_is_refused(simulation_folder, code):
    path = simulation_folder / "monthly8.nc"
    good = xr.load_dataset(path)
    for name, sentence in (("wind", "wind"), ("land_fraction", "land_fraction")):
        spoilt = good.copy(deep=True)
        spoilt[name].values.flat[0] = code
        spoilt.to_netcdf(path)
        with pytest.raises(ValueError, match=rf"monthly8\.nc.*{sentence}"):
            read_carbonglobe(simulation_folder, "monthly8")
    good.to_netcdf(path)
    read_carbonglobe(simulation_folder, "monthly8")
    path = simulation_folder / "glob_Y001.npy"
    states = np.load(path)
    states[1, 1, 3, 2] = code
    np.save(path, states)
    with pytest.raises(ValueError, match=r"glob_Y001\.npy.* holds 1 (values of soil_carbon beyond|NaN or infinite)"):
        read_carbonglobe(simulation_folder, "monthly8")


def test_9999_mm_of_a_month_are_no_rain(simulation_folder):
    path = simulation_folder / "glob_X_fea.npy"
    channels = np.load(path)
    channels[1, 1, 3, 1] = 9999
    np.save(path, channels)
    with pytest.raises(ValueError, match=r"glob_X_fea\.npy holds 1 values of precipitation beyond what is possible"):
        read_carbonglobe(simulation_folder, "carbonglobe136")


def edited(folder, file, **changes):
    """Rewrite an npz with some arrays changed."""
    with np.load(folder / file) as opened:
        arrays = {key: opened[key] for key in opened.files}
    np.savez(folder / file, **(arrays | {key: change(arrays[key]) for key, change in changes.items()}))


def put(where, value):
    def change(array):
        array = array.copy()
        array[where] = value
        return array

    return change


def test_marks_in_the_dere_arrays(tmp_path):
    write_arrays(tmp_path)
    towers = "pft_dataset_12mean_4types_28years_ESACCI_plusAW_mix.npz"
    good = read_array_towers(tmp_path, ARRAYS)
    # row, year from 1992, month, GPP RECO NEE
    edited(tmp_path, towers, InSitu_train=lambda a: put((0, 3, 6, 2), -9999.0)(put((0, 3, 5, 0), 1e20)(a)))
    found = read_array_towers(tmp_path, ARRAYS)
    month = 2 * 12 + 5
    assert np.isnan(found["gpp_nt"].values[0, month]) and np.isnan(found["nee"].values[0, month + 1])
    assert int(found["nee"].notnull().sum()) == int(good["nee"].notnull().sum()) - 1
    assert found["impossible"].values.tolist() == ["gpp:1 nee:1", "", ""]
    cells = "res_train4_test8_extract_28years_ageindependent_update_with_NEE_Ra_RECO.npz"
    edited(tmp_path, cells, y_train=put((0, 1, 4, 4, 3), -999.0))
    with pytest.raises(ValueError, match=r"y_train.*holds 1 values of lai beyond what is possible"):
        read_arrays(tmp_path, ARRAYS)
    cover = "1_res_train4_test8_allx_plus_ageweight_esapft_update.npz"
    edited(tmp_path, cover, ESA_BL_all_train=put((0, 0), 1e20))
    with pytest.raises(ValueError, match="shares of the plant types reach"):
        read_array_cover(tmp_path, ARRAYS)


def test_tower_fluxes_of_marks_are_missing():
    raw = np.full((1, 28, 12, 3), 1.0)
    raw[..., 2] = 0.0
    raw[0, 0, :3] = [[-999, 1, 0], [1, 9999, 0], [1, 1, -99999]]
    parsed = parse_fluxes(raw, "f")
    assert [int(np.isnan(parsed[name]).sum()) for name in ("gpp", "reco", "nee")] == [1, 1, 1]


@pytest.mark.parametrize("code", CODES)
def test_maps_with_marks_that_they_do_not_state_are_refused(tmp_path, code):
    layers = MAP.astype(float).copy()
    layers[0, 0, LAYERS.index("TREES-BD")] = code
    write_map(tmp_path, layers=layers)
    with pytest.raises(ValueError, match=r"aggregated-2001-v2\.0\.8\.nc"):
        read_cover(tmp_path, include_crops=True)
    layers[0, 0] = code
    write_map(tmp_path, layers=layers)
    with pytest.raises(ValueError, match=r"aggregated-2001-v2\.0\.8\.nc"):
        read_cover(tmp_path, include_crops=True)


@pytest.mark.parametrize("code", [1e20, -999.0, np.inf])
def test_forest_ages_with_marks_that_they_do_not_state_are_refused(tmp_path, code):
    shares = gfad()
    shares["age"].values[3, 1, 2, 2] = code
    with pytest.raises(ValueError, match=r"GFAD_V1-1\.nc: age reaches"):
        read_gfad(write_gfad(tmp_path, shares), (10, 100), 0.5)
    ages = mpi_ages(48, 48)
    ages[41, 40] = code
    with pytest.raises(ValueError, match="layer ForestAge_TC010 holds"):
        read_mpi_bgc(write_mpi(tmp_path, ages, size=1 / 24), (10, 100), 0.5)
