"""The Gaussian process: its closed form against a fit without the group, its features, what left-out towers change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from dere.methods.gp.features import CLIP, GROUPS, STATIC, Standard, even, group_of, groups_of
from dere.methods.gp.fitting import targets_of
from dere.methods.gp.kernel import JITTER, Hyper, Rows, covariance, of_labels
from dere.methods.gp.left_out import group_of as left_out_of
from dere.methods.gp.left_out import groups_of_clusters
from dere.methods.gp.likelihood import drawn_rows, negative_log_likelihood, solve
from dere.methods.gp.predicting import predict
from simple_methods import CO2, Run, places_of

NAMES = ["igbp_ENF", "elevation", "evi_mean", "lai_satellite", "air_temperature", "vpd_lag1"]


def rows_of(number=30, towers=6, seed=0):
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, number)
    site = np.repeat(np.arange(towers), number // towers)
    return Rows(
        torch.as_tensor(rng.normal(size=(number, len(NAMES)))),
        torch.as_tensor(site),
        torch.as_tensor(np.stack([np.cos(angle), np.sin(angle)], -1)),
        torch.as_tensor(rng.uniform(0.5, 1.5, number)),
    )


def obvious(rows, hyper, i, j):
    """Covariance of two labels, written out for one pair."""
    length, static_length, variance = (torch.exp(part).tolist() for part in hyper.parameters())
    group = [group_of(name) for name in NAMES]

    def square(lengths, known):
        parts = [[k for k, g in enumerate(group) if g == name] for name in known]
        steps = (rows.features[i] - rows.features[j]).numpy()
        return sum((steps[p] ** 2).mean() / s**2 for p, s in zip(parts, lengths, strict=True) if p)

    found = variance[0] * np.exp(-0.5 * square(length, GROUPS)) + variance[1] / (1 + square(length, GROUPS) / 4) ** 2
    found += variance[2] * np.exp(-0.5 * square(static_length, STATIC))
    if rows.site[i] == rows.site[j]:
        found += variance[3] + variance[4] * float(rows.season[i] @ rows.season[j])
    return found + (i == j) * (variance[5] / float(rows.weight[i]) + JITTER)


def test_the_covariance_is_the_one_written_out_pair_by_pair():
    rows, hyper = rows_of(), Hyper.prior().to(torch.float64)
    found = of_labels(rows, hyper, torch.as_tensor(groups_of(NAMES))).numpy()
    expected = [[obvious(rows, hyper, i, j) for j in range(30)] for i in range(30)]
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    y = torch.as_tensor(np.random.default_rng(1).normal(size=(30, 2)))
    loss = negative_log_likelihood(rows, y, hyper, torch.as_tensor(groups_of(NAMES)))
    normal = torch.distributions.MultivariateNormal(torch.zeros(30).double(), torch.as_tensor(found))
    whole = -sum(normal.log_prob(y[:, k]) for k in range(2)) / 30
    assert float(loss) == pytest.approx(float(whole) - np.log(2 * np.pi), rel=1e-10)


def test_the_closed_form_without_a_group_is_a_solution_of_the_other_rows():
    rows, hyper, group = rows_of(), Hyper.prior().to(torch.float64), torch.as_tensor(groups_of(NAMES))
    y, left_out = torch.as_tensor(np.random.default_rng(1).normal(size=(30, 2))), np.repeat([0, 1, 2], 10)
    matrix = of_labels(rows, hyper, group)
    weights, without = solve(matrix, y, left_out, 3)
    np.testing.assert_allclose(weights, torch.linalg.solve(matrix, y), atol=1e-9)
    for number in range(3):
        kept = torch.as_tensor(np.flatnonzero(left_out != number))
        again = torch.linalg.solve(matrix[kept][:, kept], y[kept])
        np.testing.assert_allclose(without[number][kept], again, atol=1e-9)
        assert not without[number][left_out == number].any()
    # the mean at any place follows from the weights alone
    place = torch.as_tensor(np.random.default_rng(2).normal(size=(4, len(NAMES))))
    kept = torch.as_tensor(np.flatnonzero(left_out != 1))
    expected = covariance(place, rows.features[kept], hyper, group) @ torch.linalg.solve(matrix[kept][:, kept], y[kept])
    np.testing.assert_allclose(covariance(place, rows.features, hyper, group) @ without[1], expected, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("fraction_BL_of_year", "cover"), ("mean_temperature", "climate"), ("temperature_coldest", "climate"),
        ("dry_share", "climate"), ("wetness_shallow_driest", "climate"), ("lai_maximum", "satellite_level"),
        ("potential_gpp_evi_mean12", "satellite_level"), ("potential_gpp_evi_mean3", "light_use"),
        ("lloyd_taylor_wet", "light_use"), ("evi_satellite_mean3", "satellite_months"),
        ("lai_next", "satellite_months"),
        ("wetness_deep", "water"), ("moisture_index_mean3", "water"), ("co2_lag1", "co2_wind"),
        ("air_temperature_mean12", "rest"), ("a channel of your own", "rest"),
    ],
)  # fmt: skip
def test_every_feature_has_a_group(name, group):
    assert group_of(name) == group


def test_features_are_evened_standardised_and_filled():
    values = np.array([[1.0, 0, 3, np.e - 1, 10, -2], [1, 2, np.nan, 0, 1e6, np.e - 1]], "f4")
    made = even(values, NAMES)
    np.testing.assert_allclose(made[0], [1, 0, 3, 1, 10, 0], rtol=1e-6)
    found = Standard.of(made).apply(np.concatenate([made, np.full((1, 6), 1e9, "f4")]))
    np.testing.assert_allclose(found[:2, 1:], [[-1, 0, 1, -1, -1], [1, 0, -1, 1, 1]], atol=1e-5)
    assert found[0, 0] == 0 and (found[2] == CLIP).all()


def test_what_closing_leaves_is_learned():
    assert targets_of(CO2) == ["gpp", "reco"]


def test_rows_of_long_records_are_drawn_less_often():
    chance = np.repeat([100.0, 10.0], [100, 10]) ** -0.5
    drawn = [drawn_rows(chance, 20, np.random.default_rng(seed)) for seed in range(50)]
    assert all(len(np.unique(rows)) == 20 and (np.diff(rows) > 0).all() for rows in drawn)
    assert 0.2 < np.mean([np.mean(rows >= 100) for rows in drawn]) < 0.35
    assert drawn_rows(chance, 200, np.random.default_rng(0)).tolist() == list(range(110))


def test_towers_of_a_cluster_are_left_out_together():
    roles = pd.DataFrame(
        {"id": [f"T{i}" for i in range(40)], "kind": "site", "cluster": [f"c{i // 2}" for i in range(40)]}
    ).assign(role=["test" if i < 4 else "validation" if i < 12 else "training" for i in range(40)])
    found = left_out_of(roles["cluster"], groups_of_clusters(roles, 0))
    assert (found[:4] == -1).all() and set(found[4:]) == set(range(8))
    assert np.array_equal(found[::2], found[1::2]) and np.bincount(found[4:]).max() <= 6


def test_a_left_out_tower_does_not_see_its_labels(towers, members):
    run = Run(towers, members)
    fitted, places = run.fitted("gp"), places_of(towers, members)
    plain, unseen = (predict({"gp": fitted}, places, unseen=flag).mean for flag in (False, True))
    known = left_out_of(places.classes["cluster"], fitted.facts["left_out"]) >= 0
    assert known.sum() == 16 and np.abs(plain - unseen)[known].max(axis=(1, 2)).min() > 0
    np.testing.assert_array_equal(plain[~known], unseen[~known])
    # weights without a group know nothing of its labels: solved again with others there
    matrix = torch.eye(6, dtype=torch.float64) + 0.3
    groups = np.array([0, 0, 1, 1, 2, 2])
    first, second = (
        solve(matrix, torch.as_tensor(y), groups, 3)[1][0]
        for y in (np.arange(12.0).reshape(6, 2), np.vstack([np.full((2, 2), 99.0), np.arange(4.0, 12).reshape(4, 2)]))
    )
    np.testing.assert_allclose(first, second, atol=1e-12)


def test_places_with_other_features_are_refused(towers, members):
    fitted = Run(towers, members).fitted("gp")
    fitted.facts["features"][3] = "snow"
    with pytest.raises(ValueError, match=r"gp: the places have \d+ features, but .* \(\w+ differs\); give places"):
        predict({"gp": fitted}, places_of(towers, members))
