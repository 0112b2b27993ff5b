"""The table of changes and its part of the report's first page are made of the files of a run."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.io import write_netcdf, write_table
from dere.workflow import summary
from dere.workflow.changes import page_of, write_changes

COLUMNS = ["folder", "file", "member", "what", "source", "product", "why", "site", "bytes"]


@pytest.fixture
def made(tmp_path):
    """Return a function that writes the files of a run whose tower folder holds these ignored files."""

    def write(ignored):
        accounts = [("f", name, "", "ignored", "", "", "format not recognised", "", 1) for name in ignored]
        tables = {
            "sources_towers": pd.DataFrame(accounts, columns=COLUMNS),
            "merged": pd.DataFrame(columns=["site", "file", "processing", "rank", "used", "reason"]),
            "provenance": pd.DataFrame({"site": ["XX-Aaa"], "role": ["fluxes"], "dropped": [""]}),
            "counts": pd.DataFrame(columns=["site", "step", "reason", "months"]),
        }
        files = {name: write_table(table, tmp_path / f"{name}.csv") for name, table in tables.items()}
        files["sources_cover"] = tmp_path / "cover.csv"
        files["sources_cover"].write_text("\n")
        towers = xr.Dataset(
            {"record": (("site", "time"), np.ones((1, 2), bool))},
            coords={"site": ["XX-Aaa"], "kind": ("site", ["tower"])},
        )
        files["towers"] = write_netcdf(towers, tmp_path / "towers.nc")
        table, page = tmp_path / "tables" / "changes.csv", tmp_path / "changes.html"
        write_changes(files, "co2", table, page)
        return page.read_text()

    return write


def test_names_from_files_are_no_markup_of_the_page(made, tmp_path):
    page = made(["<script>alert(1)</script>.dat"])
    assert "&lt;script&gt;" in page and "<script" not in page
    assert "dropped 1 file: not read, format not recognised (<script>alert(1)</script>.dat)" in summary.changed(
        tmp_path
    )


def test_nothing_is_one_line(made, tmp_path):
    assert made([]) == "<p>Nothing was dropped, filled or replaced.</p>\n" == page_of([])
    assert summary.changed(tmp_path) == "Nothing was dropped, filled or replaced.\n\n"


def test_a_run_without_the_table_says_nothing_of_it(tmp_path):
    assert summary.changed(tmp_path) == ""
