"""What networks and trees see of final drivers is what they saw when each of them filled the drivers for itself."""

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import make_forcing, make_towers
from seen_by_methods import places_of, window_drivers

from dere.blocks import in_blocks
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.axis import month_number, monthly_climatology
from dere.harmonise.co2 import global_co2
from dere.harmonise.drivers import stack
from dere.harmonise.final import final_cells, final_towers
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.satellites import FALLBACK
from dere.harmonise.windows import site_windows
from dere.ingest.months import mid_months
from dere.methods.tree_features import lagged, running_mean, tree_features
from dere.variables import MONTHLY8, SATELLITE


def with_satellites(dataset, member, seed=4):
    """Satellite channels with gaps; the third member has none at all, the fifth only the first year."""
    rng = np.random.default_rng(seed)
    for name in SATELLITE:
        values = rng.random((dataset.sizes[member], dataset.sizes["time"])).astype(np.float32)
        values[rng.random(values.shape) < 0.3] = np.nan
        values[2], values[4, 12:] = np.nan, np.nan
        dataset[name] = ((member, "time"), values)
    return dataset


def unfinished(window):
    """Towers whose drivers are complete within records of different length, NaN outside."""
    towers = make_towers()
    towers["in_record"][0, :14] = False
    towers["in_record"][1, 20:] = False
    towers["in_record"][4, :24] = False
    dataset = complete_drivers(towers, 0.3).dataset
    site, start = site_windows(dataset["record"].values, window, 12)
    dataset["window_site"], dataset["window_start"] = ("window", site), ("window", start)
    dataset["time_bnds"] = (("time", "bnds"), np.zeros((dataset.sizes["time"], 2)))
    dataset.attrs |= {"driver_set": "monthly8", "window": window}
    return with_satellites(dataset, "site").pipe(lambda d: d.assign({n: d[n].where(d["record"]) for n in SATELLITE}))


def filled_by_the_reader(towers, months):
    """Oracle: the series (site, time) float32 of each driver as every reader made them; satellites keep their gaps."""
    first = int(month_number(towers["time"].values)[0])
    month = (first + np.arange(months)) % 12
    background = global_co2(mid_months(first, months), towers["lat"].values)
    result = {}
    for name in (*MONTHLY8, *SATELLITE):
        values = np.full((towers.sizes["site"], months), np.nan)
        values[:, : towers.sizes["time"]] = towers[name].values
        fill = monthly_climatology(values, month)[:, month]
        fill = background + np.nanmean(values - background, 1, keepdims=True) if name == "co2" else fill
        kept = np.isfinite(values) | (name in SATELLITE)
        result[name] = np.where(kept, values, fill).astype(np.float32)
    return result, month


def stacked_by_the_reader(towers, months):
    """Oracle: the channels of networks (site, time, channel) with filled satellites and masks."""
    series, month = filled_by_the_reader(towers, months)
    masks = [np.isfinite(series[name]) for name in SATELLITE]
    for name, present in zip(SATELLITE, masks, strict=True):
        values = series[name].astype(float)
        climatology = np.nan_to_num(monthly_climatology(values, month), nan=FALLBACK[name])
        series[name] = np.where(present, values, climatology[:, month])
    return np.stack([*series.values(), *masks], -1).astype(np.float32)


@pytest.mark.parametrize("window", [24, 120])
def test_networks_see_the_same_bits(window):
    towers = unfinished(window)
    final = final_towers(towers, satellites=True)
    expected = stacked_by_the_reader(towers, max(window, 48))
    assert final.sizes["time"] == max(window, 48)
    series, _ = stack(final, "monthly8", satellites=True)
    np.testing.assert_array_equal(series, expected)
    windows, names = window_drivers(final, satellites=True)
    assert len(names) == 12 and len(windows) == towers.sizes["window"]
    for row, (site, start) in enumerate(zip(towers["window_site"].values, towers["window_start"].values, strict=True)):
        np.testing.assert_array_equal(windows[row], expected[site, start : start + window])


def test_trees_see_the_same_bits():
    towers = unfinished(24)
    series, _ = filled_by_the_reader(towers, 48)
    final = final_towers(towers, satellites=True)
    features, names = tree_features(places_of(final, satellites=True), EXCHANGE)
    expected = [
        made
        for values in series.values()
        for made in (values, *(lagged(values, n) for n in (1, 2, 3)), *(running_mean(values, n) for n in (3, 12)))
    ]
    assert names[: len(expected) : 6] == [*MONTHLY8, *SATELLITE]
    np.testing.assert_array_equal(features[..., : len(expected)], np.stack(expected, -1).astype(np.float32))
    assert np.isnan(features[..., names.index("lai_satellite")]).any()


def test_flags_tell_what_was_filled():
    towers = unfinished(60)
    final = final_towers(towers, satellites=True)
    np.testing.assert_array_equal(final["record"].values[:, :48], towers["record"].values)
    assert not final["record"].values[:, 48:].any()
    assert final["record"].dtype == final["driver_filled"].dtype == bool
    for name in SATELLITE:
        mask = final[f"{name}_mask"].values
        assert mask.dtype == np.int8
        np.testing.assert_array_equal(mask[:, :48] == 1, np.isfinite(towers[name].values))
        assert not mask[:, 48:].any()
        assert (final[name].values[2] == FALLBACK[name]).all()
    assert (np.diff(final["time_bnds"].values.astype("datetime64[D]").astype(int)) > 27).all()
    for name in MONTHLY8:
        np.testing.assert_array_equal(
            final[name].values[:, :48][towers["record"].values], towers[name].values[towers["record"].values]
        )


def test_an_axis_that_is_long_enough_stays():
    towers = unfinished(48)
    final = final_towers(towers, satellites=False)
    np.testing.assert_array_equal(final["time"].values, towers["time"].values)
    assert final["time_bnds"].identical(towers["time_bnds"])
    assert "lai_satellite_mask" not in final


def test_sites_without_a_satellite_channel_have_the_constant():
    final = final_towers(unfinished(24).drop_vars("evi_satellite"), satellites=True)
    assert (final["evi_satellite"] == FALLBACK["evi_satellite"]).all()
    assert not final["evi_satellite_mask"].any()
    assert final["evi_satellite"].attrs["units"] == "1"


def test_satellite_gaps_of_cells_take_the_members_climatology_in_memory_and_in_blocks():
    drivers = with_satellites(make_forcing(), "cell").drop_vars("evi_satellite")
    drivers["lai_satellite"][0] = np.where(np.arange(48) < 12, np.arange(48), np.nan)
    final = final_cells(drivers, satellites=True)
    np.testing.assert_array_equal(final["lai_satellite"].values[0], np.tile(np.arange(12), 4))
    np.testing.assert_array_equal(final["lai_satellite_mask"].values[0], [1] * 12 + [0] * 36)
    assert (final["evi_satellite"] == FALLBACK["evi_satellite"]).all()
    assert final_cells(drivers, satellites=False) is drivers
    cut = final_cells(in_blocks(drivers, 48 * 48 * 4 * 16), satellites=True)
    assert len(cut["lai_satellite"].chunks[0]) > 1
    xr.testing.assert_identical(cut.compute(), final)
