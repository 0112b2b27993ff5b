"""The table of data sets, and what is refused in it."""

import dataclasses
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from declared_products import PRODUCTS
from dere.config.download import DownloadsConfig
from dere.download.catalogue import COLUMNS, TABLE, expand_braces, matches, names, present, read_datasets, select
from dere.download.schema import check
from dere.ingest.source import sources

ROWS = read_datasets()
BY_NAME = {row.name: row for row in reversed(ROWS)}
ROOT = Path(__file__).parents[3]


def test_the_table_keeps_its_schema():
    assert list(check(ROWS).columns) == list(COLUMNS) and len(ROWS) >= 12


def test_every_source_of_the_project_is_there():
    assert {"carbonglobe", "dere", "esacci_pft", "gfad", "forest_age", "carbonsense", "icos_warm_winter"} <= set(
        names()
    )
    assert {"fluxnet2015", "ameriflux", "abcflux", "fluxcom_x", "fluxnet_shuttle"} <= set(names())


@pytest.mark.parametrize("loader", sorted({row.loader for row in ROWS if row.loader}))
def test_loaders_exist(loader):
    assert importlib.util.find_spec(loader) is not None


def test_the_default_versions_are_in_the_table():
    for name, version in DownloadsConfig().versions.items():
        assert select(ROWS, name, version)[0].version == version


def test_nothing_in_the_table_was_claimed_to_be_fetched():
    """A row counts as verified only after a download from its address; nobody did one yet."""
    assert not any(row.verified or row.sha256 or row.size_bytes for row in ROWS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Gfad"}, "name holds 'Gfad'"),
        ({"version": ""}, "version holds ''"),
        ({"file": "../x.zip"}, "file holds '../x.zip'"),
        ({"file": "/x.zip"}, "file holds '/x.zip'"),
        ({"access": "free"}, "access holds 'free'"),
        ({"service": "ftp"}, "service holds 'ftp'"),
        ({"service": ""}, "open rows name a service"),
        ({"access": "login"}, "open rows name a service"),
        ({"location": "http://plain.example/"}, "location fits the service"),
        ({"location": "https://x.example/no-slash"}, "location fits the service"),
        ({"service": "zenodo"}, "location fits the service"),
        ({"file": "*.zip"}, "exact file names for plain addresses"),
        ({"file": "a{1..2}.zip", "size_bytes": 3}, "exact file names for plain addresses, sizes and checksums"),
        ({"size_bytes": 0}, "size_bytes holds '0'"),
        ({"sha256": "abc"}, "sha256 holds 'abc'"),
        ({"folder": "../up"}, "folder holds '../up'"),
        ({"folder": "carbonglobe"}, "one data set per folder"),
        ({"loader": "os.path"}, "loader holds 'os.path'"),
        ({"licence": ""}, "licence holds ''"),
        ({"citation": " "}, "citation holds ' '"),
        ({"doi": "doi:10.1/x"}, "doi holds 'doi:10.1/x'"),
        ({"landing": "ftp://x"}, "landing holds 'ftp://x'"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_row_is_refused(change, words):
    wrong = dataclasses.replace(BY_NAME["gfad"], **change)
    with pytest.raises(ValueError) as error:
        check([wrong if row.name == "gfad" else row for row in ROWS])
    assert words in str(error.value) and str(error.value).startswith("datasets.csv") and "\n" not in str(error.value)


def test_one_version_has_one_folder():
    other = dataclasses.replace(BY_NAME["gfad"], file="other.zip", folder="gfad2")
    with pytest.raises(ValueError, match="one folder per version"):
        check([*ROWS, other])


def test_a_file_stands_there_once():
    twice = dataclasses.replace(BY_NAME["esacci_pft"], file="ESACCI-LC-L4-PFT-Map-300m-P1Y-2000-v2.0.8.nc")
    with pytest.raises(ValueError, match=r"names esacci_pft v2.0.8 ESACCI-LC-L4-PFT-Map-300m-P1Y-2000-v2.0.8.nc twice"):
        check([*ROWS, twice])


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda text: text.replace("name,version", "nom,version", 1), "has columns nom, version"),
        (lambda text: text + "gfad,v2\n", "does not have 16 columns"),
        (lambda text: text.replace(",,,gfad,", ",many,,gfad,"), "size_bytes 'many'"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, edit, words):
    path = tmp_path / "datasets.csv"
    text = edit(TABLE.read_text())
    assert text != TABLE.read_text()
    path.write_text(text)
    with pytest.raises(ValueError, match=words):
        read_datasets(path)


def test_versions_are_chosen_by_name():
    assert select(ROWS, "carbonsense", "v1")[0].location == "11403428"
    assert select(ROWS, "carbonsense")[0].version == "v2"
    assert select(ROWS, "carbonglobe", "28d079a")[0].version == "28d079a"
    with pytest.raises(ValueError, match="carbonsense has no version 'v9'; choose one of v2, v1"):
        select(ROWS, "carbonsense", "v9")
    with pytest.raises(
        ValueError, match="'carbon' is not a data set that can be downloaded; choose one of carbonglobe"
    ):
        select(ROWS, "carbon")


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("a.nc", ["a.nc"]),
        ("a{8..11}b", ["a8b", "a9b", "a10b", "a11b"]),
        ("{x,y}_{1..2}", ["x_1", "x_2", "y_1", "y_2"]),
        ("a{3..2}", []),
    ],
)
def test_braces_are_written_out(pattern, names):
    assert expand_braces(pattern) == names


def test_29_years_of_plant_types():
    patterns = BY_NAME["esacci_pft"].patterns
    assert len(patterns) == 29 and "-2020-" in patterns[-1] and "*" not in "".join(patterns)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("FLX_FI-Hyy_FLUXNET2015_FULLSET_1996-2020_beta-3.zip", "icos_warm_winter"),
        ("FLX_DE-Hai_FLUXNET2015_FULLSET_HH_2000-2018_beta-3.csv", "icos_drought_2018"),
        ("ICOSETC_DE-Tha_ARCHIVE_L2.zip", "icos_etc_l2"),
        ("FLX_BE-Vie_FLUXNET2015_FULLSET_MM_1996-2014_1-3.csv", "fluxnet2015"),
        ("FLX_AA-Flx_BIF_LATEST.csv", "fluxnet2015"),
        ("AMF_US-xHA_FLUXNET_SUBSET_DD_2017-2021_3-5.csv.gz", "ameriflux"),
        ("AMF_AA-Flx_FLUXNET-BIF_CCBY4_20240101.xlsx", "ameriflux"),
        ("ICOSETC_DE-Tha_FLUXNET_1996-2024_v1.3_r1.zip", "fluxnet_shuttle"),
        ("202437221216222_BGIForestAgeMPIBGC1.0.0.nc", "forest_age"),
        ("GPP_2001_050_monthly.nc", "fluxcom_x"),
        ("Arctic_Boreal_CO2_Flux.csv", "abcflux"),
    ],
)
def test_names_of_real_files_are_known(name, source):
    assert matches(name, BY_NAME[source].patterns)


def test_what_lies_there_is_listed(tmp_path):
    row = BY_NAME["ameriflux"]
    assert present(tmp_path / "none", [row]) == []
    for name in ("AMF_US-MMS_FLUXNET_FULLSET_1999-2020_3-5.zip", ".AMF_US-Ha1_FLUXNET_x.zip", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "AMF_US-Ha1_FLUXNET_FULLSET_1991-2020_3-5.zip").touch()
    assert [path.name[:10] for path in present(tmp_path, [row])] == ["AMF_US-MMS", "AMF_US-Ha1"]


def test_make_check_lists_downloads_without_any_package(tmp_path):
    row = BY_NAME["esacci_pft"]
    (tmp_path / row.folder).mkdir()
    (tmp_path / row.folder / row.patterns[0]).write_bytes(b"x" * 20_000_000)
    call = [sys.executable, "-I", "-S", str(ROOT / "workflow" / "check.py"), "--only-downloads", "--downloads"]
    text = subprocess.run([*call, str(tmp_path)], capture_output=True, text=True, check=True).stdout
    assert f"esacci_pft v2.0.8, files: 1 of 29, 0.02 GB in {tmp_path / row.folder}." in text
    assert f"Optional, none in {tmp_path} yet: carbonglobe main, dere main, gfad v1.1" in text


def test_the_table_is_read_without_any_package():
    code = (
        "import sys; sys.path.insert(0, 'src'); import dere.download.catalogue as c, json; print(json.dumps(c.names()))"
    )
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(run.stdout) == names()


@pytest.mark.parametrize(
    ("source", "version", "name"),
    [
        ("carbonsense", "v2", "carbonsense_v2.sql"),
        ("carbonsense", "v1", "DE-Tha"),
        ("abcflux", "v1", "Arctic_Boreal_CO2_Flux.csv"),
        ("abcflux", "v2", "Arctic_Boreal_CO2_Flux_V2_Terrestrial.csv"),
        ("fluxnet2015", None, "FLX_BE-Vie_FLUXNET2015_FULLSET_MM_1996-2014_1-3.csv"),
        ("icos_warm_winter", None, "FLX_FI-Hyy_FLUXNET2015_FULLSET_MM_1996-2020_beta-3.csv"),
        ("icos_drought_2018", None, "FLX_DE-Hai_FLUXNET2015_FULLSET_MM_2000-2018_beta-3.csv"),
        ("icos_etc_l2", None, "ICOSETC_DE-Tha_FLUXNET_HH_L2.csv"),
        ("ameriflux", None, "AMF_US-xHA_FLUXNET_SUBSET_DD_2017-2021_3-5.csv.gz"),
    ],
)
def test_the_towers_reader_knows_what_lies_in_the_folder(source, version, name):
    path = f"{select(ROWS, source, version)[0].folder}/{name}"
    assert any(kind.matches(path) for kind in sources() if kind.kind == "tower")


@pytest.mark.parametrize(
    ("source", "product"),
    [
        ("carbonglobe", "carbonglobe"),
        ("dere", "dere-arrays"),
        ("esacci_pft", "esacci-pft"),
        ("gfad", "gfad"),
        ("forest_age", "mpi-bgc-forest-age"),
        ("carbonsense", "carbonsense-v2"),
        ("icos_warm_winter", "icos-warm-winter-2020"),
        ("icos_drought_2018", "icos-drought-2018"),
        ("icos_etc_l2", "icos-etc-l2"),
        ("fluxnet2015", "fluxnet2015"),
        ("ameriflux", "ameriflux-fluxnet"),
        ("fluxnet_shuttle", "fluxnet-shuttle"),
        ("abcflux", "abcflux-v1"),
    ],
)
def test_downloads_and_provenance_cite_the_same(source, product):
    """Each DOI that a run's provenance names for a product stands in the citation of its download, too."""
    assert dois_only_of(PRODUCTS[product], BY_NAME[source]) == set()


def test_every_version_has_its_own_doi():
    first, second = (select(ROWS, "abcflux", version)[0] for version in ("v1", "v2"))
    assert second.doi == "10.3334/ORNLDAAC/2448" and second.landing == f"https://doi.org/{second.doi}"
    assert first.doi != second.doi and not second.verified
    assert dois_only_of(PRODUCTS["abcflux-v2"], second) == set()
    assert all(matches(f"Arctic_Boreal_CO2_Flux_V2_{kind}.csv", second.patterns) for kind in ("Terrestrial", "Aquatic"))


def dois_only_of(known, row):
    """DOIs that the provenance names and the row of the table does not."""
    dois = set(re.findall(r"10\.\d{4,}/[^\s,;]+", f"{known.citation} {known.url}"))
    return {doi for doi in dois if doi.lower() not in f"{row.citation} {row.doi}".lower()}
