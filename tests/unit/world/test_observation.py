from __future__ import annotations

import numpy as np
import pytest

from dere.world import gaps, observation

SITES, YEARS = 80, 10


@pytest.fixture(scope="module")
def seen():
    rng = np.random.default_rng(0)
    month = np.arange(12 * YEARS) % 12
    lat = np.repeat([65.0, 50.0, 30.0, 0.0], SITES // 4)
    season = np.cos(2 * np.pi * (month - 6.2) / 12)
    temperature = (25 - 0.4 * lat)[:, None] + (0.25 * lat)[:, None] * season[None]
    gpp = np.clip(temperature, 0, None) * 0.4
    reco = 0.3 + 0.25 * np.exp(0.07 * temperature)
    truth = np.stack([gpp, reco, reco - gpp], axis=-1)
    record = gaps.records(SITES, YEARS, rng)
    quality, nothing = gaps.quality(record, temperature, lat, rng)
    columns = observation.observe(truth, quality, nothing, rng)
    return truth, temperature, lat, record, quality, nothing, columns


def test_records_are_two_to_ten_whole_years(seen):
    record = seen[3]
    assert record[:, 1].min() == 2
    assert record[:, 1].max() == 10
    assert (record.sum(axis=1) <= YEARS).all()
    assert len(set(record[:, 1])) > 4


def test_gaps_resemble_real_ones(seen):
    _, temperature, lat, record, quality, nothing, _ = seen
    inside = np.isfinite(quality)
    assert inside.sum() == 12 * record[:, 1].sum()
    bad = (quality < 0.5) & inside
    assert 0.12 < bad.sum() / inside.sum() < 0.32  # real: .20
    first = np.array([bad[i, 12 * r[0] : 12 * r[0] + 6].mean() for i, r in enumerate(record)])
    assert 0.45 < first.mean() < 0.85  # real: .66
    north = (lat > 45)[:, None] & inside
    winter = bad[north & (temperature < 0)].mean()
    assert winter > 1.5 * bad[north & (temperature > 8)].mean()
    assert 0.005 < nothing.sum() / inside.sum() < 0.08  # real: .04
    assert (quality[nothing] == 0).all()
    assert np.nanmin(quality) >= 0
    assert np.nanmax(quality) <= 1


def test_partitioning_error_is_shared_by_gpp_and_reco(seen):
    truth, _, _, _, quality, _, columns = seen
    good = quality >= 0.5
    error = {
        name: (columns[column] - truth[..., i])[good]
        for name, column, i in (
            ("gpp", "GPP_NT_VUT_REF", 0), ("reco", "RECO_NT_VUT_REF", 1), ("nee", "NEE_VUT_REF", 2)
        )
    }  # fmt: skip
    # GPP = RECO - NEE: the error of GPP is that of RECO less that of NEE, but for the members' small mismatch
    passed_on = error["reco"] - error["nee"]
    assert np.median(np.abs(error["gpp"] - passed_on)) < 0.03 < 0.1 < error["gpp"].std()
    assert np.corrcoef(error["gpp"], error["reco"])[0, 1] > 0.15
    assert abs(error["nee"].mean()) < 0.15


def test_closure_of_the_published_triple(seen):
    columns, quality = seen[-1], seen[4]
    residual = np.abs(columns["RECO_NT_VUT_REF"] - columns["GPP_NT_VUT_REF"] - columns["NEE_VUT_REF"])
    residual = residual[np.isfinite(residual) & np.isfinite(quality)]
    assert np.median(residual) == pytest.approx(0.02, abs=0.005)
    assert 0.001 < (residual > 0.5).mean() < 0.05
    daytime = np.abs(columns["RECO_DT_VUT_REF"] - columns["GPP_DT_VUT_REF"] - columns["NEE_VUT_REF"])
    assert np.nanmedian(daytime) > 3 * np.median(residual)


def test_negative_winter_gpp_by_night_but_not_by_day(seen):
    _, temperature, _, _, quality, _, columns = seen
    cold = (quality >= 0.5) & (temperature < 0)
    assert 0.2 < (columns["GPP_NT_VUT_REF"][cold] < 0).mean() < 0.6  # real: .40
    warm = (quality >= 0.5) & (temperature > 10)
    assert (columns["GPP_NT_VUT_REF"][warm] < 0).mean() < 0.02
    assert np.nanmin(columns["GPP_DT_VUT_REF"][quality >= 0.5]) >= 0


def test_percentiles_and_uncertainties(seen):
    columns = seen[-1]
    for stem in ("NEE_VUT", "GPP_NT_VUT", "RECO_DT_CUT"):
        stack = np.stack([columns[f"{stem}_{p}"] for p in observation.PERCENTILES])
        assert (np.diff(stack, axis=0)[:, np.isfinite(stack).all(axis=0)] >= 0).all()
    half = (columns["NEE_VUT_84"] - columns["NEE_VUT_16"]) / 2
    joint = np.sqrt(columns["NEE_VUT_REF_RANDUNC"] ** 2 + half**2)
    np.testing.assert_allclose(columns["NEE_VUT_REF_JOINTUNC"], joint)


def test_poorly_filled_months_are_worse(seen):
    truth, _, _, _, quality, nothing, columns = seen
    error = np.abs(columns["NEE_VUT_REF"] - truth[..., 2])
    poor, good = (quality < 0.1) & ~nothing, quality > 0.8
    assert error[poor].mean() > 1.3 * error[good].mean()
    assert np.isnan(columns["NEE_VUT_REF"][nothing]).all()


def test_flux_columns_are_those_of_observe(seen):
    assert observation.flux_columns() == list(seen[-1])
    assert len(observation.flux_columns()) > 100
