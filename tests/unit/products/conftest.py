"""A small planet of constant or random fluxes in the shape the network stage hands over."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.products.grid import Grid
from dere.variables import FLUXES

DEGREES = 30.0


@pytest.fixture
def drivers() -> xr.Dataset:
    """Five cells of a 30 degree grid, row 0 = north, with land fractions."""
    grid = Grid(DEGREES)
    rows, columns = np.array([4, 4, 3, 2, 1]), np.array([0, 5, 7, 11, 3])
    cell = (grid.shape[0] - 1 - rows) * grid.shape[1] + columns
    return xr.Dataset(
        coords={
            "cell": cell,
            "lat": ("cell", grid.lat[rows]),
            "lon": ("cell", grid.lon[columns]),
            "land_fraction": ("cell", np.array([1.0, 0.5, 0.25, 0.9, 0.7])),
            "cell_area": ("cell", grid.area[rows, columns]),
        },
        attrs={"grid_degrees": DEGREES},
    )


@pytest.fixture
def cover(drivers: xr.Dataset) -> xr.Dataset:
    share = np.array([[1.0, 0.9], [0.5, 0.5], [0.0, 0.0], [0.8, 0.7], [0.3, 0.3]])
    return xr.Dataset(
        {"vegetated_fraction": (("cell", "year"), share)}, coords={"cell": drivers["cell"].values, "year": [2001, 2002]}
    )


@pytest.fixture
def predictions(drivers: xr.Dataset) -> xr.Dataset:
    """Two years of closing random fluxes with std and quantiles."""
    rng = np.random.default_rng(0)
    time = pd.period_range("2001-01", periods=24, freq="M").start_time + pd.Timedelta(days=14)
    cells = drivers.sizes["cell"]
    gpp, reco = rng.gamma(2.0, 2.0, (2, cells, 24))
    flux = np.stack([gpp, reco, reco - gpp], axis=-1).astype("float32")
    quantiles = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    spread = np.array([-1.6, -0.7, 0.0, 0.7, 1.6])
    dims = ("cell", "time", "flux")
    return xr.Dataset(
        {
            "prediction": (dims, flux),
            "std": (dims, np.full_like(flux, 0.5)),
            "quantile_value": ((*dims, "quantile"), flux[..., None] + 0.5 * spread),
            "extrapolation_index": ("cell", rng.random(cells)),
        },
        coords={"cell": drivers["cell"].values, "time": time, "flux": list(FLUXES), "quantile": quantiles},
        attrs={"method": "dere", "backbone": "transformer", "fold": 0, "seed": 0},
    )
