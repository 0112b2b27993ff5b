"""The code of a rule that reads data sets holds those of its run's files, and no other."""

import pytest

from dere.ingest.source import declarations
from dere.run_config.root import normalise
from dere.workflow import source_modules
from loaded_workflow import code_of, parameters, with_script

TOWER, COVER = "dere.ingest.tower", "dere.ingest.cover"
SIMULATION = "dere.ingest.simulation.carbonglobe_source"
TABLE, GFAD, MPI = (f"{COVER}.{name}_source" for name in ("age_table", "gfad", "mpi_bgc"))
RULES = {
    "ingest_towers": (f"{TOWER}.badm", f"{TOWER}.fluxnet"),
    "ingest_cover": (TABLE,),
    "ingest_simulation": (SIMULATION,),
}


def run(**sources):
    return normalise({"sources": sources})


@pytest.mark.parametrize("rule", RULES)
def test_the_built_in_world_reads_its_own_formats(rule):
    rule, expected = with_script("tiny")[rule], RULES[rule]
    assert tuple(parameters(rule)["sources"]) == expected
    code = code_of(rule)
    assert {*expected, *source_modules.with_readers(expected)} <= code
    # what the cover knows of its two tables by site stands in their declarations
    others = set(declarations()) - {*expected, TABLE, f"{COVER}.esacci_source"}
    assert not others & code
    assert source_modules.ARRAYS not in code


def test_towers_in_files_are_told_by_their_names(tmp_path):
    (tmp_path / "obs_XX-Cou_daily.csv").touch()
    found = source_modules.of_towers(run(towers={"paths": [str(tmp_path)]}))
    assert found == (f"{TOWER}.fluxcourse",)
    assert source_modules.with_readers(found) == (*found, f"{TOWER}.fluxcourse.table")


def test_what_lies_in_the_arrays_is_read_by_them():
    config = run()
    config["sources"]["simulation"]["format"] = "dere"
    config["sources"]["towers"]["provider"] = config["sources"]["cover"]["provider"] = "dere"
    assert source_modules.of_towers(config) == source_modules.of_ages(config) == ()
    assert source_modules.arrays_code(config, "towers") == (source_modules.ARRAYS,)
    assert source_modules.of_simulation(config) == ("dere.ingest.arrays.dere_source",)


def test_stand_ages_are_told_by_their_names(tmp_path):
    def ages(**cover):
        return source_modules.of_ages(run(cover=cover))

    maps = {"path": str(tmp_path)}
    assert ages() == (TABLE,) and ages(provider="igbp") == ()
    assert ages(**maps) == (TABLE, GFAD, MPI), "the job says what is missing"
    (tmp_path / "GFAD_V1-1.nc").touch()
    assert ages(**maps) == ages(provider="igbp", age=maps) == (GFAD,)
    assert ages(**maps, age={"format": "mpi_bgc", "path": str(tmp_path / "GFAD_V1-1.nc")}) == (MPI,)
