"""Months and years of a file that states its error model are covered as that says, by towers, seasons and distance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.calibration import FIFTHS, calibration
from dere.evaluation.probabilistic import PIT
from dere.evaluation.schemas import checked
from dere.evaluation.tower_coverage import SEASONS, tower_coverage
from dere.exchange.co2 import EXCHANGE
from dere.intervals.spread import spread
from dere.intervals.stated import stated
from dere.intervals.trajectories import trajectories
from invented_errors import KNOWN, labels_around, predictions

TOWERS, MONTHS = 240, 60
CONFIG = EvaluationConfig(bootstrap=200)
NOISY = KNOWN.__class__(EXCHANGE, KNOWN.coefficients, KNOWN.dof, KNOWN.kernel, KNOWN.rescale, noise=0.8)


@pytest.fixture(scope="module")
def world():
    """Towers whose labels follow the error model, and as many sites whose truth does."""
    mean = predictions(2 * TOWERS, MONTHS)
    labels = labels_around(mean, 3, NOISY)
    drawn = trajectories(mean, NOISY.scale(mean), NOISY, np.random.default_rng(8), 50)
    real = drawn[np.random.default_rng(9).integers(50, size=len(mean)), np.arange(len(mean))]
    ids = np.array([f"t{i:03d}" for i in range(2 * TOWERS)])
    virtual = np.arange(len(ids)) >= TOWERS
    time = pd.date_range("2001-01-01", periods=MONTHS, freq="MS") + pd.Timedelta(days=14)
    dims = ("site", "time", "flux")
    where = {"site": ids, "time": time, "flux": list(EXCHANGE.names)}
    about = {
        "igbp": ("site", np.where(np.arange(len(ids)) % 2, "ENF", "GRA")),
        "lat": ("site", np.where(np.arange(len(ids)) % 3, 50.0, -30.0)),
    }
    towers = xr.Dataset(
        {
            "flux_value": (dims, np.where(virtual[:, None, None], np.nan, labels)),
            "flux_quality": (dims, np.ones(labels.shape)),
            "record": (("site", "time"), np.ones((len(ids), MONTHS), bool)),
        },
        coords={**where, **about},
    )
    truth = xr.Dataset({"flux_value": (dims, real)}, coords=where).isel(site=virtual)
    members = pd.DataFrame(
        {"id": ids, "kind": "site", "cluster": ids, "fold": np.where(virtual, -1, 0), "cell": -1,
         "role": np.where(virtual, "predict", "test")}
    )  # fmt: skip
    file = xr.Dataset(
        {"prediction": (dims, mean), "driver_distance": ("site", np.linspace(0, 1, len(ids)))}, coords=where
    )
    file = file.assign(spread(mean, NOISY.scale(mean), NOISY, "site", "label"))
    file.attrs = {"method": "gbm", "backbone": "none", "fold": 0, "seed": 0, **stated(NOISY)}
    return file, towers, members, CONFIG, truth


@pytest.fixture(scope="module")
def table(world):
    rows = tower_coverage(*world)
    return checked(calibration(rows, 200), "calibration")


@pytest.mark.parametrize("scale", ["monthly", "annual"])
@pytest.mark.parametrize("grouping", ["all", "virtual"])
def test_labels_and_truth_are_covered_in_months_and_years(table, grouping, scale):
    rows = table[(table["grouping"] == grouping) & (table["scale"] == scale)]
    rows = rows.query("part == 'all' and fold == 'all'")
    assert len(rows) == 3 and (rows["sites"] == TOWERS).all()
    assert (rows["periods"] == TOWERS * MONTHS // (1 if scale == "monthly" else 12)).all()
    # a tower is one draw of its level: 240 of them leave a standard error of .02
    for level in (50, 80, 90, 95):
        np.testing.assert_allclose(rows[f"coverage_{level}"], level / 100, atol=0.075 if level == 50 else 0.055)
    assert (rows["coverage_90_low"] < rows["coverage_90"]).all() and (rows["coverage_90_high"] < 1).all()
    np.testing.assert_allclose(rows[list(PIT)].sum(axis=1), 1.0)
    assert rows["spread_error"].between(0.8, 1.25).all()


def test_parts_share_the_towers_and_months_out(table):
    for grouping, part, groups in (
        ("all", "season", SEASONS), ("virtual", "distance", FIFTHS), ("all", "igbp", ("ENF", "GRA"))
    ):  # fmt: skip
        chosen = (table["grouping"] == grouping) & (table["part"] == part) & (table["scale"] == "monthly")
        rows = table[chosen & (table["flux"] == "nee")]
        assert set(rows["group"]) == set(groups) and rows["coverage_90"].between(0.75, 1).all()
        assert rows["periods"].sum() == TOWERS * MONTHS
    seasons = table.query("part == 'season' and grouping == 'all' and flux == 'gpp'").set_index("group")
    assert (seasons["sites"] == TOWERS).all() and not (table.query("part == 'season'")["scale"] == "annual").any()
    # small fluxes of January are those of the north's winter and of the south's summer, a third of the towers
    assert seasons.loc["winter", "width_90"] < seasons.loc["summer", "width_90"]


def test_a_file_without_an_error_model_says_nothing_of_years(world):
    file, *about = world
    silent = file.copy()
    silent.attrs = {key: value for key, value in file.attrs.items() if not key.startswith("error_model")}
    rows = calibration(tower_coverage(silent, *about))
    assert set(rows["scale"]) == {"monthly"} and rows["coverage_80"].isna().all() and rows[PIT[0]].isna().all()
    stating = calibration(tower_coverage(file, *about)).query("scale == 'monthly' and grouping == 'all'")
    both = rows.query("grouping == 'all'")["coverage_90"].to_numpy(), stating["coverage_90"].to_numpy()
    np.testing.assert_allclose(*both, rtol=1e-12)
