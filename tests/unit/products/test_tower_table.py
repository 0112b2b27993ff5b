"""The tower table."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.products.towers import tower_table
from dere.variables import FLUXES


@pytest.fixture
def towers() -> xr.Dataset:
    time = pd.date_range("2001-01-15", periods=3, freq="MS") + pd.Timedelta(days=14)
    values = np.arange(18.0).reshape(2, 3, 3)
    values[1, 2] = np.nan
    return xr.Dataset(
        {
            "flux_value": (("site", "time", "flux"), values),
            "flux_quality": (("site", "time", "flux"), np.full((2, 3, 3), 0.8)),
        },
        coords={
            "site": ["AA", "BB"],
            "time": time,
            "flux": list(FLUXES),
            "igbp": ("site", ["ENF", "GRA"]),
            "koppen": ("site", ["Dfb", "Cfb"]),
            "lat": ("site", [60.0, 45.0]),
            "lon": ("site", [20.0, 5.0]),
        },
    )


@pytest.fixture
def predictions(towers) -> xr.Dataset:
    mean = towers["flux_value"].values.copy() + 1.0
    mean[1, 2] = 9.0
    mean[0, 0] = np.nan  # outside the record
    dims = ("site", "time", "flux")
    return xr.Dataset(
        {
            "prediction": (dims, mean),
            "quantile_value": ((*dims, "quantile"), mean[..., None] + np.array([-1.0, 1.0])),
        },
        coords={"site": ["AA", "BB"], "time": towers["time"], "flux": list(FLUXES), "quantile": [0.05, 0.95]},
        attrs={"fold": 2, "seed": 1},
    )


def test_rows_hold_what_others_need_to_compute_scores(predictions, towers):
    table = tower_table(predictions, towers)
    assert len(table) == 15  # two sites, three months, three fluxes, less one month without prediction
    row = table[(table["site"] == "BB") & (table["time"] == "2001-03") & (table["flux"] == "reco")].iloc[0]
    assert (row["observed"], row["predicted"], row["q05"], row["q95"]) == (13.0, 14.0, 13.0, 15.0)
    assert (row["fold"], row["seed"], row["igbp"], row["quality"]) == (2, 1, "GRA", 0.8)
    unseen = table[(table["site"] == "BB") & (table["time"] == "2001-04")]
    assert unseen["observed"].isna().all() and (unseen["predicted"] == 9.0).all()


def test_rows_name_their_invented_sources(predictions, towers):
    assert (tower_table(predictions, towers)["invented_sources"] == "").all()
    mixed = tower_table(predictions.assign_attrs(invented_sources="simulation; cover"), towers)
    assert (mixed["invented_sources"] == "simulation; cover").all()


def test_rows_say_what_the_prediction_is_worth(predictions, towers):
    worth = predictions.assign_coords(role=("site", ["unseen", "seen_in_training"]))
    table = tower_table(worth, towers).drop_duplicates("site").set_index("site")
    assert table["role"].to_dict() == {"AA": "unseen", "BB": "seen_in_training"}


def test_the_fold_of_an_ensemble_comes_from_its_sites(predictions, towers):
    ensemble = predictions.assign_coords(fold=("site", [0, 4])).assign_attrs(fold="all", seed="ensemble")
    table = tower_table(ensemble, towers)
    assert dict(table.groupby("site")["fold"].first()) == {"AA": 0, "BB": 4}
    assert set(table["seed"]) == {"ensemble"}


def test_an_unknown_site_is_named(predictions, towers):
    with pytest.raises(ValueError, match="first: BB"):
        tower_table(predictions, towers.isel(site=[0]))
