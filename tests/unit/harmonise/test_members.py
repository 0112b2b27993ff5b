import numpy as np
import pytest
from harmonise_samples import AGES, make_cover, make_forcing, make_towers

from carbon_closure import closure_residuals
from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.co2 import global_co2
from dere.harmonise.gaps import complete_drivers
from dere.harmonise.interim import Cover, Interim
from dere.harmonise.members import FACTORS, draw_factors, resampled_records
from dere.harmonise.splits import roles
from dere.harmonise.statics import ATTRIBUTES
from dere.variables import MONTHLY8, STANDS, TARGETS

SOURCE = SimulationSource(provider="builtin", perturbations=1, ages=AGES, member_months=24)


def build(towers, source=SOURCE, cover=None, **config):
    return harmonise(
        Interim(towers, cover or Cover()),
        source,
        HarmoniseConfig(window=24, window_stride=12, **config),
        SplitsConfig(folds=3),
    )


@pytest.fixture(scope="module")
def canonical():
    towers = make_towers(sites=7)
    # a long record, a short one, and one without labels
    towers["in_record"][1, :36] = False
    towers["nee"][6] = np.nan
    return build(towers)


def test_members_are_labelled_sites_and_their_copies(canonical):
    assert canonical.drivers.sizes["cell"] == 6 * 2
    assert list(canonical.drivers["copy"].values[:7]) == [0] * 6 + [1]
    assert "XX-S06" not in canonical.drivers["site"].values
    assert list(canonical.towers["cell"].values) == [0, 1, 2, 3, 4, 5, -1]
    assert canonical.simulation["state"].shape == (12, 4, len(AGES), 24, len(TARGETS))
    assert np.isfinite(canonical.simulation["state"]).all()
    assert canonical.simulation["state"].dtype == np.float32


def test_a_member_has_the_fold_and_cluster_of_its_site(canonical):
    table = canonical.splits
    of_site = table[table["kind"] == "site"].set_index("id")
    of_cell = table[table["kind"] == "cell"].set_index("cell")
    for cell, site in zip(canonical.drivers["cell"].values, canonical.drivers["site"].values, strict=True):
        assert of_cell.loc[cell, "fold"] == of_site.loc[site, "fold"]
        assert of_cell.loc[cell, "cluster"] == of_site.loc[site, "cluster"]
    for fold in range(3):
        role = roles(table, fold)
        sites = role[role["kind"] == "site"].set_index("id")["role"]
        cells = role[role["kind"] == "cell"].set_index("cell")["role"]
        assert (cells.to_numpy() == sites.loc[canonical.drivers["site"].values].to_numpy()).all()


def test_the_unperturbed_member_is_the_sites_own_forcing(canonical):
    tower = canonical.towers.sel(site="XX-S02")
    member = canonical.drivers.isel(cell=2)
    start = int(tower["window_start"].values[canonical.towers["window_site"].values == 2].min())
    for name in MONTHLY8:
        np.testing.assert_allclose(member[name], tower[name].values[start : start + 24], rtol=1e-5)
    assert member["first_month"] == "2001-01"


def test_copies_are_perturbed_and_their_statics_follow(canonical):
    drivers, names = canonical.drivers, list(ATTRIBUTES)
    copies = drivers["copy"].values > 0
    base = drivers["static"].values[~copies]
    static = drivers["static"].values[copies]
    for name in ("mean_temperature", "mean_precipitation", "soil_depth", "aridity"):
        assert (np.abs(static - base)[:, names.index(name)] > 0).all()
    for name in ("igbp_ENF", "abs_latitude", "elevation", "mean_age", "fraction_BL"):
        np.testing.assert_allclose(static[:, names.index(name)], base[:, names.index(name)], rtol=1e-6)
    own = drivers["co2"].values[~copies].mean(1)
    ratio = drivers["co2"].values[drivers["copy"].values == 1].mean(1) / own
    assert ((ratio > 0.78) & (ratio < 1.85)).all()
    assert np.ptp(ratio) > 0.05
    state = canonical.simulation["state"].values
    assert (np.abs(state[6:12] - state[:6]).max((1, 2, 3, 4)) > 0).all()


def test_simulated_series_and_initial_state_belong_together(canonical):
    towers = canonical.towers
    simulated = towers["simulated"].values
    record = towers["record"].values
    assert np.isfinite(simulated[record]).all()
    mixture = canonical.simulation["state"].values[0, STANDS.index("mixture")]
    weight = towers["age_weight"].values[0]
    np.testing.assert_allclose(simulated[0, :24], np.einsum("atv,a->tv", mixture, weight), rtol=2e-4, atol=1e-5)
    residual = closure_residuals({name: simulated[record][:, i] for i, name in enumerate(TARGETS)})
    assert np.abs(residual["fluxes"]).max() < 1e-4
    windows = np.flatnonzero(towers["window_site"].values == 0)
    assert list(towers["window_start"].values[windows]) == [0, 12, 24]
    initial = towers["initial_state"].values[windows]
    np.testing.assert_array_equal(initial[0], canonical.simulation["initial_state"].values[0])
    np.testing.assert_array_equal(initial[1], canonical.simulation["state"].values[0, :, :, 11])


def test_cover_of_members_is_that_of_their_site(canonical):
    site = [list(canonical.towers["site"].values).index(name) for name in canonical.drivers["site"].values]
    np.testing.assert_allclose(canonical.cover["age_weight"], canonical.towers["age_weight"].values[site])
    np.testing.assert_allclose(canonical.cover["plant_fraction"].sum("plant_type"), 1, rtol=1e-5)
    assert list(canonical.cover["year"].values) == [2000, 2001, 2002]


def test_plant_types_of_later_years_leave_the_statics_of_members_as_they_are():
    statics = []
    for needle in (0.0, 0.9):
        cover = make_cover(make_forcing(years=1))
        cover.grid["plant_fraction"][1] = [0.1, needle, 0.9 - needle]
        result = build(make_towers(sites=7), cover=cover)
        assert set(result.towers["cover_source"].values) == {"cell"}
        assert result.cover["plant_fraction"].values[..., -1, 1] == pytest.approx(needle)
        statics.append((result.towers["static"], result.drivers["static"]))
    for before, after in zip(*statics, strict=True):
        np.testing.assert_array_equal(after, before)


def test_a_site_does_not_depend_on_the_others(canonical):
    towers = make_towers(sites=7)
    towers["in_record"][1, :36] = False
    towers["nee"][6] = np.nan
    for name in MONTHLY8:
        towers[f"{name}_reanalysis"][0] = towers[f"{name}_reanalysis"].values[3]
    other = build(towers)
    np.testing.assert_array_equal(other.simulation["state"].values[1:6], canonical.simulation["state"].values[1:6])
    assert (other.simulation["state"].values[0] != canonical.simulation["state"].values[0]).any()


def test_outside_the_record_whole_years_of_it_repeat_and_co2_keeps_its_trend():
    towers = make_towers(sites=2)
    towers["in_record"][0, :24] = False
    dataset = complete_drivers(towers, 0.3).dataset
    series = resampled_records(dataset, 72, seed=0)
    own = towers["vpd_reanalysis"].values[0]
    years = series["vpd"].values[0].reshape(6, 12)
    record = own.reshape(4, 12)[2:]
    assert all(any(np.allclose(year, known, rtol=1e-5) for known in record) for year in years)
    np.testing.assert_allclose(years[2:4], record, rtol=1e-5)
    background = global_co2(series["time"].values, towers["lat"].values)
    np.testing.assert_allclose(series["co2"], background, rtol=1e-5)


def test_factors_stay_within_their_ranges():
    drawn = draw_factors(500, np.random.default_rng(0))
    for name, (low, high) in FACTORS.items():
        assert low <= drawn[name].min() < drawn[name].max() <= high
        assert np.ptp(drawn[name]) > 0.9 * (high - low)


def test_members_shorter_than_a_window_are_refused():
    source = SOURCE.model_copy(update={"member_months": 12})
    with pytest.raises(ValueError, match=r"member_months is 12, at least harmonise\.window = 24"):
        build(make_towers(sites=4), source)


def test_the_model_may_absorb_the_light_that_satellites_see():
    """A site seen twice as green has more GPP, and so has its copy; others keep theirs."""
    source = SOURCE.model_copy(update={"leaf_area": "satellite"})
    towers = make_towers(sites=4)
    seen = {name: towers["nee"].copy(data=np.full(towers["nee"].shape, value)) for name, value in
            (("lai_satellite", 1.0), ("evi_satellite", 0.25))}  # fmt: skip
    plain, green = towers.assign(seen), towers.assign(seen)
    green["evi_satellite"] = green["evi_satellite"].copy()
    green["evi_satellite"][1] = 0.45
    before, after = (build(data, source) for data in (plain, green))
    gpp = TARGETS.index("gpp")
    old, new = (found.towers["simulated"].values[..., gpp] for found in (before, after))
    assert np.nansum(new[1]) > 1.2 * np.nansum(old[1])
    np.testing.assert_allclose(new[[0, 2, 3]], old[[0, 2, 3]], rtol=1e-5)
    old, new = (found.simulation["state"].values[5, ..., gpp] for found in (before, after))
    assert new.sum() > 1.2 * old.sum(), "the copy of that site"
    with pytest.raises(ValueError, match=r"leaf_area is satellite, but the run has no satellite channels"):
        build(towers, source, satellites=False)


def test_the_136_channels_cannot_drive_the_builtin_model():
    with pytest.raises(ValueError, match="'carbonglobe136' and sources"):
        build(make_towers(sites=4), driver_set="carbonglobe136")
