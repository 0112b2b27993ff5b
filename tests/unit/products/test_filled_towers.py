"""Filled towers: exact closure, observed months kept, sums member by member, and whole years only."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.imputation.origins import IMPUTED, NOTHING, OBSERVED, PARTLY
from dere.ingest.months import mid_months
from dere.io import write_netcdf
from dere.products.filled_towers import annual, joined, monthly, table, time_series
from dere.variables import FLUXES

MEMBERS, SITES, MONTHS = 20, 3, 30


@pytest.fixture(scope="module")
def labels():
    """From July 2003 on, the last tower for one and a half years."""
    rng = np.random.default_rng(0)
    origin = np.full((SITES, MONTHS), OBSERVED)
    origin[0, 8:11], origin[1, 20] = IMPUTED, PARTLY
    origin[2, 17:] = NOTHING
    nee_reco = rng.normal(size=(SITES, MEMBERS, MONTHS, 2)) * [1.0, 3.0]
    flux = {"nee": nee_reco[..., 0], "reco": nee_reco[..., 1], "gpp": nee_reco[..., 1] - nee_reco[..., 0]}
    sample = np.stack([flux[name] for name in FLUXES], -1)
    sample[np.broadcast_to((origin == NOTHING)[:, None], sample.shape[:3])] = np.nan
    return xr.Dataset(
        {
            "sample": (("site", "sample", "time", "flux"), sample.astype(np.float32)),
            "origin": (("site", "time"), origin.astype(np.int8)),
            "fold": ("site", [0, 0, 1]),
            "role": ("site", np.array(["training", "test", "validation"], object)),
        },
        coords={
            "site": ["A", "B", "C"],
            "time": mid_months(2003 * 12 + 6, MONTHS),
            "flux": list(FLUXES),
            "lat": ("site", [50.0, -30.0, 10.0]),
            "lon": ("site", [1.0, 2.0, 3.0]),
            "igbp": ("site", ["ENF", "GRA", "EBF"]),
        },
    )


def test_members_close_to_the_last_bit_in_files_too(labels, tmp_path):
    months = monthly(labels)
    for name, filled in (("months", months), ("years", annual(months))):
        write_netcdf(time_series(filled, labels, {"title": name}), tmp_path / f"{name}.nc")
        with xr.open_dataset(tmp_path / f"{name}.nc") as file:
            residual = file["reco_member"] - file["gpp_member"] - file["nee_member"]
            assert float(np.abs(residual).max()) == 0.0 and int(residual.notnull().sum()) > 0
            assert float(np.abs(file["reco"] - file["gpp"] - file["nee"]).max()) < 1e-11
            assert file["nee_member"].dims == ("station", "member", "time")
            assert float(np.abs(file["nee_member"].mean("member") - file["nee"]).max()) < 1e-4


def test_members_are_those_of_the_labels(labels):
    wanted = labels["sample"].transpose("sample", "site", "time", "flux").values
    np.testing.assert_allclose(monthly(labels).members, wanted, atol=4e-4)


def test_years_are_sums_of_each_member_over_whole_calendar_years(labels):
    years = annual(monthly(labels))
    # the record ends with December 2005, and the last tower with November 2004
    assert years.time.astype("datetime64[Y]").astype(str).tolist() == ["2004", "2005"]
    days = pd.DatetimeIndex(labels["time"].values[6:18]).days_in_month.values
    own = labels["sample"].sel(site="B", flux="nee").values[:, 6:18].astype(float)
    np.testing.assert_allclose(years.members[:, 1, 0, FLUXES.index("nee")], own @ days, atol=0.1)
    assert np.isnan(years.members[:, 2]).all() and np.isfinite(years.members[:, :2]).all()
    assert years.flags["gpp_observed_months"][0][:2].tolist() == [[9, 12], [12, 11]]
    assert years.flags["nee_observed_months"][0][:2].tolist() == [[9, 12], [12, 12]]


def test_intervals_are_of_a_new_draw(labels):
    found = monthly(labels).statistics()
    drawn = monthly(labels).members[..., FLUXES.index("gpp")]
    ordered = np.sort(drawn[:, 0, 0])
    assert found["gpp_q95"][0, 0] == pytest.approx(ordered[18] + 0.95 * (ordered[19] - ordered[18]))
    assert found["gpp_std"][0, 0] == pytest.approx(drawn[:, 0, 0].std(ddof=1))


def test_tables_have_a_row_for_every_month_and_year_that_a_tower_has(labels):
    months = monthly(labels)
    rows = table(months, labels, "month")
    assert len(rows) == (labels["origin"] != NOTHING).sum() and not rows.isna().any(axis=None)
    assert rows.columns[:4].tolist() == ["site", "month", "origin", "gpp"] and rows["month"][0] == "2003-07"
    counts = rows["origin"].value_counts()
    assert counts["imputed"] == 3 and counts["partly_observed"] == 1 and "none" not in counts
    years = table(annual(months), labels, "year")
    assert years[["site", "year"]].values.tolist() == [["A", "2004"], ["A", "2005"], ["B", "2004"], ["B", "2005"]]
    assert years["role"].tolist() == ["training", "training", "test", "test"]


def test_parts_are_joined_in_the_order_of_the_towers(labels):
    towers = xr.Dataset(
        {"igbp": ("site", ["EBF", "WSA", "GRA", "ENF"])},
        coords={"site": ["C", "X", "B", "A"], "lat": ("site", np.arange(4.0)), "lon": ("site", np.arange(4.0))},
    ).set_coords("igbp")
    bare = labels.drop_vars(["igbp", "lat", "lon"])
    whole = joined([bare.isel(site=[0, 2]), bare.isel(site=[1])], towers)
    assert whole["site"].values.tolist() == ["C", "B", "A"] and whole["fold"].values.tolist() == [1, 0, 0]
    assert whole["igbp"].values.tolist() == ["EBF", "GRA", "ENF"]
    np.testing.assert_array_equal(whole["sample"].sel(site="A"), labels["sample"].sel(site="A"))
