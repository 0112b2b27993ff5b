"""A rule gets the leaves that its code reads, and no other."""

import re
from pathlib import Path

import pytest

import dere
from dere.config.cover import CoverSource
from dere.config.simulation import SimulationSource
from dere.config.towers import TowerSource
from dere.ingest.source import sources
from dere.run_config.root import Config
from dere.workflow import source_leaves
from dere.workflow.digest import covered

SOURCE = Path(dere.__file__).parents[1]
FORMATS = {source.name: source.options for source in sources() if source.kind == "simulation"}
AGES = ("dere.ingest.cover.mpi_bgc_source",)
TOWERS = ("dere.ingest.tower.fluxnet", "dere.ingest.tower.badm")


def tree(**simulation):
    raw = Config().model_dump(mode="json")
    raw["sources"]["simulation"] |= simulation
    return raw


def test_the_built_in_world_passes_only_what_its_files_leave_open():
    assert source_leaves.ingested_simulation(tree()) == {"format": "carbonglobe", "annual_targets": "refuse"}
    assert source_leaves.harmonised_simulation(tree()) == {"provider": "files"}


def test_the_built_in_process_model_gets_its_settings():
    given = source_leaves.harmonised_simulation(tree(provider="builtin", perturbations=7))
    assert given["perturbations"] == 7
    assert {"provider", "ages", "member_months", "perturbation_seed", "satellites"} <= set(given)
    assert not {"row_order", "netcdf", "path"} & set(given)
    assert SimulationSource(**given).perturbations == 7


@pytest.mark.parametrize("form", FORMATS)
def test_every_leaf_that_a_reader_names_is_passed(form):
    """Readers name leaves as ``config.<leaf>``; each leaf in their code must be among those passed."""
    start = {
        "carbonglobe": ["simulation/carbonglobe_public.py", "simulation/carbonglobe_bundle.py"],
        "dere": ["arrays/dere_simulation.py", "arrays/dere_cover.py", "arrays/dere_towers.py"],
        "netcdf": ["simulation/process_model_netcdf.py"],
    }[form]
    files = {file for name in start for file in covered(SOURCE / "dere" / "ingest" / name, SOURCE).values()}
    text = "".join(file.read_text() for file in files if "/ingest/" in str(file))
    named = set(re.findall(r"\bconfig\.(\w+)", text)) & set(SimulationSource.model_fields)
    assert named and named <= set(source_leaves.ingested_simulation(tree(format=form, path="somewhere")))


def test_no_leaf_is_passed_to_nobody_by_mistake():
    """A new leaf of the simulation reaches the built-in process model until a format claims it."""
    formats = {leaf for leaves in FORMATS.values() for leaf in leaves}
    model = set(source_leaves.harmonised_simulation(tree(provider="builtin")))
    assert set(SimulationSource.model_fields) == formats | model | {"format", "path"}


def test_parts_of_the_arrays_pass_nothing_else():
    raw = Config().model_dump(mode="json")
    raw["sources"]["cover"]["provider"] = raw["sources"]["towers"]["provider"] = "dere"
    assert source_leaves.ingested_cover(raw, AGES) == source_leaves.ingested_towers(raw, ()) == {"provider": "dere"}
    assert source_leaves.limits_of_towers(raw) == {}
    raw = Config().model_dump(mode="json")
    assert CoverSource(**source_leaves.ingested_cover(raw, AGES)) == CoverSource()
    towers = source_leaves.ingested_towers(raw, TOWERS) | source_leaves.limits_of_towers(raw)
    assert set(towers) == set(TowerSource.model_fields) and TowerSource(**towers) == TowerSource()
    assert "threshold" not in source_leaves.ingested_towers(raw, ("dere.ingest.tower.six_forests",))
    assert not set(source_leaves.FINE_MAPS_ONLY) & set(source_leaves.ingested_cover(raw, AGES))


def test_what_only_one_source_of_stand_ages_reads_reaches_no_other():
    raw = Config().model_dump(mode="json")
    assert source_leaves.ingested_cover(raw, AGES)["age"] == raw["sources"]["cover"]["age"]
    assert source_leaves.ingested_cover(raw, ("dere.ingest.cover.gfad_source",))["age"] == {
        "format": "auto",
        "path": "",
    }


def test_limits_that_only_refuse_are_no_part_of_what_is_compared():
    limits = source_leaves.limits_of_towers(Config().model_dump(mode="json"))
    assert set(limits) == {"maximum_member_gb", "maximum_compression", "minimum_sites"}
    assert not set(limits) & set(source_leaves.ingested_towers(Config().model_dump(mode="json"), TOWERS))
