"""The memory of a job comes from its rule and reaches whoever cuts arrays into blocks."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from dere.workflow.script import memory_of
from loaded_workflow import resource, with_script

ROOT = Path(__file__).parents[3]


def test_memory_is_the_resource_in_bytes():
    assert memory_of(SimpleNamespace(resources=SimpleNamespace(mem_mb=4000))) == 4_000_000_000
    assert memory_of(SimpleNamespace(resources=SimpleNamespace())) is None


@pytest.mark.parametrize("rule", ["ingest_simulation", "harmonise", "statistics"])
def test_rules_that_read_simulations_stay_within_four_gigabytes(rule):
    script = (ROOT / "workflow" / "scripts" / f"{rule}.py").read_text()
    assert "memory_of(snakemake)" in script
    assert 0 < resource(with_script("tiny")[rule], "mem_mb") <= 4000


@pytest.mark.parametrize("rule", ["map_dere", "products", "evaluate", "figures"])
def test_memory_of_what_goes_in_blocks_of_cells_does_not_depend_on_its_input(rule):
    """A number: a function of the files that a job reads would be asked for their sizes."""
    assert 0 < resource(with_script("tiny")[rule], "mem_mb") <= 8000
