"""Bad input of every format ends in a sentence of our own, in counted gaps or in the same numbers; never otherwise."""

from importlib import import_module
from pathlib import Path

import pytest
from mutations.cases import verdict

FOLDER = Path(__file__).parents[2] / "fixtures" / "mutations"
GENERIC = {"__init__", "cases", "tables", "arrays", "netcdf"}
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in GENERIC)
CASES = [case for name in MODULES for case in import_module(f"mutations.{name}").cases()]


def test_there_are_enough_variants_of_every_format():
    assert len(CASES) >= 300
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input(case, tmp_path, caplog):
    folder = tmp_path / "read"
    folder.mkdir()
    assert verdict(case, folder, caplog) == ""
