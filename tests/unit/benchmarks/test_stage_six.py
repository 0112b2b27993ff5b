"""Stage 6 on other labels: what the arms' labels are, and what stands in the table."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import stage_six

from dere.imputation.labels import IMPUTED, NOTHING, OBSERVED, PARTLY

ORIGIN = np.array([[OBSERVED, IMPUTED, PARTLY, NOTHING], [IMPUTED, OBSERVED, OBSERVED, IMPUTED]], np.int8)
FLUX = ["gpp", "reco", "nee"]


@pytest.fixture
def labels():
    """Two sites and four months; labels of one, covariances of a quarter."""
    return xr.Dataset(
        {
            "label": (("site", "time", "flux"), np.ones((2, 4, 3))),
            "covariance": (("site", "time", "component", "component2"), np.full((2, 4, 2, 2), 0.25)),
            "origin": (("site", "time"), ORIGIN),
        },
        coords={"site": ["A", "B"], "time": np.arange(4), "flux": FLUX, "component": ["nee", "reco"],
                "component2": ["nee", "reco"]},
    )  # fmt: skip


@pytest.fixture
def world():
    """A run with a truth of 7 and a floor of labels of .2."""
    truth = xr.Dataset(
        {"tower_flux": (("tower", "time", "flux"), np.full((3, 4, 3), 7.0))},
        coords={"tower": ["B", "C", "A"], "time": np.arange(4), "flux": FLUX},
    )
    return SimpleNamespace(truth=truth, tree={"imputation": {"floor": 0.2}}, folder=Path("results/world"))


def test_labels_without_what_is_imputed(labels, world):
    found = stage_six.observed_only(labels, world)
    assert found["origin"].values.tolist() == [[OBSERVED, NOTHING, NOTHING, NOTHING], [NOTHING, OBSERVED, OBSERVED, 0]]
    assert found["origin"].dtype == np.int8 and labels["origin"].values[0, 1] == IMPUTED


def test_labels_with_the_truth_in_the_gaps_alone(labels, world):
    found = stage_six.truth_in_gaps(labels, world)
    gaps = np.isin(ORIGIN, (IMPUTED, PARTLY))
    np.testing.assert_array_equal(found["label"].values, np.where(gaps[..., None], 7.0, 1.0) * np.ones(3))
    assert np.allclose(found["covariance"].values[gaps], 0.04 * np.eye(2))
    assert (found["covariance"].values[~gaps] == 0.25).all()
    with pytest.raises(ValueError, match="has no truth; leave the arm truth out"):
        stage_six.truth_in_gaps(labels, SimpleNamespace(truth=None, folder="results/towers"))


def test_arms_are_known_by_name(labels):
    arms = stage_six.arms_of(["observed", "imputed"], [0.3])
    assert [(arm.name, arm.method, arm.stage) for arm in arms] == [
        ("observed", "dere", "uncertain"), ("imputed", "dere", "uncertain"), ("errors 0.3", "dere_towers", "towers"),
    ]  # fmt: skip
    assert arms[2].settings == {"model_error": 0.3}
    with pytest.raises(ValueError, match="--arms: perfect is none; choose from observed, imputed, truth"):
        stage_six.arms_of(["perfect"], [])


def test_ratios_are_of_equal_towers_and_seeds_to_stage_4():
    rows = []
    for seed in (0, 1):
        for site, cluster in (("A", "1"), ("B", "1"), ("C", "2")):
            own = {"towers": "test", "flux": "gpp", "site": site, "cluster": cluster, "fold": 0, "seed": seed}
            rows += [own | {"arm": stage_six.STAGE_4, "rmse": 2.0 + seed}, own | {"arm": "truth", "rmse": 1.0 + seed}]
    table = stage_six.compared(pd.DataFrame(rows), 200, 0)
    assert table[["arm", "towers", "flux", "seeds", "sites"]].values.tolist() == [["truth", "test", "gpp", 2, 3]]
    assert table["rmse_ratio"].item() == pytest.approx(np.sqrt(1 / 2 * 2 / 3))
    assert table["ratio_low"].item() == pytest.approx(table["ratio_high"].item())
