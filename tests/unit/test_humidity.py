"""Humidity of air against published tables, and back."""

import numpy as np
import pytest

from dere.humidity import saturation_vapour_pressure, specific_humidity, vapour_pressure


def test_saturation_pressure_of_the_tables():
    """Values of WMO-No. 8, annex 4.B."""
    found = saturation_vapour_pressure(np.array([0.0, 20.0, 40.0]))
    assert found == pytest.approx([6.11, 23.37, 73.8], rel=0.005)


def test_specific_humidity_and_vapour_pressure_are_inverse():
    vapour, pressure = np.array([0.0, 5.0, 23.37]), np.array([60.0, 85.0, 101.325])
    humidity = specific_humidity(vapour, pressure)
    np.testing.assert_allclose(vapour_pressure(humidity, pressure), vapour, atol=1e-12)
    assert humidity[-1] == pytest.approx(0.0145, rel=0.01)  # saturated air of 20 degC at sea level
