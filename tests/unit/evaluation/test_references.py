"""Which months are scored."""

import numpy as np
import pytest

import made_towers
from dere.config.evaluation import EvaluationConfig
from dere.evaluation.predictions import sites_with_role
from dere.evaluation.schemas import checked
from dere.evaluation.site_scores import site_skill
from dere.evaluation.tables import skill
from dere.evaluation.truth import references
from dere.training.roles import PREDICTED


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


def odd_ones(towers, members):
    """Towers of which two test towers have odd months, one and three; and the values there."""
    first, second = members.loc[members["role"] == "test", "id"].tolist()[:2]
    changed = towers.copy(deep=True)
    odd = changed["flux_value"].where(False)
    for site, months in ((first, [7]), (second, [12, 13, 14])):
        changed["flux_quality"].loc[{"site": site}][months] = 0.9
        odd.loc[{"site": site}][months] = 30.0
        changed["flux_value"].loc[{"site": site}][months] = np.nan
    return changed.assign(flux_odd=odd), first, second


def test_odd_months_are_scored_apart_and_together_with_the_others(towers, members):
    changed, first, second = odd_ones(towers, members)
    found = {ref.rows: ref for ref in references(changed, members, EvaluationConfig()) if ref.quality == 0.5}
    assert {"measured", "odd", "with_odd"} <= set(found)
    counts = {rows: ref.values.sel(flux="nee").notnull().sum("time") for rows, ref in found.items()}
    assert (int(counts["odd"].sel(site=first)), int(counts["odd"].sel(site=second))) == (1, 3)
    assert int(counts["odd"].sum()) == 4 and found["odd"].minimum_months == 1
    np.testing.assert_array_equal((counts["measured"] + counts["odd"]).values, counts["with_odd"].values)
    assert not (found["measured"].values == 30.0).any() and int((found["with_odd"].values == 30.0).sum()) == 12
    rows = {ref.rows for ref in references(towers, members, EvaluationConfig())}
    assert "odd" not in rows and "with_odd" not in rows


def test_bad_odd_months_are_not_scored(towers, members):
    changed, first, _ = odd_ones(towers, members)
    changed["flux_quality"].loc[{"site": first}][7] = 0.1
    found = next(ref for ref in references(changed, members, EvaluationConfig()) if ref.rows == "odd")
    assert not found.values.sel(site=first).notnull().any()


def test_tables_have_rows_of_the_odd_months(towers, members):
    """One odd month has an error, but no efficiency; the main row is as without them."""
    changed, first, second = odd_ones(towers, members)
    sites = sites_with_role(members, PREDICTED)
    file = made_towers.prediction_file(towers["true_flux"].sel(site=sites).values, towers, sites, method="climatology")
    per_site = site_skill(file, changed, members, EvaluationConfig())
    table = checked(skill(checked(per_site, "site_skill")), "skill")
    nee = per_site[(per_site["flux"] == "nee") & (per_site["rows"] == "odd")].set_index("site")
    assert sorted(nee.index) == sorted([first, second]) and set(nee["scale"]) == {"monthly"}
    assert nee.loc[first, "months"] == 1 and nee.loc[first, "rmse"] > 20 and np.isnan(nee.loc[first, "nse"])
    best = table[(table["flux"] == "nee") & (table["scale"] == "monthly") & (table["statistic"] == "median")]
    best = best[best["fold"] == "all"].set_index("grouping")
    assert best.loc["odd", "sites"] == 2 and best.loc["odd", "months"] == 4 and best.loc["odd", "rmse"] > 20
    assert best.loc["all", "months"] + 4 == best.loc["with_odd", "months"]
    assert best.loc["all", "rmse"] <= best.loc["with_odd", "rmse"]
