"""Units of methane: its mass is carbon inside the project, and methane where a unit says so."""

import numpy as np
import pytest

from dere.ingest.checks import check_unit
from dere.variables import CH4_PER_CARBON, FLUX_UNIT, VARIABLES, convert

UNITS = ("nmolCH4 m-2 s-1", "mgCH4 m-2 d-1", "kg m-2 s-1")


def test_one_nanomole_is_the_carbon_and_the_methane_of_the_hand_calculation():
    one = np.array([1.0])
    carbon = convert(one, "nmolCH4 m-2 s-1", FLUX_UNIT)
    np.testing.assert_allclose(carbon, 1e-9 * 12.011 * 86400, rtol=1e-12)
    np.testing.assert_allclose(carbon, 1.0377504e-3, rtol=1e-7)
    methane = convert(carbon, FLUX_UNIT, "mgCH4 m-2 d-1")
    np.testing.assert_allclose(methane, 1.386, rtol=2e-4)
    # by hand: 1e-9 mol x 16.04 g x 31.56e6 s of a year
    assert float(methane[0]) * 365.25 / 1000 == pytest.approx(1e-9 * 16.04 * 31.56e6, rel=5e-4)
    assert float(methane[0]) * 365.25 / 1000 == pytest.approx(0.506, abs=5e-4)


@pytest.mark.parametrize("unit", UNITS)
def test_units_come_back(unit):
    values = np.array([-0.02, 0.0, 1e-4, 0.217, 3.4])
    away = convert(values, FLUX_UNIT, unit)
    assert not np.allclose(away, values)
    np.testing.assert_allclose(convert(away, unit, FLUX_UNIT), values, rtol=1e-12)


def test_public_unit_is_of_carbon_and_not_of_methane():
    nanomoles = np.array([100.0])
    carbon = convert(convert(nanomoles, "nmolCH4 m-2 s-1", FLUX_UNIT), FLUX_UNIT, "kg m-2 s-1")
    np.testing.assert_allclose(carbon, 100e-9 * 12.011e-3, rtol=1e-12)
    np.testing.assert_allclose(carbon * CH4_PER_CARBON, 100e-9 * 16.043e-3, rtol=1e-12)


def test_a_column_in_nanomoles_is_told_by_its_median():
    column = np.array([3.5, 20.0, 209.0])
    with pytest.raises(ValueError, match="it looks like nmolCH4 m-2 s-1: convert it to gC m-2 d-1"):
        check_unit("ch4", column, "f.csv", "FCH4")
    check_unit("ch4", convert(column, "nmolCH4 m-2 s-1", FLUX_UNIT), "f.csv", "FCH4")
    assert VARIABLES["ch4"].possible[0] < VARIABLES["ch4"].valid_range[0] < 0
