"""Methane joins NEE in quantities of its own, with the factors of AR6."""

import numpy as np
import pytest
import xarray as xr

from dere.exchange.co2 import EXCHANGE as CO2
from dere.products.carbon_to_air import carbon_to_air, in_public_unit, methane_per_cell

UNIT = "gC m-2 d-1"
SOURCE = "an invented map of 2001"


def field(values, unit=UNIT):
    return xr.DataArray(np.array(values, float), dims=("cell", "time"), attrs={"units": unit})


def share(values):
    return xr.DataArray(np.array(values, float), dims="cell")


def test_a_cell_emits_by_its_wetland_and_unknown_wetland_stays_unknown():
    found = methane_per_cell(field([[0.1, 0.2], [np.nan, 0.1], [0.1, 0.1]]), share([0.25, 0.0, np.nan]), SOURCE)
    np.testing.assert_allclose(found, [[0.025, 0.05], [0.0, 0.0], [np.nan, np.nan]])
    assert found.attrs["units"] == UNIT and found.attrs["wetland_fraction_source"] == SOURCE


def test_percent_and_a_map_without_name_are_refused():
    with pytest.raises(ValueError, match=r"runs from 25 to 25, but a share.*divide percent by 100"):
        methane_per_cell(field([[0.1]]), share([25.0]), SOURCE)
    with pytest.raises(ValueError, match="name them"):
        methane_per_cell(field([[0.1]]), share([0.5]), "")


def test_sums_by_hand():
    """-0.1 gC as CO2 is -0.3664 gCO2, 0.02 gC as methane 0.02671 gCH4, which counts 27 times."""
    found = carbon_to_air(field([[-0.1]]), field([[0.02]]))
    assert found["net_carbon_to_air"].item() == pytest.approx(-0.08)
    assert found["co2_equivalent"].item() == pytest.approx(-0.3664 + 27.0 * 0.02 * 16.043 / 12.011, rel=1e-3)
    assert found["co2_equivalent"].item() == pytest.approx(0.355, abs=1e-3)
    assert found["net_carbon_to_air"].attrs["units"] == UNIT
    assert found["co2_equivalent"].attrs["units"] == "gCO2e m-2 d-1"
    assert all("long_name" in variable.attrs for variable in found.values())
    assert not set(found) & set(CO2.names)


def test_another_unit_is_refused_and_the_public_one_is_per_second():
    with pytest.raises(ValueError, match="one stated unit"):
        carbon_to_air(field([[1.0]], "kg m-2 s-1"), field([[1.0]]))
    public = in_public_unit(field([[86400.0]]))
    assert public.item() == pytest.approx(1e-3) and public.attrs["units"] == "kg m-2 s-1"
    found = carbon_to_air(public, public)
    assert found["co2_equivalent"].attrs["units"] == "kgCO2e m-2 s-1"
