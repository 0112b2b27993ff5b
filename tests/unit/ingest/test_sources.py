"""Data sets declare themselves: what they say holds, two never claim one file, and a run loads those of its files."""

import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace

import plumber2_samples
import pytest
from collection_samples import write_collections
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest import source as declared
from dere.ingest.source import Column, Product, declarations, of_modules, source_called, sources
from dere.ingest.tower.bundled import TABLE
from dere.ingest.tower.bundled_methane import TABLE as METHANE_TABLE
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.discovery import claim, known_sources, recognise, wanted, wanted_by_names
from dere.resources import METHANE
from dere.workflow.source_leaves import TOWERS_ALWAYS, TOWERS_LIMITS

TOWERS = tuple(source for source in sources() if source.kind == "tower")
FAMILY, ABCFLUX, SITES = "dere.ingest.tower.fluxnet", "dere.ingest.tower.abcflux", "dere.ingest.tower.site_table"
ABC_FILE = "Arctic_Boreal_CO2_Flux_V2.csv"
MONTHLY = flx_name("AA-Syn")


def of_towers(module):
    return of_modules([f"dere.ingest.tower.{module}"])


@pytest.mark.parametrize("source", sources(), ids=lambda source: source.name)
def test_what_a_source_names_is_there(source):
    assert callable(source.reader()) and source.files and source.products


@pytest.mark.parametrize("source", TOWERS, ids=lambda source: source.name)
def test_every_column_of_a_tower_becomes_a_canonical_one(source):
    """An unknown unit or variable would raise."""
    table = synthetic_monthly().iloc[:0]
    days = table.to_numpy()[:, 0]
    # one by one: the versions of a product bring a variable by different columns
    found = [set(canonical(table, [column], source.name, per_day=48, days=days)) for column in source.columns]
    assert found == [{column.variable} for column in source.columns] and found


def test_declaring_loads_no_reader():
    code = "import sys; from dere.ingest.source import sources; sources(); print({*sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'dere.ingest.tower.abcflux'" in loaded
    assert not [name for name in ("pandas", "xarray", "zarr", "dere.ingest.tables") if f"'{name}'" in loaded]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({}, "two sources of kind tower are called 'ABCflux'; rename one"),
        ({"name": "other", "products": (Product("abcflux-v1", "t", "l", "c"),)},
         "product 'abcflux-v1' is declared by ABCflux and otherwise by other; rename one"),
        ({"name": "other", "products": (Product("other", "t", "l", "c", rank=-60),)},
         "products 'abcflux-v2' and 'other' both have rank -60"),
    ],
)  # fmt: skip
def test_sources_that_cannot_stand_beside_each_other(change, sentence):
    (abcflux,) = of_towers("abcflux")
    with pytest.raises(ValueError, match=sentence):
        declared.check([abcflux, replace(abcflux, **change)])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda source: Column("A", "uptake", "1"), "column A: variable 'uptake' is none of a record, but"),
        (lambda source: Column("A", "nee", "1", sign=0), "column A: sign is 0, but 1 or -1 is expected"),
        (lambda source: replace(source, kind="flux"), "source ABCflux: kind is 'flux', but one of tower, metadata"),
        (lambda source: replace(source, read="a.b.read"), "source ABCflux: read is 'a.b.read', but module:function is"),
    ],
)
def test_what_no_declaration_can_say_is_refused_at_once(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(*of_towers("abcflux"))


def test_two_columns_never_become_one_variable():
    columns = (Column("A", "nee", "gC m-2 d-1"), Column("B", "nee", "gC m-2 d-1"))
    with pytest.raises(ValueError, match="f: column B becomes nee, but a column before it does so already; declare"):
        canonical(synthetic_monthly(), columns, "f")


def test_a_product_without_a_licence_and_a_source_of_another_name():
    (abcflux,) = of_towers("abcflux")
    with pytest.raises(ValueError, match=r"product 'x' of ABCflux has no licence on record; expected one of .*add it"):
        abcflux.product("x")
    with pytest.raises(ValueError, match=r"no source of kind simulation is called 'x'; choose from .*netcdf"):
        source_called("simulation", "x")


def test_two_sources_never_read_one_file(tmp_path):
    (abcflux,) = of_towers("abcflux")
    twin = replace(abcflux, name="twin")
    (tmp_path / ABC_FILE).write_text("a\n1\n")
    with pytest.raises(ValueError, match=f"{ABC_FILE} is named like files of ABCflux and of twin, but one source"):
        recognise([tmp_path], among=[abcflux, twin])
    assert claim(ABC_FILE, False, [abcflux, replace(twin, order=1)]).source is abcflux


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("shuttle_sites.csv", "listing of the shuttle"),
        ("ABCflux_sites.csv", "ABCflux"),
        ("AMF_US-Syn_FLUXNET_BIF_2001-2002_3-5.csv", "BADM/BIF"),
        ("FLX_AA-Syn_FLUXNET2015_AUXMETEO_1997-2014_1-3.csv", None),
        ("FLX_AA-Syn_FLUXNET2015_FULLSET_YY_1997-2014_1-3.csv", "FLUXNET family"),
    ],
)
def test_of_sources_that_know_a_name_the_first_has_it(name, owner):
    found = claim(name, False, known_sources())
    assert (found.source.name if found else None) == owner


def test_what_a_run_needs_follows_from_the_names(tmp_path):
    """The files are empty: nothing is opened but the directory of the archive."""
    (tmp_path / MONTHLY).touch()
    (tmp_path / "notes.csv").touch()
    assert wanted([tmp_path]) == (FAMILY,)
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr(f"a/{ABC_FILE}", "")
        archive.writestr("a/carbonsense_v2.sql", "")
    assert wanted([tmp_path]) == (ABCFLUX, FAMILY)
    (tmp_path / "sites.csv").touch()
    assert wanted([tmp_path]) == (ABCFLUX, FAMILY, SITES)
    assert wanted_by_names([MONTHLY, "sites.csv"]) == (FAMILY, SITES)


@pytest.mark.parametrize("content", ["inner.zip", ""])
def test_what_cannot_be_told_from_names_needs_all_that_is_read_from_archives(tmp_path, content):
    """An archive inside the archive, and one that is damaged."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(content or "x", "")
    if not content:
        (tmp_path / "a.zip").write_bytes(b"no archive")
    names = {source.name for source in of_modules(wanted([tmp_path]))}
    assert names == {source.name for source in known_sources() if source.in_archives}


def test_where_nothing_is_known_every_source_is_needed(tmp_path):
    """The job's sentence lists them."""
    (tmp_path / "notes.csv").touch()
    everything = {module for module, group in declarations().items() if group[0].kind in ("tower", "metadata")}
    assert set(wanted([tmp_path])) == set(wanted([tmp_path / "absent"])) == everything
    with pytest.raises(
        ValueError, match=r"notes\.csv.* but files of FLUXNET family, FLUXNET2015 extract, .*six forests"
    ):
        recognise([tmp_path], among=of_modules(wanted([tmp_path])))


def test_the_sources_of_the_files_find_what_all_sources_find(tmp_path):
    write_collections(tmp_path)
    write_bif(tmp_path / "FLX_AA-Flx_BIF_MM_20260101.csv", {"AA-Syn": (50.0, 10.0, "ENF")})
    (tmp_path / "FLX_AA-Syn_FLUXNET2015_AUXNEE_1997-2014_1-3.csv").touch()
    few = recognise([tmp_path], among=of_modules(wanted([tmp_path])))
    assert few == recognise([tmp_path]) and len(few.metadata) == 2 and len(few.towers) == 7


class Spy:
    """A configuration that notes which leaves are asked for."""

    def __init__(self):
        self.asked, self._config = set(), TowerSource()

    def __getattr__(self, name):
        self.asked.add(name)
        return getattr(self._config, name)


def test_readers_ask_for_no_leaf_that_their_source_does_not_name(tmp_path):
    """A leaf that is not named would not reach them."""
    write_collections(tmp_path)
    plumber2_samples.write(tmp_path, "Flux")
    synthetic_monthly().to_csv(tmp_path / MONTHLY, index=False)
    shutil.copy(METHANE / METHANE_TABLE, tmp_path)
    about_the_site = {"AA-Syn_MM.csv": "FLUXNET2015 extract", TABLE: "FLUXNET2015 bundled"}
    for name in about_the_site:
        synthetic_monthly().to_csv(tmp_path / name, index=False)
    found = recognise([tmp_path])
    asked = {}
    for source, file in found.towers:
        spy = asked[source.name] = Spy()
        try:
            source.reader()(file, spy)
        except ValueError:
            assert source.name in about_the_site.values(), "its columns about the site are not here"
        if source.select:
            source.select([file], spy)
    for source in TOWERS:
        assert asked[source.name].asked <= {*source.options, *TOWERS_ALWAYS}, source.name
    named = {leaf for source in TOWERS for leaf in source.options}
    given = (*TOWERS_ALWAYS, *TOWERS_LIMITS)
    assert named | set(given) == set(TowerSource.model_fields) and not named & set(given)
