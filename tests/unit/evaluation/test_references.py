"""Which months are scored."""

import numpy as np
import pytest

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.truth import references


def test_only_months_with_enough_measured_records_are_scored(towers, members):
    share = np.random.default_rng(1).uniform(0, 1, towers["record"].shape)
    share[:, :10] = np.nan
    with_share = towers.assign(flux_measured=(("site", "time"), share))
    config = EvaluationConfig(minimum_measured=0.6)
    for reference in references(with_share, members, config):
        sites = reference.values["site"].values
        kept = reference.values.notnull().any("flux")
        measured = with_share["flux_measured"].sel(site=sites)
        assert bool(kept.any()) and bool((measured.where(kept) >= 0.6).where(kept, True).all())
        everything = next(
            other
            for other in references(with_share, members, EvaluationConfig())
            if (other.rows, other.quality) == (reference.rows, reference.quality)
        )
        expected = everything.values.notnull().any("flux") & (measured >= 0.6)
        np.testing.assert_array_equal(kept.values, expected.values)


def test_each_flux_is_scored_by_its_own_quality(towers, members):
    changed = towers.copy(deep=True)
    changed["flux_quality"].loc[{"flux": "reco"}] = 0.1
    changed["flux_quality"][:, ::2].loc[{"flux": "gpp"}] = 0.6
    plain, found = (references(given, members, EvaluationConfig()) for given in (towers, changed))
    for before, after in zip(plain, found, strict=True):
        count, own = (part.values.notnull().sum(["site", "time"]) for part in (before, after))
        assert int(own.sel(flux="nee")) == int(count.sel(flux="nee")) > 0 == int(own.sel(flux="reco"))
        high = after.quality > 0.6
        assert not after.values.sel(flux="gpp")[:, ::2].notnull().any() if high else int(own.sel(flux="gpp")) > 0


def test_a_share_that_no_file_states_is_named(towers, members):
    with pytest.raises(ValueError, match=r"minimum_measured is 0\.6, but no tower file states the share"):
        references(towers, members, EvaluationConfig(minimum_measured=0.6))
