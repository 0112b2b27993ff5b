"""``dere interval`` on the finished tiny run: sites and cells, and what ends in a sentence."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

import dere
from dere.cli import main


@pytest.fixture(scope="module")
def run(tiny):
    return dere.open_run(tiny.folder / "results" / "tiny")


@pytest.fixture(scope="module")
def site(run):
    """A site that no model has seen, and its predicted months."""
    with run.ensemble("dere") as file:
        ids = file["site"].values[file["role"].values.astype(str) == "unseen"]
        months = file["time"].values[file["prediction"].sel(site=ids[0]).notnull().all("flux").values]
    return str(ids[0]), months.astype("datetime64[M]").astype(str)


def test_a_year_of_a_site_is_the_sum_of_its_months_with_a_narrower_interval(run, site):
    name, months = site
    found = dere.interval(run, name, first=months[0], last=months[11], method="dere").set_index("flux")
    with run.predictions("dere") as file:
        here = file.sel(site=name, time=slice(months[0], months[11])).transpose("time", "flux", ...)
        days = here["time"].dt.days_in_month.values
        expected = (here["prediction"].values * days[:, None]).sum(0)
        wide, single = (here["std"].values * days[:, None]).sum(0), here["std"].values * days[:, None]
    np.testing.assert_allclose(found["total"], expected, rtol=1e-9)
    assert found.loc["nee", "total"] == pytest.approx(found.loc["reco", "total"] - found.loc["gpp", "total"])
    assert (found["low"] < found["total"]).all() and (found["total"] < found["high"]).all()
    assert (found["low"][["gpp", "reco"]] >= 0).all() and set(found["unit"]) == {"gC m-2"}
    assert (found["std"] < wide).all() and found.loc["nee", "std"] > np.sqrt((single**2).sum(0))[2] * 0.5
    narrow = dere.interval(run, [name], first=months[0], last=months[11], method="dere", level=0.5).set_index("flux")
    assert (narrow["high"] - narrow["low"] < found["high"] - found["low"]).all()


def test_all_cells_of_a_year_are_the_total_of_the_table(run):
    table = pd.read_csv(run.folder / "tables" / "totals.csv").query("source == 'product' and region == 'global'")
    year = int(table["year"].min())
    found = dere.interval(run, first=f"{year}-01", last=f"{year}-12").set_index("flux")
    own = table[table["year"] == year].set_index("flux")
    np.testing.assert_allclose(found["total"], own["total_pgc"].reindex(found.index), rtol=1e-5)
    np.testing.assert_allclose(found["std"], own["std_pgc"].reindex(found.index), rtol=1e-6)
    assert set(found["unit"]) == {"PgC"} and (found["std"] > 0).all()
    north = dere.interval(run, box=(0, 90, -180, 180), first=f"{year}-01", last=f"{year}-12").set_index("flux")
    assert 0 < north.loc["gpp", "total"] < found.loc["gpp", "total"]


def test_annual_maps_are_beside_the_monthly_ones(run):
    paths = sorted((run.folder / "products" / "annual").glob("*.nc"))
    assert [path.name.split("_")[:2] for path in paths] == [["gpp", "yr"], ["nee", "yr"], ["reco", "yr"]]
    with xr.open_dataset(paths[0]) as file:
        assert {"gpp", "gpp_std", "gpp_q05", "gpp_q50", "gpp_q95"} <= set(file.variables)
    calibration = pd.read_csv(run.folder / "tables" / "calibration.csv")
    assert set(calibration.query("grouping == 'map'")["scale"]) == {"monthly", "annual"}


def test_the_command_shows_and_writes_the_sum(run, site, tmp_path):
    words = [
        "interval",
        str(run.folder),
        site[0],
        "--first",
        site[1][0],
        "--last",
        site[1][5],
        "--csv",
        str(tmp_path / "s.csv"),
    ]
    shown = CliRunner().invoke(main, words)
    assert shown.exit_code == 0, shown.output
    assert "90 % interval" in shown.output and "gC m-2" in shown.output
    assert list(pd.read_csv(tmp_path / "s.csv")["flux"]) == ["gpp", "reco", "nee"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["XX-None"], "XX-None is no site of tiny; tables/sites.csv lists them"),
        (["SITE", "--first", "1950-01"], "is predicted in"),
        (["SITE", "--first", "soon"], "soon is no month; give one like 2005-01"),
        (["SITE", "--box", "0", "10", "0", "10"], "both sites and box are given"),
        (["--box", "-89", "-88", "0", "1"], "holds the centre of no predicted cell; widen it"),
        (["--box", "0", "10", "5", "5"], "west 5 and east 5 are the same, so that it has no width"),
        (["--box", "10", "0", "0", "1"], "south 10 and north 0 are no latitudes in order"),
        (["SITE", "--level", "90"], "level is 90.0, but must lie between 0 and 1"),
        (["SITE", "--method", "none"], "method: none is none of the run's"),
    ],
)
def test_bad_words_end_in_one_sentence(run, site, words, sentence):
    given = [site[0] if word == "SITE" else word for word in words]
    shown = CliRunner().invoke(main, ["interval", str(run.folder), *given])
    assert shown.exit_code == 1 and sentence in shown.output and shown.output.count("\n") == 1
