"""Every column of every table has a meaning, once; docs/tables.md is written from it."""

import re
from pathlib import Path

import pytest

from dere import exchange
from dere.evaluation import imputation_table
from dere.evaluation.schemas import TABLES, schema
from dere.harmonise.citations import CITATION_COLUMNS
from dere.ingest import provenance
from dere.products import sites
from dere.run_config.root import normalise
from dere.tables import declared, render
from dere.tables.declared import SCORES, Column, Table, plain, table_of, tables
from dere.tables.scores import undeclared, with_scores
from dere.workflow import targets

DOCS = Path(__file__).parents[3] / "docs"
REFERENCES = list(targets.references(normalise({})))
CO2, CH4 = exchange.get(exchange.DEFAULT), exchange.get("ch4")
SCHEMAS = {name: schema(name, CO2, REFERENCES) for name in TABLES} | {"imputation": imputation_table.schema(CO2)}
BESIDE = {"totals": {"source"}}
"""Columns that a table has beside its schema: where a total comes from."""


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_column_of_a_schema_is_declared_and_every_declared_one_exists(name):
    table, there = with_scores(tables()[name]), set(SCHEMAS[name].columns) | BESIDE.get(name, set())
    assert undeclared(table, there) == []
    exact = {column for one in table.columns for column in one.names if "*" not in column}
    assert exact <= there


def test_tables_of_methane_are_declared_too():
    for name in TABLES:
        assert undeclared(tables()[name], schema(name, CH4, REFERENCES).columns) == []


@pytest.mark.parametrize(
    ("name", "columns"),
    [("sites", sites.COLUMNS), ("citations", CITATION_COLUMNS), ("provenance", provenance.COLUMNS)],
)
def test_columns_of_tables_without_a_schema_are_declared(name, columns):
    assert undeclared(tables()[name], columns) == []


def test_the_pages_are_what_is_declared():
    assert render.main(["--check", str(DOCS)]) == 0, "run make config"


def test_every_table_has_its_columns_on_a_page():
    shown = {
        name for page in render.PAGES for name in re.findall(r"<!-- columns: (\w+) -->", (DOCS / page).read_text())
    }
    assert shown == set(tables())


def test_a_changed_meaning_is_written_and_a_wrong_page_is_told_of(tmp_path, capsys):
    for page in render.PAGES:
        text = (DOCS / page).read_text()
        (tmp_path / page).write_text(text.replace("scores over towers", "something else"))
    assert render.main(["--check", str(tmp_path)]) == 1
    assert "tables.md is not what dere.tables declares" in capsys.readouterr().err
    assert render.main([str(tmp_path)]) == 0 == render.main(["--check", str(tmp_path)])
    assert (tmp_path / "tables.md").read_text() == (DOCS / "tables.md").read_text()


def test_a_block_of_no_table_is_refused():
    with pytest.raises(ValueError, match="names nothing, which is no table"):
        render.rendered("<!-- columns: nothing -->\n<!-- end -->\n")


def test_a_name_comes_before_a_pattern_and_patterns_in_their_order():
    table = Table(
        "one", (), "", (), (Column(("a_*_low",), "ends"), Column(("a_*",), "ratio"), Column(("a_b",), "itself"))
    )
    assert [table.column(name).meaning for name in ("a_b", "a_c", "a_c_low")] == ["itself", "ratio", "ends"]
    assert table.column("b") is None and undeclared(table, ["a_b", "b"]) == ["b"]
    assert SCORES in {name for column in tables()["skill"].columns for name in column.names}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("tables/skill.csv", "skill"),
        ("ch4/tables/skill.csv", "skill"),
        ("tables/sources_cover.csv", "sources"),
        ("models/lags/fold0/seed0/pure/history.csv", "history"),
        ("products/towers.csv.gz", "towers"),
    ],
)
def test_a_file_is_found_by_its_path(file, name):
    assert table_of(file).name == name


def test_a_tooltip_has_no_marks():
    assert plain("as in `skill.csv`, see [data.md](data.md#rules)") == "as in skill.csv, see data.md"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("skill,nse,1,efficiency\nskill,nse rmse,1,scores\n", "declares nse of skill twice"),
        ("skill,nse,1,\n", "no name or no meaning"),
        ("unknown,nse,1,efficiency\n", "columns of unknown, which tables.csv lacks"),
    ],
)
def test_a_wrong_declaration_is_refused(rows, said, monkeypatch, tmp_path):
    (tmp_path / "columns.csv").write_text(f"table,columns,unit,meaning\n{rows}")
    (tmp_path / "tables.csv").write_text("table,files,says,made_by\nskill,tables/skill.csv,scores,evaluate\n")
    monkeypatch.setattr(declared.resources, "files", lambda package: tmp_path)
    tables.cache_clear()
    try:
        with pytest.raises(ValueError, match=said):
            tables()
    finally:
        tables.cache_clear()
