"""What was dropped, filled or replaced, from tables that the jobs write."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.harmonise import changes
from dere.harmonise.changes import Change, changes_in, lines, table_of
from dere.harmonise.outcome import outcome
from dere.ingest.accounts import Account
from dere.ingest.accounts import table_of as table_of_accounts
from dere.ingest.tower import tower_provenance
from dere.ingest.unread import DROPPED, IGNORED, METADATA, PASSED_OVER, READ


def texts(found):
    return [f"{change.kind} {change}" for change in found]


def test_files_that_nobody_reads_and_files_at_fault():
    accounts = [
        Account("f", "a.csv", "", READ, site="XX-Aaa"),
        Account("f", "bif.csv", "", METADATA),
        Account("f", "README.md", "", PASSED_OVER, why="beside the data, for people"),
        *(Account("f", f"{name}.dat", "", IGNORED, why="format not recognised") for name in "bcde"),
        Account("f", "all.zip", "inner.7z", IGNORED, why="archive of a type that is not opened"),
        Account("f", "g.csv", "", DROPPED, why="g.csv is truncated: fetch it again"),
    ]
    found = changes.of_files("ingest_towers", table_of_accounts(accounts), "tables/sources.csv")
    assert texts(found) == [
        "dropped 4 files: not read, format not recognised (b.dat, c.dat, d.dat, ...)",
        "dropped 1 file: not read, archive of a type that is not opened (inner.7z)",
        "dropped 1 file: at fault (g.csv is truncated: fetch it again)",
    ]
    assert {change.where for change in found} == {"tables/sources.csv"}
    assert changes.of_files("ingest_cover", table_of_accounts([]), "") == []


def test_sites_that_are_left_out_by_the_rule_that_did_so():
    provenance = pd.DataFrame(
        {
            "site": ["XX-Aaa", "XX-Bbb", "XX-Bbb", "XX-Ccc", None, "XX-Ddd"],
            "role": [
                "fluxes",
                "dropped: Bbb is wet",
                "dropped: Bbb is late",
                "fluxes",
                "dropped: bif",
                "dropped: twice",
            ],
            "dropped": ["", "", "", "site XX-Ccc lacks vpd", None, ""],
        }
    )
    # of XX-Ddd another file is used
    assert texts(changes.of_sites(provenance, ["XX-Aaa", "XX-Ddd"])) == [
        "dropped 1 site: left out (Bbb is wet)",
        "dropped 1 site: left out (site XX-Ccc lacks vpd)",
    ]
    assert changes.of_sites(pd.DataFrame(columns=["source", "file"]), []) == []


def test_roles_are_written_as_they_are_read():
    assert changes.ROLE_DROPPED == tower_provenance.DROPPED


def test_files_of_which_another_is_used():
    merged = pd.DataFrame({"site": ["XX-Aaa"] * 3, "file": ["1", "2", "3"], "used": [True, False, False]})
    assert texts(changes.of_merged(merged)) == ["replaced 2 files at 1 site: another file of the site is used (2, 3)"]
    assert changes.of_merged(merged[merged["used"]]) == []


def test_months_and_values():
    rows = [
        ("XX-Aaa", "ingest", "nee: impossible", 7),
        ("XX-Aaa", "labels", "kept", 90),
        ("XX-Aaa", "labels", "no_nee", 30),
        ("XX-Aaa", "labels", "missing", 30),
        ("XX-Aaa", "labels", "closure", 4),
        ("XX-Bbb", "labels", "closure", 1),
        ("XX-Bbb", "labels", "outside the simulation's months", 2),
        ("XX-Bbb", "nee alone", "closure", 1),
        ("XX-Aaa", "drivers", "vpd: tower", 9),
        ("XX-Aaa", "drivers", "vpd: climatology", 5),
        ("XX-Bbb", "drivers", "co2: global record", 12),
        ("XX-Bbb", "drivers", "all: covering cell", 12),
    ]
    counts = pd.DataFrame(rows, columns=["site", "step", "reason", "months"])
    nowhere = xr.Dataset(coords={"site": ["XX-Aaa"]})
    assert outcome(counts, nowhere, ["XX-Ccc"]) == (
        "sites left out: 1, label months rejected: 7, driver months filled by climatology: 5"
    )
    assert outcome(counts[:0], nowhere) == ""
    assert texts(changes.of_months("harmonise", counts, "data/counts.csv")) == [
        "dropped 7 values at 1 site: nee, marks of missing values or impossible (XX-Aaa)",
        "dropped 5 label months at 2 sites: published RECO differs from NEE + GPP (XX-Aaa, XX-Bbb)",
        "dropped 2 label months at 1 site: outside the simulation's months (XX-Bbb)",
        "filled 5 driver months at 1 site: vpd by the site's climatology (XX-Aaa)",
        "replaced 12 driver months at 1 site: co2 by the global record (XX-Bbb)",
        "replaced 12 driver months at 1 site: all drivers by the covering cell (XX-Bbb)",
    ]


def test_towers_without_labels_tables_of_classes_and_unseen_months():
    sites = ["XX-Aaa", "XX-Bbb", "XX-Ccc", "XX-Ddd"]
    of_sites = {
        "kind": ["tower", "predict", "predict", "tower"],
        "cover_source": ["own", "igbp", "cell", "pixels"],
        "age_source": ["igbp", "igbp", "cell", "own"],
        "igbp": ["ENF", "DBF", "", "GRA"],
    }
    record = np.array([[True, True], [True, False], [True, True], [False, False]])
    mask = np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    towers = xr.Dataset(
        {"record": (("site", "time"), record), "lai_mask": (("site", "time"), mask)},
        coords={"site": sites, **{name: ("site", values) for name, values in of_sites.items()}},
    )
    counts = pd.DataFrame({"site": ["XX-Aaa", "XX-Bbb"], "step": "labels", "reason": "kept", "months": [9, 3]})
    assert outcome(counts, towers) == "sites with the plant types of their class: 1"
    # XX-Ccc never had a label
    assert texts(changes.of_towers("harmonise", towers, counts, "data/towers.nc")) == [
        "dropped 1 site: labels too few or too poor to learn from (XX-Bbb)",
        "replaced 1 site: plant types by the table of the class (XX-Bbb)",
        "replaced 2 sites: stand ages by the table of the class (XX-Aaa, XX-Bbb)",
        "replaced 1 site: class derived from its plant types and climate (XX-Ccc)",
        "filled 1 month at 1 site: lai where no satellite saw it (XX-Aaa)",
    ]


def test_imputed_labels():
    origin = xr.DataArray(
        np.array([[0, 1, 2], [2, 2, 3]]),
        dims=("site", "time"),
        attrs={"flag_values": np.arange(4), "flag_meanings": "none observed imputed partly_observed"},
    )
    labels = xr.Dataset({"origin": origin}, coords={"site": ["XX-Aaa", "XX-Bbb"]}, attrs={"fold": 2})
    assert texts(changes.of_labels(labels, "labels.nc")) == [
        "filled 3 label months at 2 sites: imputed for stages that learn from them (fold 2)",
        "filled 1 label month at 1 site: GPP and RECO imputed beside NEE for stages that learn from them (fold 2)",
    ]


@pytest.fixture
def some():
    """Return six changes of which five are of one kind."""
    row = {"rule": "harmonise", "number": 1, "unit": "months", "sites": 1, "first": "", "where": "data/counts.csv"}
    dropped = [Change(kind="dropped", what=f"reason {number}", **row) for number in range(5)]
    return [Change(kind="filled", what="vpd", **row), *dropped]


def test_lines_are_few_and_in_the_order_of_the_kinds(some):
    assert lines(some) == [
        *(f"dropped 1 month at 1 site: reason {number}" for number in range(4)),
        "dropped 1 more kinds",
        "filled 1 month at 1 site: vpd",
    ]
    assert lines([]) == []


def test_a_table_holds_what_it_was_made_of(some, tmp_path):
    path = tmp_path / "changes.csv"
    table_of(some).to_csv(path, index=False)
    assert changes_in(pd.read_csv(path)) == [*some[1:], some[0]]
    assert changes_in(table_of([])) == []
