"""A site that loses its labels is named."""

import numpy as np
import pytest
from harmonise_samples import make_towers

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.harmonise.build import harmonise
from dere.harmonise.interim import Interim
from dere.harmonise.labels import make_labels
from dere.harmonise.lost_labels import warn_lost_labels


@pytest.fixture
def towers():
    return make_towers()


def warned(towers):
    labels = make_labels(towers, maximum_residual=0.5)
    warn_lost_labels(towers, labels.counts, 0.5)


def test_good_towers_are_not_named(towers, caplog):
    warned(towers)
    assert not caplog.text


def test_a_site_without_quality_is_named(towers, caplog):
    site = str(towers["site"].values[3])
    towers["nee_quality"].values[3] = np.nan
    warned(towers)
    assert "1 sites have NEE but no quality" in caplog.text and f"({site})" in caplog.text
    caplog.clear()
    warned(towers.drop_vars("nee_quality"))
    assert "12 sites have NEE but no quality" in caplog.text and "and 2 more" in caplog.text


def test_a_site_that_the_closure_rule_empties_is_named(towers, caplog):
    site, other = map(str, towers["site"].values[[5, 6]])
    months = np.flatnonzero(np.isfinite(towers["nee"].values[5]))
    towers["reco_nt"].values[5, months[: len(months) // 2 + 2]] += 3
    towers["reco_nt"].values[6, months[:3]] += 3
    warned(towers)
    assert "1 sites lose GPP and RECO in more than half" in caplog.text and f"({site})" in caplog.text
    assert other not in caplog.text and "0.5 gC m-2 d-1" in caplog.text


def test_harmonise_says_it(interim, caplog):
    interim.towers["nee_quality"].values[2] = np.nan
    harmonise(
        Interim(**interim.__dict__),
        SimulationSource(),
        HarmoniseConfig(window=24, window_stride=12),
        SplitsConfig(folds=3, block_degrees=20),
    )
    assert "no quality" in caplog.text and str(interim.towers["site"].values[2]) in caplog.text


def test_a_flux_with_few_months_has_no_label_at_a_site_that_has_another(interim):
    """Five partitioned months and all of NEE: a tower of NEE; three months of NEE: no tower."""
    towers = interim.towers
    towers["gpp_nt"].values[1, 5:], towers["nee"].values[2, 3:] = np.nan, np.nan
    made = harmonise(
        Interim(**interim.__dict__),
        SimulationSource(),
        HarmoniseConfig(window=24, window_stride=12, minimum_labelled_months=6),
        SplitsConfig(folds=3, block_degrees=20),
    ).towers
    assert made["kind"].values[1:3].tolist() == ["tower", "predict"]
    for name in ("flux_value", "flux_uncertainty"):
        found = np.isfinite(made[name].sel(flux=["gpp", "reco", "nee"]).values)
        assert found[1].any(0).tolist() == [False, False, True] and not found[2].any()
