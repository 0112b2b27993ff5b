import numpy as np
import pytest

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.drivers import stack
from dere.harmonise.splits import roles
from dere.harmonise.statics import ATTRIBUTES
from dere.harmonise.statistics import floored, member_spread, statistics
from dere.variables import TARGETS


@pytest.fixture
def canonical(interim):
    config = HarmoniseConfig(window=24, window_stride=12)
    return harmonise(interim, SimulationSource(), config, SplitsConfig(folds=3, block_degrees=20))


def compute(c, fold=0, **changed):
    parts = {"drivers": c.drivers, "simulation": c.simulation, "towers": c.towers} | changed
    return statistics(**parts, splits=c.splits, fold=fold, satellites=False, minimum_quality=0.5)


def of_role(c, fold, kind, role):
    table = roles(c.splits, fold)
    return table[(table["kind"] == kind) & (table["role"] == role)]["id"].tolist()


def test_moments_are_those_of_the_training_members(canonical):
    result = compute(canonical)
    cells = [int(name) for name in of_role(canonical, 0, "cell", "training")]
    sites = of_role(canonical, 0, "site", "training")
    stacked, _ = stack(canonical.drivers.sel(cell=cells), "monthly8")
    np.testing.assert_allclose(result["driver_mean"], stacked.mean((0, 1), dtype=float), rtol=1e-5)
    np.testing.assert_allclose(result["driver_std"], stacked.std((0, 1), dtype=float), rtol=1e-4)
    state = canonical.simulation["state"].sel(cell=cells).values.reshape(-1, len(TARGETS)).astype(float)
    np.testing.assert_allclose(result["target_mean"], state.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(result["target_std"], state.std(0), rtol=1e-4)
    flux = canonical.towers["flux_value"].sel(site=sites).values.reshape(-1, 3).astype(float)
    np.testing.assert_allclose(result["flux_mean"], np.nanmean(flux, 0), rtol=1e-4)
    assert result.attrs["training_cells"] == len(cells)


def test_values_of_test_and_validation_members_change_nothing(canonical):
    before = compute(canonical)
    towers, drivers, simulation = (
        canonical.towers.copy(deep=True),
        canonical.drivers.copy(deep=True),
        canonical.simulation,
    )
    simulation = simulation.copy(deep=True)
    for role in ("test", "validation"):
        sites, cells = of_role(canonical, 0, "site", role), of_role(canonical, 0, "cell", role)
        rows = np.isin(towers["site"].values.astype(str), sites)
        for name in ("flux_value", "static"):
            towers[name].values[rows] += 1000.0
        rows = np.isin(drivers["cell"].values.astype(str), cells)
        assert rows.any()
        drivers["vpd"].values[rows] += 1000.0
        drivers["static"].values[rows] += 1000.0
        simulation["state"].values[rows] += 1000.0
    after = compute(canonical, drivers=drivers, towers=towers, simulation=simulation)
    assert before.identical(after)


def test_values_of_training_members_do_count(canonical):
    before = compute(canonical)
    towers = canonical.towers.copy(deep=True)
    rows = np.isin(towers["site"].values.astype(str), of_role(canonical, 0, "site", "training"))
    towers["flux_value"].values[rows] += 10.0
    assert compute(canonical, towers=towers)["flux_mean"].values[0] == pytest.approx(
        before["flux_mean"].values[0] + 10, rel=1e-4
    )


def test_poor_months_do_not_count(canonical):
    before = compute(canonical)
    towers = canonical.towers.copy(deep=True)
    towers["flux_quality"].values[:, :6] = 0.2
    towers["flux_value"].values[:, :6] = 1e6
    assert abs(compute(canonical, towers=towers)["flux_mean"].values[0] - before["flux_mean"].values[0]) < 2


def test_every_fold_differs(canonical):
    means = [float(compute(canonical, fold)["flux_mean"][0]) for fold in range(3)]
    assert len(set(means)) == 3


def test_constant_channels_become_zero_and_other_values_stay_of_order_one(canonical):
    canonical.drivers["wind"].values[:] = 3.0
    result = compute(canonical).sel(driver="wind")
    assert (3.0 - result["driver_mean"]) / result["driver_std"] == 0
    assert abs((4.0 - result["driver_mean"]) / result["driver_std"]) <= 1.0


def test_floor_ignores_rounding_noise_of_large_constants():
    np.testing.assert_array_equal(floored(np.array([0.06, 0.0, 0.5]), np.array([1e6, 0.0, 2.0])), [1e6, 1.0, 0.5])


def test_flags_are_left_as_they_are(canonical):
    result = compute(canonical)
    flags = [name for name in ATTRIBUTES if name.startswith("igbp_")]
    assert (result["static_mean"].sel(attribute=flags) == 0).all()
    assert (result["static_std"].sel(attribute=flags) == 1).all()


def test_sums_ignore_missing_values():
    values = np.array([[[1.0], [np.nan], [3.0]]])
    mean, std = member_spread(values).moments()
    assert (mean[0], std[0]) == (2.0, 1.0)


def test_a_flux_without_a_month_at_the_training_towers_is_an_error(canonical):
    towers = canonical.towers.copy(deep=True)
    towers["flux_value"].loc[{"flux": "gpp"}] = np.nan
    with pytest.raises(ValueError, match="with 0 good months of the flux that has fewest"):
        compute(canonical, towers=towers)


def test_a_fold_without_training_towers_is_an_error(canonical):
    canonical.towers["flux_value"].values[:] = np.nan
    with pytest.raises(ValueError, match=r"fold 0 has .* 0 good months"):
        compute(canonical)


def test_a_fold_without_training_cells_says_what_helps(canonical):
    canonical.splits.loc[canonical.splits["kind"] == "cell", "fold"] = 0
    with pytest.raises(ValueError, match=r"fold 0 has 0 training cells .* choose another splits.seed"):
        compute(canonical)
