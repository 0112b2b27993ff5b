"""A site that its run also has as a tower gets the tower's bits from what goes with the models."""

from functools import partial

import numpy as np
import pytest
import xarray as xr
from harmonise_samples import AGES, make_cover, make_forcing, make_simulation, make_towers

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.exchange.co2 import EXCHANGE
from dere.harmonise.build import harmonise
from dere.harmonise.interim import Cover, Interim
from dere.harmonise.known_sites import cycles_of, known_sites
from dere.harmonise.own_sites import Settings, own_sites
from dere.variables import SATELLITE

CONFIG = HarmoniseConfig(window=24, window_stride=12)
SPLITS = SplitsConfig(folds=3, block_degrees=20)
BUILTIN = SimulationSource(provider="builtin", perturbations=1, ages=AGES, member_months=24, leaf_area="satellite")
OF_LABELS = {"flux_value", "flux_uncertainty", "flux_daytime", "flux_quality", "flux_odd", "flux_measured"}


def seen(towers):
    """Towers whose first never was seen by a satellite, and whose second began late."""
    rng = np.random.default_rng(5)
    season = 1 - np.cos(2 * np.pi * np.arange(towers.sizes["time"]) / 12)
    for name, size in zip(SATELLITE, (2.0, 0.3), strict=True):
        values = size * season * rng.uniform(0.5, 1.0, (towers.sizes["site"], 1))
        values[0] = np.nan
        values[2, 5:9] = np.nan
        towers[name] = (("site", "time"), values)
    towers["in_record"][1, :24] = False
    # within cells, not on their edges
    return towers.assign_coords(lat=towers["lat"] + 1.0, lon=towers["lon"] + 2.0)


@pytest.fixture(scope="module")
def builtin():
    towers = seen(make_towers())
    made = harmonise(Interim(towers, Cover()), BUILTIN, CONFIG, SPLITS)
    return towers, made.towers, known_sites(made.towers, made.splits, "abc", 0.5, EXCHANGE)


@pytest.fixture(scope="module")
def in_files():
    forcing = make_forcing()
    towers, simulation, cover = seen(make_towers()), make_simulation(forcing), make_cover(forcing)
    made = harmonise(Interim(towers, cover, forcing, simulation), SimulationSource(), CONFIG, SPLITS)
    cells = {"drivers": made.drivers, "simulation": made.simulation, "cover": made.cover}
    return towers, made.towers, known_sites(made.towers, made.splits, "abc", 0.5, EXCHANGE, cells)


def made_of(source, towers, known, *rows, **options):
    settings = Settings(CONFIG, source, SPLITS)
    return own_sites(towers.isel(site=list(rows)), known, settings, **{"simulated": True, **options})


@pytest.mark.parametrize(("given", "source"), [("builtin", BUILTIN), ("in_files", SimulationSource())])
@pytest.mark.parametrize("rows", [(1,), (0, 5)])
def test_a_site_has_the_bits_of_the_tower_that_it_is(request, given, source, rows):
    towers, canonical, known = request.getfixturevalue(given)
    found = made_of(source, towers, known, *rows).towers
    wanted = canonical.isel(site=list(rows))
    for name in set(found.data_vars) - {"window_site", "window_start", "initial_state", "time_bnds"}:
        own, theirs = xr.align(found[name].drop_vars("site"), wanted[name].drop_vars("site"), join="inner")
        np.testing.assert_array_equal(own.transpose(*theirs.dims), theirs, name)
    assert set(canonical.data_vars) - set(found.data_vars) <= OF_LABELS
    windows = [w for row in rows for w in np.flatnonzero(canonical["window_site"].values == row)]
    np.testing.assert_array_equal(found["window_start"], canonical["window_start"].values[windows])
    np.testing.assert_array_equal(found["initial_state"], canonical["initial_state"].values[windows])


def test_cycles_come_back_with_all_classes(builtin):
    _, canonical, known = builtin
    cycles = cycles_of(known)
    assert set(cycles) == set(SATELLITE) and "" in cycles["lai_satellite"]
    # the only evergreen needleleaf tower that was seen is the tenth
    of_class = cycles["lai_satellite"]["ENF"]
    np.testing.assert_allclose(of_class, canonical["lai_satellite"].values[9, :12], rtol=1e-6)


def test_what_cannot_be_predicted_is_named_with_its_reason(builtin):
    towers, _, known = builtin
    changed = towers.copy(deep=True)
    changed["in_record"][3, 11:] = False
    changed["longwave"][4] = np.nan
    changed["longwave_reanalysis"][4] = np.nan
    changed["igbp"].values[5] = ""
    found = made_of(BUILTIN, changed, known, 2, 3, 4, 5)
    assert list(found.towers["site"].values) == ["XX-S02"]
    assert found.dropped.keys() == {"XX-S03", "XX-S04", "XX-S05"}
    for site, words in {
        "XX-S03": "record of 11 months",
        "XX-S04": "lacks longwave",
        "XX-S05": "no plant types",
    }.items():
        assert words in found.dropped[site]
    none = made_of(BUILTIN, changed, known, 3, 4)
    assert none.towers is None and "record of 11 months" in none.dropped["XX-S03"]
    assert "lacks longwave" in none.dropped["XX-S04"]


def test_a_site_without_satellites_is_predicted_where_models_have_learned_from_one(builtin):
    towers, _, known = builtin
    find = partial(made_of, BUILTIN, towers)
    assert find(known, 0).dropped == {}
    of_all = known.assign(has_satellite=known["has_satellite"] | True)
    refused = find(of_all, 0, 2)
    assert list(refused.towers["site"].values) == ["XX-S02"] and "--without-satellites" in refused.dropped["XX-S00"]
    assert find(of_all, 0).towers is None
    assert find(of_all, 0, unseen=True).towers.sizes["site"] == 1


def test_a_site_far_from_all_cells_is_dropped_only_where_states_are_wanted(in_files):
    towers, _, known = in_files
    moved = towers.assign_coords(lat=("site", np.where(np.arange(12) == 3, -75.0, towers["lat"].values)))
    found = made_of(SimulationSource(), moved, known, 2, 3)
    assert list(found.dropped) == ["XX-S03"] and "no land cell" in found.dropped["XX-S03"]
    assert made_of(SimulationSource(), moved, known, 2, 3, simulated=False).dropped == {}


def test_channels_of_cells_are_no_site_s_to_bring(builtin):
    towers, _, known = builtin
    config = CONFIG.model_copy(update={"driver_set": "carbonglobe136"})
    with pytest.raises(ValueError, match="carbonglobe136, whose channels sites do not bring"):
        own_sites(towers, known, Settings(config, BUILTIN, SPLITS), simulated=False)
