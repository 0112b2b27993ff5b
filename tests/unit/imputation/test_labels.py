import numpy as np
import pytest

from dere.config.imputation import SystematicConfig
from dere.imputation import sampling
from dere.imputation.labels import impute, systematic_covariance
from dere.imputation.origins import IMPUTED, NOTHING, OBSERVED, PARTLY
from dere.imputation.sampling import trajectories
from dere.imputation.series import closed_covariance, series_of
from dere.imputation.stretches import Request, Stretch
from dere.variables import FLUX_UNIT


def test_schema_units_and_sites(labels, splits, config):
    assert set(labels["site"].values) == set(splits.loc[splits["fold"] > 0, "id"])
    assert labels["label"].dims == ("site", "time", "flux")
    assert labels["covariance"].dims == ("site", "time", "component", "component2")
    assert labels["quantile_value"].dims == ("site", "time", "flux", "quantile")
    assert labels["sample"].dims == ("site", "sample", "time", "flux")
    assert labels["component"].values.tolist() == ["nee", "reco"] and labels.sizes["sample"] == config.samples
    for name in ("label", "sample", "quantile_value"):
        assert labels[name].attrs["units"] == FLUX_UNIT
    assert labels["covariance"].attrs["units"] == f"({FLUX_UNIT})2"
    assert labels["origin"].dtype == np.int8


def test_observed_months_keep_value_and_error_covariance(labels, towers):
    here = towers.sel(site=labels["site"].values)
    observed = labels["origin"].values == OBSERVED
    assert (observed == np.isfinite(here["flux_value"].values).all(-1)).all()
    assert np.allclose(labels["label"].values[observed], here["flux_value"].sel(flux=labels["flux"]).values[observed])
    # sigma .2 for each flux: var(GPP) = var(RECO) + var(NEE) - 2 cov gives cov = .02; a floor of 5 % may lift it
    variance = np.diagonal(labels["covariance"].values[observed], axis1=-2, axis2=-1)
    assert (variance >= 0.04 - 1e-9).all() and np.median(variance) == pytest.approx(0.04, rel=0.05)


def test_imputed_months_carry_the_moments_of_the_trajectories(labels):
    imputed = labels["origin"].values == IMPUTED
    sample = np.moveaxis(labels["sample"].values, 1, -1)[imputed].astype(float)
    names = labels["flux"].values.tolist()
    assert np.allclose(sample.mean(-1), labels["label"].values[imputed], atol=1e-4)
    nee, reco = sample[:, names.index("nee")], sample[:, names.index("reco")]
    expected = [np.cov(a, b) for a, b in zip(nee, reco, strict=True)]
    assert np.allclose(labels["covariance"].values[imputed], expected, rtol=1e-3, atol=1e-5)
    assert np.allclose(
        labels["quantile_value"].sel(quantile=0.95).values[imputed], np.quantile(sample, 0.95, axis=-1), atol=1e-4
    )


def test_every_trajectory_and_mean_closes(labels):
    for name in ("label", "sample"):
        residual = labels[name].sel(flux="reco") - labels[name].sel(flux="gpp") - labels[name].sel(flux="nee")
        assert float(np.abs(residual).max()) < 1e-5


def test_trajectories_scatter_around_observations_with_both_errors(labels, trained, towers, splits, config):
    """The systematic error has its own size for each flux, adds to the random one, closes, and stays in sums."""
    none = SystematicConfig(gpp=0, reco=0, nee=0)
    without = impute(trained[0], towers, splits, 0, config.model_copy(update={"systematic": none}), seed=3)
    np.testing.assert_array_equal(without["label"], labels["label"])
    np.testing.assert_array_equal(without["covariance"], labels["covariance"])
    year, spread = slice(24, 36), {}
    whole = (labels["origin"].values[:, year] == OBSERVED).sum(1) >= 6
    for name, made in (("both", labels), ("random", without)):
        seen = (made["origin"].values == OBSERVED)[:, year]
        sums = np.where(seen[:, None], made["sample"].sel(flux="nee").values[:, :, year], 0.0).sum(-1)
        spread[name] = sums[whole].std(1).mean()
    assert whole.any() and spread["both"] > 2.5 * spread["random"]
    observed = labels["origin"].values == OBSERVED
    both, random = (np.moveaxis(made["sample"].values, 1, -1)[observed] for made in (labels, without))
    assert np.allclose(both.mean(-1), labels["label"].values[observed], atol=1e-4)
    for name, factor in zip(labels["flux"].values.tolist(), (0.9, 1.1, 1.5), strict=True):
        at = labels["flux"].values.tolist().index(name)
        ratio = both[:, at].var(-1, ddof=1).mean() / random[:, at].var(-1, ddof=1).mean()
        assert ratio == pytest.approx(1.0 + factor**2, rel=0.1), name


def test_the_lasting_errors_of_three_fluxes_close():
    """Each flux has its factor as long as a correlation of GPP and RECO can give it; zero stays zero."""
    random = closed_covariance(gpp=np.array(0.19), reco=np.array(0.21), nee=np.array(0.05))
    made = systematic_covariance(random, SystematicConfig(gpp=0.9, reco=1.1, nee=1.7))
    gpp = made[0, 0] + made[1, 1] - 2 * made[0, 1]
    assert [gpp, made[1, 1], made[0, 0]] == pytest.approx([0.9**2 * 0.19, 1.1**2 * 0.21, 1.7**2 * 0.05])
    wide = systematic_covariance(random, SystematicConfig(gpp=0.0, reco=1.1, nee=1.7))
    assert np.linalg.eigvalsh(wide).min() > 0
    assert wide[0, 1] == pytest.approx(0.95 * np.sqrt(wide[0, 0] * wide[1, 1]))
    assert (systematic_covariance(random, SystematicConfig(gpp=0, reco=0, nee=0)) == 0).all()


def test_labels_reach_the_margin_and_no_further(labels):
    origin = labels["origin"].values
    assert (origin[:, :3] == NOTHING).all() and (origin[:, 57:] == NOTHING).all()
    assert (origin[:, 3:6] == IMPUTED).all() and (origin[:, 54:57] == IMPUTED).all()
    assert np.isnan(labels["label"].values[origin == NOTHING]).all()


def test_all_observations_condition(trained, towers, splits, config, monkeypatch):
    seen = {}
    real = sampling.assemble

    def spy(series, point, prior, stretches, known, target, device):
        for stretch, mask, wanted in zip(stretches, known, target, strict=True):
            expected = np.isfinite(series.flux[stretch.site, stretch.start : stretch.stop])
            assert np.array_equal(mask, expected) and np.array_equal(wanted, ~expected)
            seen[str(series.sites[stretch.site])] = int(mask.all(-1).sum())
        return real(series, point, prior, stretches, known, target, device)

    monkeypatch.setattr(sampling, "assemble", spy)
    impute(trained[0], towers, splits, 0, config, seed=3)
    per_site = np.isfinite(towers["flux_value"].values).all(-1).sum(1)
    assert seen == {str(s): n for s, n, f in zip(towers["site"].values, per_site, splits["fold"], strict=True) if f > 0}


def test_side_information_is_encoded_once_per_batch_of_sites(trained, towers, splits, config, monkeypatch):
    imputer = trained[0]
    calls = {"encode": 0, "step": 0}
    encode, forward = imputer.denoiser.encoder.forward, imputer.denoiser.forward
    monkeypatch.setattr(
        imputer.denoiser.encoder, "forward", lambda *a: calls.update(encode=calls["encode"] + 1) or encode(*a)
    )
    monkeypatch.setattr(imputer.denoiser, "forward", lambda *a: calls.update(step=calls["step"] + 1) or forward(*a))
    impute(imputer, towers, splits, 0, config, seed=3)
    assert calls["encode"] == 3  # 12 sites of one length in batches of four
    assert calls["step"] == 3 * config.sampling_steps


def test_a_site_without_observations_is_wider_and_complete(trained, towers, splits, config, labels):
    blind = towers.copy(deep=True)
    blind["flux_value"][7] = np.nan
    made = impute(trained[0], blind, splits, 0, config, seed=3).sel(site="S07")
    assert set(np.unique(made["origin"])) == {NOTHING, IMPUTED}
    assert np.isfinite(made["label"].values[made["origin"].values == IMPUTED]).all()
    both = (made["origin"].values == IMPUTED) & (labels["origin"].sel(site="S07").values == IMPUTED)
    trace = [np.trace(d["covariance"].values[both], axis1=-2, axis2=-1).mean() for d in (made, labels.sel(site="S07"))]
    assert trace[0] > trace[1]


def test_observations_pull_the_imputed_months_of_their_site(trained, towers, splits, config, labels):
    moved = towers.copy(deep=True)
    moved["flux_value"][7] = moved["flux_value"][7] + np.array([0.0, 5.0, 5.0])
    made = impute(trained[0], moved, splits, 0, config, seed=3)
    change = made["label"].sel(flux="nee") - labels["label"].sel(flux="nee")
    imputed = labels["origin"].values == IMPUTED
    here = labels["site"].values == "S07"
    assert change.values[here][imputed[here]].mean() > 2.0
    assert np.abs(change.values[~here][imputed[~here]]).max() == 0.0


def test_a_month_of_nee_alone_keeps_it_and_gets_the_rest(trained, towers, splits, config, labels):
    """NEE keeps its value and error; RECO is imputed given it, and GPP closes."""
    alone = towers.copy(deep=True)
    months = np.flatnonzero(labels["origin"].sel(site="S07").values == OBSERVED)[:6]
    names = labels["flux"].values.tolist()
    for name in ("gpp", "reco"):
        alone["flux_value"][7, months, names.index(name)] = np.nan
    made = impute(trained[0], alone, splits, 0, config, seed=3).sel(site="S07").isel(time=months)
    assert (made["origin"] == PARTLY).all()
    label, covariance = made["label"].sel(flux=["gpp", "reco", "nee"]).values, made["covariance"].values
    np.testing.assert_allclose(label[:, 2], towers["flux_value"].sel(flux="nee").values[7, months], atol=1e-6)
    np.testing.assert_allclose(label[:, 1] - label[:, 0], label[:, 2], atol=1e-6)
    before = labels["covariance"].sel(site="S07").values[months]
    assert covariance[:, 0, 0].mean() == pytest.approx(before[:, 0, 0].mean(), rel=0.3)
    assert covariance[:, 1, 1].mean() > before[:, 1, 1].mean() and (np.linalg.det(covariance) > 0).all()


def test_short_and_ragged_records(trained, towers, splits, config):
    ragged = towers.copy(deep=True)
    ragged["record"][8, 20:] = False
    ragged["flux_value"][8, 20:] = np.nan
    ragged["record"][9] = False
    ragged["flux_value"][9] = np.nan
    made = impute(trained[0], ragged, splits, 0, config, seed=3)
    assert (made["origin"].sel(site="S08").values > 0).sum() == 14 + 2 * 3
    assert (made["origin"].sel(site="S09").values == NOTHING).all()


def test_a_site_does_not_depend_on_its_company(trained, towers, splits, config, labels):
    alone = impute(trained[0], towers.isel(site=[6]), splits, 0, config, seed=3)
    assert np.allclose(alone["sample"].values[0], labels["sample"].sel(site="S06").values, atol=1e-4, equal_nan=True)


def test_the_seed_decides(trained, towers, splits, config, labels):
    assert impute(trained[0], towers, splits, 0, config, seed=3).identical(labels)
    assert not impute(trained[0], towers, splits, 0, config, seed=4).identical(labels)


def test_the_spread_factor_scales_the_scatter_only(trained, towers, splits, statistics, config):
    imputer = trained[0]
    series = series_of(towers, splits, statistics, config)
    request = [Request(Stretch(6, 3, 57), series.known[6, 3:57])]
    known = series.observed[6, 3:57]
    point = imputer.predict_point(series)
    factors = imputer.spread.clone()
    imputer.spread.fill_(1.0)
    narrow = trajectories(imputer, series, point, request, 20, 3)[0][:, ~known]
    imputer.spread.fill_(2.0)
    wide = trajectories(imputer, series, point, request, 20, 3)[0][:, ~known]
    imputer.spread.copy_(factors)
    assert np.allclose(wide.mean(0), narrow.mean(0), atol=1e-4)
    assert np.allclose(wide.std(0), 2 * narrow.std(0), rtol=1e-3)


def test_nan_weights_are_an_error(trained, towers, splits, config):
    imputer = trained[0]
    kept = imputer.denoiser.outlet.bias.detach().clone()
    imputer.denoiser.outlet.bias.data.fill_(float("nan"))
    with pytest.raises(ValueError, match="not finite"):
        impute(imputer, towers, splits, 0, config, seed=3)
    imputer.denoiser.outlet.bias.data.copy_(kept)
