"""Maps written from blocks of cells, some months at a time, are those that are written at once."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere import cell_files
from dere.config.products import ProductsConfig
from dere.exchange.co2 import EXCHANGE
from dere.io import write_netcdf
from dere.products import grid_files
from dere.products.annual import annual_means
from dere.products.attributes import Provenance
from dere.products.files import write_products
from dere.products.grid import Grid
from dere.products.map_blocks import Blocks
from dere.products.totals import totals
from dere.variables import FLUXES


@pytest.mark.parametrize("months", [5, 24])
def test_maps_and_totals_have_the_same_bits_however_they_are_cut(
    predictions, cover, drivers, tmp_path, monkeypatch, months
):
    grid = Grid(float(drivers.attrs["grid_degrees"]))
    monkeypatch.setattr(cell_files, "VALUES", months * grid.shape[0] * grid.shape[1])
    predictions["prediction"] = predictions["prediction"].astype("float64")
    annual = annual_means(predictions, EXCHANGE)
    parts = [np.arange(0, 2), np.arange(2, 5)]

    def files(name, whole):
        return [
            write_netcdf(whole.isel(cell=rows), tmp_path / f"{name}{number}.nc") for number, rows in enumerate(parts)
        ]

    about = cover.assign_coords({name: drivers[name] for name in ("lat", "lon", "land_fraction", "cell_area")})
    about.attrs["grid_degrees"] = grid.degrees
    monthly = files("monthly", predictions)
    cut = Blocks(monthly, files("annual", annual), [monthly], about)
    own = ProductsConfig(), Provenance()
    table = grid_files.write_maps(cut, tmp_path / "blocks", *own, EXCHANGE)
    at_once = write_products(predictions, cover, drivers, tmp_path / "once", *own)
    yearly = write_products(annual, cover, drivers, tmp_path / "once" / "annual", *own, frequency="yr")
    for path in at_once + yearly:
        with (
            xr.open_dataset(path, decode_times=False) as expected,
            xr.open_dataset(tmp_path / "blocks" / path.relative_to(tmp_path / "once"), decode_times=False) as found,
        ):
            assert set(found.variables) == set(expected.variables) and found.sizes["time"] in (2, 24)
            for name in expected.variables:
                np.testing.assert_array_equal(found[name].values, expected[name].values, err_msg=str(name))
    whole = totals({flux: xr.open_dataset(path) for flux, path in zip(FLUXES, at_once, strict=True)})
    pd.testing.assert_frame_equal(table, whole, check_dtype=False)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "blocks" / "totals.csv"), whole, check_dtype=False)


def test_the_status_of_every_cell_and_the_reason_of_those_without_a_prediction(tmp_path):
    status = np.zeros((6, 12), np.int8)
    status[4, 0], status[3, 7] = grid_files.PREDICTED, grid_files.NOT_PREDICTED
    lost = pd.DataFrame({"cell": [31], "lat": [15.0], "lon": [45.0], "reason": ["cell 31 lacks wind"]})
    grid_files.write_status(status, lost, 30.0, tmp_path)
    with xr.open_dataset(tmp_path / "cells.nc") as file:
        assert file["status"].sel(lat=15, lon=45).item() == 2 and int((file["status"] == 1).sum()) == 1
        assert file["status"].attrs["flag_meanings"].split()[1] == "predicted"
    assert pd.read_csv(tmp_path / "cells_not_predicted.csv")["reason"].tolist() == ["cell 31 lacks wind"]
