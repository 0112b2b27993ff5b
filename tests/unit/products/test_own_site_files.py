"""Files of predictions at own sites: CF time series that close, the same numbers as a table, nothing half-written."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.exchange.co2 import EXCHANGE
from dere.ingest.months import mid_months
from dere.products.own_site_files import monthly_table, time_series, write

FACTOR = 86400e3


@pytest.fixture
def predictions():
    rng = np.random.default_rng(0)
    mean = EXCHANGE.close(np.stack([rng.uniform(1, 9, (2, 5)), rng.uniform(1, 5, (2, 5)), np.zeros((2, 5))], -1))
    record = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], bool)
    values = np.where(record[..., None], mean, np.nan)
    dims = ("site", "time", "flux")
    quantiles = values[..., None] + np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    return xr.Dataset(
        {
            "prediction": (dims, values),
            "std": (dims, np.where(np.isfinite(values), 1.2, np.nan)),
            "quantile_value": ((*dims, "quantile"), quantiles),
            "record": (dims[:2], record),
            "extrapolation_index": (dims[:2], np.where(record, 0.4, np.nan)),
        },
        coords={
            "site": np.array(["ZZ-A", "ZZ-B"], object),
            "time": mid_months(2001 * 12, 5),
            "flux": list(EXCHANGE.names),
            "quantile": [0.05, 0.25, 0.5, 0.75, 0.95],
            "lat": ("site", [50.0, -10.0]),
            "lon": ("site", [7.0, 30.0]),
            "igbp": ("site", ["ENF", "SAV"]),
            "known_as": ("site", ["", "XX-B"]),
        },
        attrs={"method": "gbm", "backbone": "none", "folds": "0 1", "seeds": "0", "run": "mine", "split": "abc"},
    )


def test_the_table_has_a_row_for_each_month_of_a_record(predictions):
    table = monthly_table(predictions)
    assert table.groupby("site")["month"].agg(list).to_dict() == {
        "ZZ-A": ["2001-01", "2001-02", "2001-03"],
        "ZZ-B": ["2001-03", "2001-04", "2001-05"],
    }
    spread = [f"{flux}_{kind}" for flux in EXCHANGE.names for kind in ("std", "q05", "q50", "q95")]
    assert list(table) == ["site", "month", *EXCHANGE.names, *spread, "extrapolation_index", "known_as"]
    np.testing.assert_allclose(table["reco"], table["gpp"] + table["nee"])
    np.testing.assert_allclose(table["gpp_q95"] - table["gpp"], 2.0)
    assert table["known_as"].tolist() == [""] * 3 + ["XX-B"] * 3


def test_a_method_without_quantiles_has_no_columns_of_them(predictions):
    table = monthly_table(predictions.drop_vars(["std", "quantile_value"]))
    assert list(table) == ["site", "month", *EXCHANGE.names, "extrapolation_index", "known_as"]


def test_the_series_are_cf_time_series_in_public_units(predictions, tmp_path):
    write(predictions, pd.DataFrame({"site": ["ZZ-A", "ZZ-B"]}), tmp_path / "out")
    with xr.open_dataset(tmp_path / "out" / "predictions.nc") as found:
        assert found.attrs["Conventions"] == "CF-1.8" and found.attrs["featureType"] == "timeSeries"
        assert found["site"].attrs["cf_role"] == "timeseries_id" and found["gpp"].dims == ("station", "time")
        assert found["gpp"].attrs["units"] == "kg m-2 s-1"
        assert found["gpp"].attrs["standard_name"] == EXCHANGE.flux("gpp").standard_name
        assert found["gpp_std"].attrs["standard_name"].endswith(" standard_error")
        assert {"lat", "lon", "site"} <= set(found["gpp"].encoding["coordinates"].split())
        inside = predictions["record"].values
        for flux in EXCHANGE.names:
            mean = predictions["prediction"].sel(flux=flux).values
            np.testing.assert_allclose(found[flux].values * FACTOR, mean)
            assert (np.isfinite(found[flux].values) == inside).all()
        bounds = found["time_bnds"].values.astype("datetime64[D]").astype(str)
        assert bounds[1].tolist() == ["2001-02-01", "2001-03-01"]
        table = pd.read_csv(tmp_path / "out" / "predictions.csv")
        np.testing.assert_allclose(found["nee_q05"].values[inside] * FACTOR, table["nee_q05"], rtol=1e-6)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "predictions.csv",
        "predictions.nc",
        "sites.csv",
    ]
    assert "kg" not in time_series(predictions)["extrapolation_index"].attrs["units"]


def test_a_folder_that_holds_anything_is_left_alone(predictions, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    sites = pd.DataFrame({"site": ["ZZ-A", "ZZ-B"]})
    with pytest.raises(ValueError, match="is not empty; give another folder, or say --overwrite"):
        write(predictions, sites, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    write(predictions, sites, tmp_path, overwrite=True)
    assert (tmp_path / "notes.txt").read_text() == "mine" and (tmp_path / "sites.csv").exists()
    with pytest.raises(ValueError, match=r"notes.txt is a file, but a folder"):
        write(predictions, sites, tmp_path / "notes.txt")


def test_nothing_stays_of_a_failure(predictions, tmp_path):
    with pytest.raises(KeyError):
        write(predictions.drop_vars("known_as"), pd.DataFrame(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
