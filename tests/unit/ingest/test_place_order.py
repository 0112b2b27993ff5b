"""Tables of places against the sunlight of the arrays that they are for."""

import numpy as np
import pytest

from dere.ingest.simulation.solar_latitude import check_latitudes, elevations

LAT = np.linspace(-55, 70, 40)
LON = np.linspace(170, -170, 40)
RNG = np.random.default_rng(0)
SUN = 700 * elevations(LAT, np.full(40, 12.0)) * RNG.uniform(0.5, 0.9, (40, 12, 1))


def test_places_in_the_order_of_the_arrays():
    check_latitudes(LAT, SUN, "places.csv")
    check_latitudes(LAT[:5][::-1], SUN[:5], "places.csv")


@pytest.mark.parametrize("lat", [LAT[::-1], LON / 2, RNG.permutation(LAT)])
def test_places_in_another_order(lat):
    with pytest.raises(ValueError, match=r"places\.csv: its latitudes correlate .* in the order of the arrays"):
        check_latitudes(lat, SUN, "places.csv")
