"""The edge of the DERE arrays: what the three ingest rules write."""

from pathlib import Path

import pandas as pd
import pytest

from dere.config.simulation import SimulationSource
from dere.harmonise.interim import unpack_cover
from dere.io import file_sha256, read_netcdf
from dere.workflow import ingest_dere
from dere.workflow.ingest_simulation import ingest_simulation
from dere_arrays import write_arrays


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    write_arrays(folder, networks=("mix", "above"))
    table = str(folder / "coordinates_synthetic.csv")
    return SimulationSource(format="dere", path=str(folder), network="mix", coordinates=table, grid_degrees=15)


def test_simulation(source, tmp_path):
    files = [tmp_path / name for name in ("forcing.nc", "simulation.nc", "provenance.csv", "sources.csv")]
    ingest_simulation(Path(source.path), "carbonglobe136", source, *files)
    forcing, simulation = read_netcdf(files[0]), read_netcdf(files[1])
    assert forcing["tower"].values[-1] == "ZZ-Te0" and simulation["pure_sample"].dtype == bool
    table = pd.read_csv(files[2])
    assert not table["file"].str.contains("above").any() and table["file"].iloc[-1] == "coordinates_synthetic.csv"
    assert len(table) == 12 and set(table["product"]) == {
        "processed arrays of DERE (Hugging Face ai-spatial/DERE)",
        "table of sites",
    }


def test_cover(source, tmp_path):
    ingest_dere.ingest_cover(source, *(tmp_path / name for name in ("cover.nc", "provenance.csv", "sources.csv")))
    cover = unpack_cover(read_netcdf(tmp_path / "cover.nc"))
    assert cover.grid is None and cover.cells["cell"].values.tolist() == [24, 48, 72, 96, 120, 144]
    assert cover.cells["age_weight"].dims == ("cell", "age") and cover.site_ages["site"].values[0] == "ZZ-Tr0"
    table = pd.read_csv(tmp_path / "provenance.csv")
    path = source.path + "/" + table["file"][0]
    assert table["sha256"][0] == file_sha256(path) and table["role"].str.len().min() > 5


def test_towers(source, tmp_path):
    files = [tmp_path / name for name in ("towers.nc", "provenance.csv", "merged.csv", "sources.csv")]
    ingest_dere.ingest_towers(source, *files)
    assert read_netcdf(files[0])["published_role"].values.tolist() == ["train", "train", "test"]
    merged = pd.read_csv(files[2])
    assert merged["site"].tolist() == ["ZZ-Tr0", "ZZ-Tr1", "ZZ-Te0"] and merged["used"].all()
