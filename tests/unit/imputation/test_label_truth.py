"""Labels against a known truth: what is scored where, and in which years."""

import numpy as np
import pytest

from dere.imputation.label_truth import label_sums
from dere.imputation.origins import IMPUTED, NOTHING, OBSERVED, PARTLY
from dere.variables import FLUXES


@pytest.fixture
def truth(labels):
    """A truth from which the labels' mean differs by 0.1, 0.2 and 0.3; a tower more, in another order."""
    real = labels["sample"].mean("sample").fillna(0.0) - np.array([0.1, 0.2, 0.3])
    real = real.transpose("site", "time", "flux").rename(site="tower").drop_vars(["lat", "lon"])
    return real.isel(tower=slice(None, None, -1)).to_dataset(name="tower_flux")


def test_observed_and_filled_months_are_told_apart(labels, truth):
    found = label_sums(labels, truth)
    assert set(found["method"]) == {"labels"} and set(found["gap"]) == {"observed", "filled"}
    monthly = found[found["scale"] == "monthly"].groupby(["gap", "flux"])[["values", "bias"]].sum()
    count = {
        name: int((labels["origin"] == kind).sum()) for name, kind in (("observed", OBSERVED), ("filled", IMPUTED))
    }
    for at, flux in enumerate(FLUXES):
        for gap, many in count.items():
            assert monthly.loc[(gap, flux), "values"] == many
            assert monthly.loc[(gap, flux), "bias"] == pytest.approx(many * 0.1 * (at + 1), rel=1e-3)


def test_years_count_where_every_month_is_of_the_kind(labels, truth):
    annual = label_sums(labels, truth).query("scale == 'annual' and flux == 'nee'").groupby("gap")["values"].sum()
    origin = labels["origin"].values.reshape(labels.sizes["site"], -1, 12)
    assert annual["observed"] == (origin == OBSERVED).all(-1).sum() > 0
    assert annual["filled"] == ((origin != NOTHING).all(-1) & (origin == IMPUTED).any(-1)).sum() > 0


def test_of_a_month_with_nee_alone_the_rest_is_filled(labels, truth):
    before = label_sums(labels, truth).query("scale == 'monthly'").groupby(["gap", "flux"])["values"].sum()
    alone = labels.copy(deep=True)
    site, month = np.argwhere(labels["origin"].values == OBSERVED)[0]
    alone["origin"].values[site, month] = PARTLY
    after = label_sums(alone, truth).query("scale == 'monthly'").groupby(["gap", "flux"])["values"].sum()
    assert (after - before).to_dict() == {
        ("observed", "gpp"): -1, ("observed", "reco"): -1, ("observed", "nee"): 0,
        ("filled", "gpp"): 1, ("filled", "reco"): 1, ("filled", "nee"): 0,
    }  # fmt: skip


def test_other_months_are_a_sentence(labels, truth):
    with pytest.raises(ValueError, match=r"truth\.nc and labels\.nc have other months"):
        label_sums(labels, truth.isel(time=slice(1, None)))
