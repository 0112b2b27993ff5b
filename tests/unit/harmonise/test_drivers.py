import numpy as np
import pytest
import xarray as xr

from dere.channels import DIURNAL, SOIL_PROPERTIES
from dere.harmonise.drivers import driver_names, stack, stored_variables
from dere.ingest.months import mid_months
from dere.variables import MONTHLY8


def monthly(members=2, months=12):
    data = {name: (("cell", "time"), np.full((members, months), float(i))) for i, name in enumerate(MONTHLY8)}
    return xr.Dataset(data, coords={"cell": np.arange(members), "time": mid_months(2001 * 12, months)})


def channels136(members=3, months=24):
    """Each value is its channel number in the published file."""
    cell_time = (members, months)
    hours = np.arange(24.0)
    data = {
        "air_temperature": (("cell", "time"), np.full(cell_time, 0.0)),
        "precipitation": (("cell", "time"), np.full(cell_time, 1.0)),
        "soil_temperature": (("cell", "time", "layer"), np.broadcast_to(np.arange(2.0, 8), (*cell_time, 6))),
        "co2_hourly": (("cell", "time", "hour"), np.broadcast_to(8 + hours, (*cell_time, 24))),
        "disturbance_rate": (("cell", "time"), np.full(cell_time, 32.0)),
        "soil": (("cell", "soil_property"), np.broadcast_to(np.arange(129.0, 136), (members, 7))),
    }
    for i, name in enumerate(DIURNAL):
        data[name] = (("cell", "time", "hour"), np.broadcast_to(33 + 4 * hours + i, (*cell_time, 24)))
    coords = {"cell": np.arange(members), "time": mid_months(2001 * 12, months)}
    return xr.Dataset(data, coords={**coords, "soil_property": list(SOIL_PROPERTIES)})


def test_the_136_channels_come_in_the_published_order():
    stacked, names = stack(channels136(), "carbonglobe136")
    assert len(names) == len(set(names)) == 136
    np.testing.assert_array_equal(stacked[1, 5], np.arange(136))
    assert names[33:38] == (
        "specific_humidity_h00",
        "air_temperature_h00",
        "shortwave_h00",
        "wind_h00",
        "specific_humidity_h01",
    )


def test_stack_is_independent_of_the_order_of_dimensions():
    dataset = monthly()
    turned, _ = stack(dataset.transpose("time", "cell"), "monthly8")
    straight, names = stack(dataset, "monthly8")
    np.testing.assert_array_equal(turned, straight)
    assert names == MONTHLY8
    assert straight.dtype == np.float32


def test_nan_left_is_an_error_with_driver_and_member():
    dataset = monthly()
    dataset["vpd"][1, 3] = np.nan
    with pytest.raises(ValueError, match=r"vpd of cell 1 is NaN \(1 values"):
        stack(dataset, "monthly8")


def test_missing_variable_and_unknown_set_are_named():
    with pytest.raises(ValueError, match=r"lacks \['wind'\]"):
        stack(monthly().drop_vars("wind"), "monthly8")
    with pytest.raises(ValueError, match="driver_set is 'era5'"):
        driver_names("era5")
    with pytest.raises(ValueError, match="'era5'"):
        stored_variables("era5")


def test_satellites_and_their_masks_are_stacked_as_they_are_stored():
    dataset = monthly(2, 24)
    channels = ("lai_satellite", "evi_satellite", "lai_satellite_mask", "evi_satellite_mask")
    for number, name in enumerate(channels):
        dataset[name] = (("cell", "time"), np.full((2, 24), number, np.int8))
    stacked, names = stack(dataset, "monthly8", satellites=True)
    assert names[8:] == channels
    np.testing.assert_array_equal(stacked[..., 8:], np.broadcast_to(np.arange(4.0), (2, 24, 4)))
    with pytest.raises(ValueError, match=r"lacks \['evi_satellite_mask'\].* with satellites needs"):
        stack(dataset.drop_vars("evi_satellite_mask"), "monthly8", satellites=True)
