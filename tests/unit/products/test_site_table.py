"""Every site of a run is listed with its role, and counted in one line."""

import numpy as np
import pandas as pd
import xarray as xr

from dere.products.sites import counted, dropped_sites, site_table

SITES = ["AA", "BB", "CC", "DD"]
FOLDS = [0, 2, -1, 1]
ROLES = ["cross_validated", "seen_in_training", "unseen", "cross_validated"]


def made(folds=(0, 1)):
    flux = np.ones((4, 3, 3))
    flux[2] = np.nan
    flux[0, 0] = np.nan
    flux[1, 1, :2] = np.nan  # a month with NEE alone is a labelled one
    towers = xr.Dataset(
        {"flux_value": (("site", "time", "flux"), flux)}, {"site": SITES, "flux": ["gpp", "reco", "nee"]}
    )
    predictions = xr.Dataset(coords={"site": SITES[::-1], "role": ("site", ROLES[::-1])})
    cells = pd.DataFrame({"id": ["7"], "kind": "cell", "fold": 0})
    splits = pd.concat([cells, pd.DataFrame({"id": SITES, "kind": "site", "fold": FOLDS})])
    return site_table(predictions, towers, splits, folds, {"ZZ": "ZZ: no elevation", "YY": "YY: no weather"})


def test_every_site_has_a_role_and_a_reason():
    table = made()
    assert table["site"].tolist() == [*SITES, "YY", "ZZ"]
    assert table["role"].tolist() == [*ROLES, "dropped", "dropped"]
    assert table["labelled_months"].tolist() == [2, 3, 0, 3, 0, 0]
    assert table["fold"].fillna(-1).tolist() == [0, 2, -1, 1, -1, -1]
    why = dict(zip(table["site"], table["why"], strict=True))
    assert why["AA"] == "test tower of fold 0" and why["ZZ"] == "ZZ: no elevation; see sources.csv"
    assert why["BB"] == ("its fold 2 is not run (folds: 0, 1), so that every model has used its labels; add 2 to folds")
    assert why["CC"].endswith("so that it is in no fold and no model has seen it")


def test_the_line_counts_every_site_once():
    assert counted(made()) == (
        "3 towers: 2 cross-validated, 1 seen in training; 1 site without labels: predicted by what never saw it; "
        "2 dropped"
    )
    assert counted(made().iloc[[0, 2, 2]]) == (
        "1 tower: 1 cross-validated; 2 sites without labels: predicted by what never saw them"
    )


def test_dropped_sites_are_those_that_ingest_or_harmonise_names_and_no_others():
    rows = [
        ("towers", "AA", "data", "", "kept"),
        ("towers", "BB", "dropped: no coordinates", "", "by ingest"),
        ("towers", "CC", "data", "too many gaps", "by harmonise"),
        ("towers", "CC", "superseded", "another reason", "its second file"),
        ("towers", "DD", "superseded", "", "a file that was not used"),
        ("towers", "AA", "dropped: a broken file", "", "of a site that stays by its other file"),
        ("cover", "EE", "dropped: no tower", "", "another source"),
        ("towers", None, "metadata", "", "a table of metadata"),
    ]
    provenance = pd.DataFrame(rows, columns=["source", "site", "role", "dropped", "about"])
    assert dropped_sites(provenance, ["AA"]) == {"BB": "no coordinates", "CC": "too many gaps"}
    assert dropped_sites(provenance[["source", "role"]], ["AA"]) == {}
