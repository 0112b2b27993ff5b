import numpy as np
import pytest
import xarray as xr

from dere.imputation.series import LIMIT, build, observed_covariance
from dere.variables import FLUXES


def test_units_and_order_survive_the_round_trip(towers, splits, statistics):
    series = build(towers, splits, statistics)
    seen = series.observed
    for channel, name in enumerate(("nee", "reco")):
        stored = towers["flux_value"].sel(flux=name).values
        assert np.array_equal(series.flux[..., channel][seen], stored[seen])


def test_drivers_are_complete_and_constants_become_zero(towers, splits, statistics):
    series = build(towers, splits, statistics)
    assert np.isfinite(series.drivers).all() and np.abs(series.drivers).max() <= LIMIT
    assert (series.drivers[..., list(series.channels).index("co2")] == 0).all()
    assert (series.statics[:, 2] == 0).all()


def test_a_value_far_outside_training_stays_finite_and_bounded(towers, splits, statistics):
    odd = towers.copy(deep=True)
    odd["static"][0, :] = [500.0, 0.0, 7.0]
    assert np.abs(build(odd, splits, statistics).statics[0]).max() <= LIMIT


def test_record_and_margin_are_cut_at_the_axis(towers, splits, statistics):
    series = build(towers, splits, statistics, margin_months=3)
    assert (series.start == 3).all() and (series.stop == 57).all()
    assert (build(towers, splits, statistics, margin_months=12).start == 0).all()


def test_low_quality_months_count_as_missing(towers, splits, statistics):
    poor = towers.copy(deep=True)
    poor["flux_quality"][0, 10:20] = 0.3
    series = build(poor, splits, statistics, minimum_quality=0.5)
    assert not series.observed[0, 10:20].any() and np.isnan(series.flux[0, 10:20]).all()
    assert series.observed[1, 13:20].all()


def test_southern_sites_are_half_a_year_apart(towers, splits, statistics):
    series = build(towers, splits, statistics)
    assert series.phase[0, 0] == 0 and series.phase[3, 0] == 6


def test_covariance_follows_from_closure_and_the_floor():
    flux = np.zeros((1, 3))
    sigma = np.array([[0.3, 0.5, 0.4]])  # gpp, reco, nee: reco^2 = gpp^2 + nee^2
    cov = observed_covariance(flux, sigma, 0.1, 0.0)[0]
    assert cov == pytest.approx(np.array([[0.16, 0.16], [0.16, 0.25]]))
    gpp = cov[1, 1] + cov[0, 0] - 2 * cov[0, 1]
    assert gpp == pytest.approx(0.09)
    missing = observed_covariance(np.full((1, 3), 10.0), np.full((1, 3), np.nan), 0.1, 0.05)[0]
    assert np.diag(missing) == pytest.approx(0.25) and (np.linalg.eigvalsh(missing) > 0).all()


def test_simulated_fluxes_become_channels_scaled_by_the_tower_fluxes(towers, splits, statistics):
    simulated = towers.assign(
        simulated=(("site", "time", "target"), np.where(towers["record"].values[..., None], 2.0, np.nan).repeat(3, -1))
    ).assign_coords(target=list(FLUXES))
    series = build(simulated, splits, statistics)
    assert series.channels[-3:] == ("simulated_nee", "simulated_reco", "simulated_gpp")
    expected = (2.0 - float(statistics["flux_mean"].sel(flux="reco"))) / float(statistics["flux_std"].sel(flux="reco"))
    assert series.drivers[0, :, -2] == pytest.approx(expected, rel=1e-5)
    assert len(build(simulated, splits, statistics, use_simulation=False).channels) == 8


def test_bad_input_is_one_sentence(towers, splits, statistics):
    with pytest.raises(ValueError, match=r"splits.csv lacks site S00"):
        build(towers, splits[splits["id"] != "S00"], statistics)
    empty = towers.copy(deep=True)
    empty["vpd"][4] = np.nan
    with pytest.raises(ValueError, match="driver vpd of site S04"):
        build(empty, splits, statistics)
    simulated = np.where(
        np.arange(towers.sizes["site"])[:, None, None] == 2, np.nan, np.ones((*towers["vpd"].shape, 3))
    )
    unknown = towers.assign(simulated=(("site", "time", "target"), simulated)).assign_coords(target=list(FLUXES))
    with pytest.raises(ValueError, match="simulated nee of site S02 has no value"):
        build(unknown, splits, statistics)


def test_what_is_made_of_the_drivers_is_no_input(towers, splits, statistics):
    """Knowledge channels stand behind the raw drivers, in the statistics too; the imputation keeps its inputs."""
    more = xr.Dataset({name: ("driver", [7.0]) for name in ("driver_mean", "driver_std")}, {"driver": ["degree_days"]})
    wider = statistics.drop_dims("driver").merge(xr.concat([statistics[list(more)], more], "driver"))
    with_channel = towers.assign(degree_days=towers["vpd"])
    plain, wide = build(towers, splits, statistics), build(with_channel, splits, wider)
    assert wider.sizes["driver"] == statistics.sizes["driver"] + 1 and wide.channels == plain.channels
    np.testing.assert_array_equal(wide.drivers, plain.drivers)
