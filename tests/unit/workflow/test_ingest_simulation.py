"""Formats of simulations are told apart, and what is written is what was read."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dere.config.cover import AgeSource
from dere.config.simulation import SimulationSource
from dere.ingest.cover.stand_ages import AGES
from dere.ingest.source import sources
from dere.io import read_netcdf
from dere.workflow.ingest_simulation import ingest_simulation

sys.path.insert(0, str(Path(__file__).parents[1] / "ingest"))

import carbonglobe_samples
import ingest_samples
import process_model_samples

STATES = SimulationSource(annual_targets="states_only")


def run(folder, driver_set, config, output, memory=None):
    names = [output / name for name in ("forcing.nc", "simulation.nc", "provenance.csv", "sources.csv")]
    ingest_simulation(folder, driver_set, config, *names, memory)
    return read_netcdf(names[0]), read_netcdf(names[1]), pd.read_csv(names[2])


def test_every_format_of_the_configuration_has_a_reader():
    ages = {source.name for source in sources() if source.role == AGES}
    assert {"auto", *ages} == set(AgeSource.model_fields["format"].annotation.__args__)
    assert {source.name for source in sources() if source.kind == "simulation"} == set(
        SimulationSource.model_fields["format"].annotation.__args__
    )


@pytest.mark.parametrize("memory", [None, 1 << 20])
def test_public_arrays(tmp_path, memory):
    raw = tmp_path / "raw"
    carbonglobe_samples.write_public(raw, monthly=True)
    forcing, simulation, provenance = run(raw, "carbonglobe136", SimulationSource(), tmp_path, memory)
    assert forcing["published_role"].values[0] == "val" and forcing.sizes["cell"] == 24
    y = np.load(raw / "glob_Y001.npy")
    found = simulation["state"].sel(stand="mixture", age=1, target="soil_carbon")
    np.testing.assert_array_equal(found, y[:, 1:, :, 2].reshape(24, 24))
    names = "data_stats.npz glob_X_fea.npy glob_Y001.npy glob_Y100.npy mask2d.npy test.csv train.csv val.csv"
    assert sorted(provenance["file"]) == names.split()
    assert set(provenance["licence"]) == {"CC-BY-4.0"} and provenance["sha256"].str.len().eq(64).all()


def test_the_bundle(tmp_path):
    carbonglobe_samples.write_bundle(tmp_path / "raw")
    forcing, simulation, provenance = run(tmp_path / "raw", "carbonglobe136", STATES, tmp_path)
    assert forcing.sizes["cell"] == 8 and simulation.attrs["fluxes"] == "absent"
    assert sorted(provenance["file"]) == ["data_stats.npz", "res_train4_test8.npz"]


def test_our_own_layout_is_known_by_its_meta(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    ingest_samples.write_simulation(raw)
    forcing, simulation, provenance = run(raw, "monthly8", SimulationSource(), tmp_path)
    assert forcing.attrs["driver_set"] == "monthly8" and simulation.sizes["stand"] == 4
    assert "meta.json" in set(provenance["file"])


def test_annual_targets_in_our_own_layout(tmp_path):
    """Whoever writes a meta.json beside annual targets is told so too."""
    raw = tmp_path / "raw"
    raw.mkdir()
    ingest_samples.write_simulation(raw)
    for path in raw.glob("glob_Y*.npy"):
        np.save(path, np.repeat(np.load(path)[:, :, :1], 12, axis=2))
    with pytest.raises(ValueError, match=r"raw: glob_Y\*\.npy: GPP repeats one annual value .* 6 of 6"):
        run(raw, "monthly8", SimulationSource(), tmp_path)
    assert run(raw, "monthly8", STATES, tmp_path)[1].attrs["fluxes"] == "absent"


def test_another_process_model(tmp_path):
    process_model_samples.write_model(tmp_path / "raw")
    forcing, simulation, provenance = run(tmp_path / "raw", "monthly8", process_model_samples.config(), tmp_path)
    assert forcing.sizes["cell"] == 4 and simulation["stand"].values.tolist() == ["BL", "NL", "GS", "mixture"]
    assert len(provenance) == 16 and set(provenance["product"]) == {"process-model simulation as NetCDF"}
    assert "global_co2_ann.txt" in set(provenance["file"])


def test_an_empty_folder(tmp_path):
    (tmp_path / "raw").mkdir()
    with pytest.raises(FileNotFoundError, match=r"holds no glob_Y\*\.npy"):
        run(tmp_path / "raw", "carbonglobe136", SimulationSource(), tmp_path)
