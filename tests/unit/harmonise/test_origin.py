"""Every canonical file says where it comes from, the same way each time it is written."""

import json
import time
from dataclasses import replace

import pandas as pd
import pytest

from declared_products import PRODUCTS
from dere import __version__
from dere.config.windows import WindowConfig
from dere.harmonise.citations import CITATION_COLUMNS, citations
from dere.harmonise.interim import pack_cover
from dere.harmonise.origin import LONGEST_LIST, Origin, built_in_rows, file_attributes, used
from dere.ingest.provenance import COLUMNS, provenance_row
from dere.invented import PROCESS_MODEL
from dere.io import content_hash, file_sha256, read_netcdf, write_netcdf, write_table
from dere.run_config.root import normalise
from dere.versions import here
from dere.workflow.citations import write_citations
from dere.workflow.harmonise import harmonise_files
from dere.workflow.products import about_sources
from dere.workflow.statistics import write_statistics
from dere.workflow.targets import built_in

CANONICAL = ("drivers", "simulation", "cover", "towers")


def rows(tmp_path):
    """Return provenance of a simulation, a map and two towers, one of which is superseded."""
    made = []
    for source, product, name, extra in (
        ("simulation", "carbonglobe", "glob_X_fea.npy", {}),
        ("cover", "esacci-pft", "map.nc", {}),
        ("towers", "fluxnet2015", "FLX_AA-One.csv", {"site": "AA-One", "role": "fluxes", "processing": "1-4"}),
        ("towers", "fluxnet2015-extract", "AA-One_MM.csv", {"site": "AA-One", "role": "superseded by FLX_AA-One.csv"}),
    ):
        path = tmp_path / name
        path.write_text(name)
        made.append({"source": source, **provenance_row(path, PRODUCTS[product], 3, **extra)})
    return pd.DataFrame(made)


def origin(table):
    return Origin("harmonise", "c0de", "c0nf", table, "t4ble")


def test_a_file_names_its_sources_with_checksums_versions_licences_and_citations(tmp_path):
    table = rows(tmp_path)
    about = file_attributes(origin(table), "towers")
    assert f"FLX_AA-One.csv sha256 {file_sha256(tmp_path / 'FLX_AA-One.csv')}" in about["source_files"]
    assert "AA-One_MM.csv" not in about["source_files"], "superseded files gave nothing"
    assert "FLUXNET2015 1-4" in about["source_versions"] and "2.0.8" in about["source_versions"]
    assert "Pastorello" in about["references"] and "Harper" in about["references"]
    assert "CC-BY-4.0" in about["license"]
    assert (about["Conventions"], about["code_hash"], about["configuration_hash"]) == ("CF-1.8", "c0de", "c0nf")
    assert file_attributes(origin(table), "simulation")["source_files"].startswith("glob_X_fea.npy sha256")
    assert "map.nc" not in file_attributes(origin(table), "simulation")["source_files"]


def test_without_a_simulation_in_files_the_towers_forced_the_model(tmp_path):
    table = rows(tmp_path)
    about = file_attributes(origin(table[table["source"] != "simulation"]), "simulation")
    assert about["source_files"].startswith("FLX_AA-One.csv")


def test_many_files_are_named_by_their_table(tmp_path):
    table = rows(tmp_path)
    many = pd.concat([table[table["source"] == "cover"]] * (LONGEST_LIST + 1))
    text = file_attributes(origin(many), "cover")["source_files"]
    assert text == f"{LONGEST_LIST + 1} files, listed with their checksums in tables/provenance.csv (sha256 t4ble)"


def test_no_provenance_is_said():
    about = file_attributes(origin(pd.DataFrame(columns=["source", "file"])), "cover")
    assert (about["source_files"], about["license"]) == ("none", "not stated")


def test_invented_sources_claim_no_licence(tmp_path):
    table = built_in_rows(rows(tmp_path), ["simulation", "towers"])
    invented = table[table["source"] != "cover"]
    assert (invented["citation"] == "none needed (synthetic)").all() and (invented["url"] == "").all()
    assert invented["product"].str.startswith("invented world, in the layout of ").all()
    assert (invented["version"] == f"dere {__version__}").all()
    assert table.loc[table["source"] == "cover", "citation"].str.contains("Harper").all()


def test_a_file_says_which_of_its_sources_are_invented(tmp_path):
    world = replace(origin(rows(tmp_path)), invented=("simulation", "cover", "towers"))
    assert file_attributes(world, "towers")["source"].startswith("invented world: simulation, cover, towers; dere ")
    assert file_attributes(world, "cover")["invented_sources"] == "cover"
    mixed = replace(world, invented=("simulation", "cover"))
    assert file_attributes(mixed, "truth")["source"].startswith("invented world: simulation; ")
    real = file_attributes(origin(rows(tmp_path)), "towers")
    assert "invented" not in real["source"] and "invented_sources" not in real


def test_the_process_model_on_measured_weather_is_said_to_be_invented(tmp_path):
    table = rows(tmp_path)
    measured = replace(origin(table[table["source"] != "simulation"]), invented=(PROCESS_MODEL,))
    for name in ("simulation", "towers"):
        assert file_attributes(measured, name)["invented_sources"] == "simulation (built-in process model)"
        assert "invented world" not in file_attributes(measured, name)["source"]
    assert "invented_sources" not in file_attributes(measured, "cover")
    drawn = replace(measured, invented=(PROCESS_MODEL, "towers"))
    assert file_attributes(drawn, "simulation")["invented_sources"] == "simulation (built-in process model); towers"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["simulation", "cover", "towers"]),
        ({"sources": {"towers": {"paths": ["x"]}}}, ["simulation", "cover"]),
        ({"sources": {"simulation": {"provider": "builtin"}, "cover": {"provider": "igbp"}}}, ["towers"]),
    ],
)
def test_sources_without_a_path_are_built_in(change, expected):
    assert built_in(normalise(change)) == expected


def test_citations_leave_out_what_gave_nothing(tmp_path):
    table = citations(rows(tmp_path))
    assert tuple(table.columns) == CITATION_COLUMNS
    assert table["product"].tolist() == [
        "CarbonGlobe layout of a process-model simulation",
        "ESA CCI plant functional types v2.0.8",
        "FLUXNET2015",
    ]
    assert table["files"].tolist() == [1, 1, 1] and table["sites"].tolist() == [0, 0, 1]
    assert table["citation"].str.len().min() > 0


def test_sites_with_a_doi_of_their_own_are_cited_one_by_one(tmp_path):
    table = rows(tmp_path).assign(site_doi=["", "", "10.17190/AMF/1", "10.1/superseded"], site_citation=float("nan"))
    table["site_citation"] = ["", "", "Somebody 2023, doi 10.17190/AMF/1", ""]
    (site,) = citations(table).to_dict("records")[3:]
    assert site["product"] == "FLUXNET2015, site AA-One" and site["url"] == "https://doi.org/10.17190/AMF/1"
    assert site["citation"].startswith("Somebody 2023")


def test_dropped_sites_and_empty_tables(tmp_path):
    table = rows(tmp_path).assign(dropped=["", "", "no climate", ""])
    assert len(used(table)) == 2
    assert citations(pd.DataFrame(columns=["source", "file"])).empty
    path = tmp_path / "provenance.csv"
    write_table(rows(tmp_path), path)
    write_citations(path, tmp_path / "citations.csv")
    assert len(pd.read_csv(tmp_path / "citations.csv")) == 3


def test_public_files_name_the_source_data(tmp_path):
    path = write_table(rows(tmp_path), tmp_path / "provenance.csv")
    about = about_sources(path)
    assert about["source_data_files"].count(" sha256 ") == 3 and "Harper" in about["source_data_references"]
    assert file_sha256(path) in about["source_data_provenance_table"]


def test_canonical_files_state_their_origin_and_are_the_same_bytes_when_written_again(interim, tmp_path):
    """The whole edge of rule harmonise, twice, with more than a second between."""
    files = {}
    for name, dataset in {
        "towers": interim.towers,
        "cover": pack_cover(interim.cover),
        "forcing": interim.forcing,
        "simulation": interim.simulation,
    }.items():
        files[name] = write_netcdf(dataset, tmp_path / "interim" / f"{name}.nc")
    for source, table in rows(tmp_path).groupby("source"):
        path = tmp_path / f"provenance_{source}.csv"
        files[f"provenance_{source}"] = write_table(table.drop(columns="source"), path)
    config = normalise({})
    params = {"simulation": config["sources"]["simulation"], "splits": config["splits"] | {"folds": 3}}
    params |= {"harmonise": config["harmonise"] | {"window": 24, "window_stride": 12}, "built_in": ["cover"]}
    for folder, pause in (("first", 0), ("second", 1.1)):
        time.sleep(pause)
        (tmp_path / folder).mkdir()
        harmonise_files(
            files,
            None,
            tmp_path / folder,
            tmp_path / folder / "provenance.csv",
            tmp_path / folder / "odd_months.csv",
            params,
            code="c0de",
        )
    table = pd.read_csv(tmp_path / "first" / "provenance.csv")
    packages = table[table["source"] == "software"].set_index("product")["version"]
    assert tuple(table.columns[: len(COLUMNS)]) == COLUMNS and len(table) - len(packages) == 4
    assert dict(packages) == here() and {"python", "numpy", "xarray"} <= set(packages.index)
    checksum = file_sha256(tmp_path / "first" / "provenance.csv")
    stated = {name: read_netcdf(tmp_path / "first" / f"{name}.nc").attrs for name in CANONICAL}
    stated["splits"] = json.loads((tmp_path / "first" / "splits.json").read_text())
    for name, attrs in stated.items():
        assert attrs["code_hash"] == "c0de", name
        assert attrs["configuration_hash"] == content_hash(params), name
        assert checksum in attrs["provenance_table"] and attrs["history"].startswith("written by rule harmonise")
    assert "synthetic" in stated["cover"]["license"] and "synthetic" not in stated["simulation"]["license"]
    assert stated["cover"]["source"].startswith("invented world: cover; dere ")
    assert "invented" not in stated["simulation"]["source"]
    assert stated["splits"]["sha256"] == file_sha256(tmp_path / "first" / "splits.csv")
    made = {name: tmp_path / "first" / f"{name}.nc" for name in ("drivers", "simulation", "towers")}
    made["splits"] = tmp_path / "first" / "splits.csv"
    settings = WindowConfig(satellites=False, minimum_training_quality=0.5)
    for folder in ("first", "second"):
        write_statistics(made, 0, tmp_path / folder / "fold0.nc", settings, code="c0de")
    passed_on = read_netcdf(tmp_path / "first" / "fold0.nc").attrs
    assert passed_on["source"].startswith("invented world: cover; dere ")
    assert passed_on["title"] == "Mean and spread of the training members of fold 0"
    assert (
        passed_on["configuration_hash"]
        == content_hash([settings.model_dump(), "co2"])
        != stated["drivers"]["configuration_hash"]
    )
    assert passed_on["provenance_table"] == stated["drivers"]["provenance_table"]
    for name in ("drivers", "simulation", "towers"):
        for key in ("source_files", "source_versions", "license", "references"):
            assert set(stated[name][key].split("; ")) <= set(passed_on[key].split("; ")), (name, key)
    assert len(passed_on["source_files"].split("; ")) == len(set(passed_on["source_files"].split("; "))) == 3
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes(), path.name
