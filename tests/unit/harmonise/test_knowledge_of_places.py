"""Knowledge channels of towers and cells, as harmonise makes them and as methods get them."""

import logging

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import make_forcing, make_towers
from seen_by_methods import places_of

from dere.blocks import BLOCK_SHARE, in_blocks
from dere.channels import HOURS
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.build import harmonise
from dere.harmonise.drivers import driver_names, stack
from dere.harmonise.final import final_cells, final_towers
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.interim import Interim
from dere.harmonise.knowledge_channels import class_cycles, inputs_of, recorded_a_year, with_knowledge
from dere.harmonise.satellites import FALLBACK
from dere.harmonise.statics import ATTRIBUTES
from dere.harmonise.windows import site_windows
from dere.humidity import saturation_vapour_pressure, specific_humidity
from dere.knowledge.terms import TERMS, terms
from dere.methods.tree_features import tree_features
from dere.variables import SATELLITE

CONFIG = HarmoniseConfig(window=24, window_stride=12, satellites=True)


def with_satellites(dataset, member):
    """A cycle of its own for each member, with gaps; the first and the second were never seen."""
    rng = np.random.default_rng(4)
    season = 1 - np.cos(2 * np.pi * np.arange(dataset.sizes["time"]) / 12)
    for number, name in enumerate(SATELLITE):
        values = (rng.uniform(0.5, 1.5, (dataset.sizes[member], 1)) * season + 0.2) / (1 + 4 * number)
        values[rng.random(values.shape) < 0.1] = np.nan
        values[:2] = np.nan
        dataset[name] = ((member, "time"), values.astype(np.float32))
    return dataset


def final(record=48):
    """Final towers; the second one lies in the south, the fourth has a shorter record."""
    raw = make_towers()
    raw["lat"][1] = -33.0
    raw["in_record"][3, record:] = False
    towers = complete_drivers(raw, 0.3).dataset
    site, start = site_windows(towers["record"].values, 24, 12)
    towers["window_site"], towers["window_start"] = ("window", site), ("window", start)
    towers["time_bnds"] = (("time", "bnds"), np.zeros((towers.sizes["time"], 2)))
    towers.attrs |= {"driver_set": "monthly8", "window": 24}
    towers["static"] = (("site", "attribute"), np.zeros((towers.sizes["site"], len(ATTRIBUTES))))
    towers = with_satellites(towers, "site")
    for name in SATELLITE:
        towers[name] = towers[name].where(towers["record"])
    return final_towers(towers.assign_coords(attribute=list(ATTRIBUTES)), satellites=True)


def test_a_place_that_no_satellite_saw_has_the_cycle_of_its_class():
    towers = final()
    towers["igbp"][:] = ["ENF", "DBF", "ENF", "DBF", "ENF", *["GRA"] * 7]
    cycles = class_cycles(towers)
    lai = inputs_of(towers, "site", cycles).lai
    of_class = np.stack([lai[row].reshape(-1, 12) for row in (2, 4)])
    seen = towers["lai_satellite_mask"].values[[2, 4]].reshape(2, -1, 12) > 0
    expected = (np.where(seen, of_class, 0).sum(1) / seen.sum(1)).mean(0)
    np.testing.assert_allclose(lai[0, :12], expected, rtol=1e-6)
    # half a year later in the south
    np.testing.assert_allclose(lai[1, :12], np.roll(cycles["lai_satellite"]["DBF"], 6), rtol=1e-6)
    assert lai[1, :12].argmax() in (11, 0, 1)
    np.testing.assert_array_equal(lai[3], towers["lai_satellite"].values[3].astype(float))
    # what networks see of the satellite itself stays, and so does the flag
    assert (towers["lai_satellite"].values[:2] == FALLBACK["lai_satellite"]).all()
    assert not towers["lai_satellite_mask"].values[:2].any()


def test_a_class_without_satellites_has_the_cycle_of_all_and_none_at_all_the_constant():
    towers = final()
    towers["igbp"][0] = "BSV"
    towers["lai_satellite_mask"][:] = 0
    lai, evi = (getattr(inputs_of(towers, "site", class_cycles(towers)), name) for name in ("lai", "evi"))
    assert (lai == FALLBACK["lai_satellite"]).all()
    np.testing.assert_allclose(evi[0, :12], class_cycles(towers)["evi_satellite"][""], rtol=1e-6)


def test_the_month_after_a_record_is_the_climatology_of_the_record():
    towers = final(record=31)
    made = with_knowledge(towers, "knowledge", class_cycles(towers))
    warmth = towers["air_temperature"].values[3, :31].astype(float)
    np.testing.assert_allclose(made["temperature_next"].values[3, 29], warmth[30], rtol=1e-6)
    np.testing.assert_allclose(made["temperature_next"].values[3, 30], warmth[7::12].mean(), rtol=1e-6)
    every = towers["air_temperature"].values[0].astype(float)
    np.testing.assert_allclose(made["temperature_next"].values[0, -1], every[::12].mean(), rtol=1e-6)


def test_methods_get_the_channels_behind_the_drivers_and_trees_each_of_them_once():
    towers = final()
    raw = with_knowledge(towers, "none", class_cycles(towers))
    assert raw is towers
    made = with_knowledge(towers, "causal", class_cycles(towers))
    wanted = [term.name for term in terms("causal", True)]
    assert set(made.data_vars) - set(towers.data_vars) == set(wanted)
    assert all(made[term.name].attrs == term.attrs for term in terms("causal", True))
    channels, names = stack(made, "monthly8", True, "causal")
    assert list(names) == [*driver_names("monthly8", True), *wanted]
    np.testing.assert_array_equal(channels[..., :12], stack(towers, "monthly8", True)[0])
    np.testing.assert_array_equal(channels[..., names.index("lloyd_taylor")], made["lloyd_taylor"].values)
    features, of_trees = tree_features(places_of(made, True, "causal"), EXCHANGE)
    before, of_raw = tree_features(places_of(made, True), EXCHANGE)
    assert [name for name in of_trees if name not in of_raw] == wanted
    kept = [of_trees.index(name) for name in of_raw]
    np.testing.assert_array_equal(features[..., kept], before)
    with pytest.raises(ValueError, match=r"lacks \['degree_days'\].* and channels causal needs"):
        stack(made.drop_vars("degree_days"), "monthly8", True, "causal")


def cells(driver_set):
    """Cells with satellites and their gaps; the diurnal cycles of carbonglobe136 are those of a place at sea level."""
    drivers = with_satellites(make_forcing(), "cell")
    static = np.zeros((drivers.sizes["cell"], len(ATTRIBUTES)), np.float32)
    drivers["static"] = (("cell", "attribute"), static)
    drivers = drivers.assign_coords(
        attribute=list(ATTRIBUTES), igbp=("cell", np.array(["ENF"] * drivers.sizes["cell"], object))
    )
    if driver_set == "carbonglobe136":
        swing = xr.DataArray(np.cos(2 * np.pi * np.arange(HOURS) / HOURS), dims="hour")
        warmth, pressure = drivers["air_temperature"] + 0.0 * swing, 101.325
        vapour = saturation_vapour_pressure(warmth) - drivers["vpd"] * (1 + 0.3 * swing)
        drivers = drivers.drop_vars(["vpd", "pressure", "wind", "longwave"]).assign(
            specific_humidity_hourly=specific_humidity(vapour, pressure),
            air_temperature_hourly=warmth,
            shortwave_hourly=drivers["shortwave"] * (1 + swing),
            co2_hourly=drivers["co2"] + 9 * swing,
        )
        drivers = drivers.drop_vars(["shortwave", "co2"])
    drivers.attrs["driver_set"] = driver_set
    return drivers


@pytest.mark.parametrize("driver_set", ["monthly8", "carbonglobe136"])
def test_cells_in_blocks_have_the_bits_of_those_in_memory(driver_set):
    drivers, cycles = cells(driver_set), class_cycles(final())
    whole = with_knowledge(drivers, "knowledge", cycles)
    assert all(np.isfinite(whole[term.name]).all() for term in TERMS)
    # the same of final cells, whose gaps are filled
    filled = with_knowledge(final_cells(drivers, satellites=True), "knowledge", cycles)
    row = drivers.nbytes // drivers.sizes["cell"]
    cut = with_knowledge(in_blocks(drivers, BLOCK_SHARE * row * 64), "knowledge", cycles)
    assert len(cut["lai_next"].chunks[0]) > 1 and len(cut["dry_share"].chunks[0]) > 1
    xr.testing.assert_identical(cut.compute(), whole)
    for term in TERMS:
        np.testing.assert_array_equal(filled[term.name], whole[term.name], err_msg=term.name)


def test_diurnal_cycles_enter_as_their_monthly_means():
    monthly, hourly = (inputs_of(cells(driver_set), "cell", None) for driver_set in ("monthly8", "carbonglobe136"))
    for name in ("temperature", "precipitation", "shortwave", "vpd", "co2"):
        positive = getattr(monthly, name) if name != "vpd" else np.maximum(monthly.vpd, 0)
        np.testing.assert_allclose(getattr(hourly, name), positive, rtol=1e-5, atol=1e-6, err_msg=name)
    np.testing.assert_allclose(hourly.pressure, 101.325)


def interim_with(interim, towers):
    return Interim(**{**interim.__dict__, "towers": towers})


def test_no_channel_knows_a_label(interim):
    """Leakage: the labels of every tower changed, the same bits of every channel of towers and cells."""
    towers = with_satellites(interim.towers.copy(deep=True), "site")
    other = towers.copy(deep=True)
    for name in ("nee", "gpp_nt", "gpp_dt", "reco_nt"):
        other[name] = 0.7 * other[name]
    first, second = (
        harmonise(interim_with(interim, some), SimulationSource(), CONFIG, SplitsConfig(folds=3, block_degrees=20))
        for some in (towers, other)
    )
    assert not np.array_equal(first.towers["flux_value"], second.towers["flux_value"], equal_nan=True)
    for term in TERMS:
        for before, after in ((first.towers, second.towers), (first.drivers, second.drivers)):
            np.testing.assert_array_equal(before[term.name], after[term.name], err_msg=term.name)
            assert np.isfinite(before[term.name]).all() and before[term.name].attrs == term.attrs, term.name


def test_a_tower_with_less_than_a_year_is_dropped_with_a_sentence(interim, caplog):
    towers = interim.towers.copy(deep=True)
    towers["in_record"][2, 11:] = False
    with caplog.at_level(logging.WARNING):
        c = harmonise(
            interim_with(interim, towers),
            SimulationSource(),
            CONFIG.model_copy(update={"satellites": False}),
            SplitsConfig(folds=3, block_degrees=20),
        )
    sentence = "site XX-S02 has a record of 11 months, at least 12 are needed for its knowledge channels"
    assert c.dropped["XX-S02"].startswith(sentence) and sentence in caplog.text
    assert "XX-S02" not in c.towers["site"].values and "XX-S02" not in set(c.counts["site"])
    short = final().isel(site=[0])
    short["record"][:, 5:] = False
    with pytest.raises(ValueError, match=r"record of 5 months.*; this holds for all sites"):
        recorded_a_year(short)


def test_a_run_without_any_satellite_value_is_told_so(caplog):
    towers = final()
    for name in ("lai_satellite_mask", "evi_satellite_mask"):
        towers[name][:] = 0
    class_cycles(towers)
    assert "no tower has lai_satellite, so that its channels are constants; set harmonise.satellites" in caplog.text
