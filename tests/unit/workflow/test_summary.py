"""The last lines of a run say what they count."""

import pandas as pd
import xarray as xr

from dere.invented import PROCESS_MODEL, marked
from dere.io import write_netcdf
from dere.workflow import summary


def table():
    """Two methods at 12 test towers (one could score only 11) and 500 virtual ones."""
    rows = []
    for method, sites in (("gbm", 11), ("dere", 12)):
        for grouping, count in (("all", sites), ("virtual", 500)):
            for flux, nse in (("gpp", 0.5), ("reco", 0.25), ("nee", -1.0)):
                rows.append((method, "none", "all", "all", flux, "monthly", grouping, "all", count, "median", nse))
                rows.append((method, "none", "0", "0", flux, "monthly", grouping, "all", 99, "median", nse))
                rows.append((method, "none", "all", "all", flux, "annual", grouping, "all", 77, "median", nse))
    columns = ["method", "backbone", "fold", "seed", "flux", "scale", "grouping", "group", "sites", "statistic", "nse"]
    return pd.DataFrame(rows, columns=columns)


def test_counts_are_those_of_the_scored_places():
    assert summary.counts(table(), 60) == "scored on 12 test towers, 500 virtual towers; 60 towers have labels"


def test_what_is_invented_is_named_but_not_the_process_model_on_real_weather():
    def said(*sources):
        return summary.invented(xr.Dataset(attrs=marked(sources)))

    assert said("cover", "simulation") == "Invented world: cover, simulation\n"
    assert said() == said(PROCESS_MODEL) == ""


def test_the_console_shows_counts_table_and_places(tmp_path, capsys):
    (tmp_path / "tables").mkdir()
    table().to_csv(tmp_path / "tables" / "skill.csv", index=False)
    kinds = xr.Dataset(coords={"kind": ("site", ["tower"] * 3 + ["predict"])})
    write_netcdf(kinds, tmp_path / "data" / "towers.nc")
    sites = {"role": ["cross_validated", "seen_in_training"] * 2, "labelled_months": [9] * 4, "site": list("ABCD")}
    pd.DataFrame(sites).to_csv(tmp_path / "tables" / "sites.csv", index=False)
    summary.main(tmp_path)
    shown = capsys.readouterr().out
    assert "(scored on 12 test towers, 500 virtual towers; 3 towers have labels)" in shown
    assert "\n4 towers: 2 cross-validated, 2 seen in training (tables/sites.csv)\n" in shown
    assert "test towers" in shown and "-1.00" in shown and f"{tmp_path / 'report.html'}" in shown
