"""Age weights sum to 1 exactly after a stated tolerance."""

import numpy as np
import pandas as pd
import pytest

from dere.ingest.cover.age_weights import parse_grid, parse_sites, read_grid_age_weights, read_site_age_weights

AGES = (1, 50, 200)


def table(*rows, key=None):
    frame = pd.DataFrame(rows, columns=["weight_1", "weight_2", "weight_3"])
    for name, values in (key or {"lat": range(len(rows)), "lon": 0.0}).items():
        frame[name] = values
    return frame


def test_exact_after_rounding(tmp_path):
    path = tmp_path / "lat_lon_age_weights.csv"
    table((0.333, 0.333, 0.333), (0.2, 0.3, 0.5)).to_csv(path, index=False)
    weights = read_grid_age_weights(path, AGES)
    np.testing.assert_allclose(weights.age_weight.sum("age"), 1.0, atol=1e-15)
    assert weights.attrs["renormalised"] == 1
    assert weights.age.values.tolist() == list(AGES) and weights.lat.values.tolist() == [0.0, 1.0]


def test_sites_and_aliases(tmp_path):
    path = tmp_path / "site_age_weights.csv"
    table((1, 0, 0), (0, 0, 1), key={"SITE_ID": ["DK-ZaH", "XX-Syn"]}).to_csv(path, index=False)
    weights = read_site_age_weights(path, AGES)
    assert weights.age_weight.sel(site="GL-ZaH").values.tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((0.5, 0.3, 0.1), "data row 1 sum to 0.9, but 1 within 0.01"),
        ((1.5, -0.5, 0.0), "missing or negative weight"),
        ((np.nan, 0.5, 0.5), "missing or negative weight"),
        ((-9999, 0.5, 0.5), "missing or negative weight"),
    ],
)
def test_bad_weights(row, message):
    with pytest.raises(ValueError, match=rf"f\.csv.*{message}"):
        parse_grid(table(row), AGES, "f.csv")


def test_number_of_ages_must_fit():
    with pytest.raises(ValueError, match="no column weight_4"):
        parse_grid(table((0.2, 0.3, 0.5)), (1, 2, 3, 4), "f")
    with pytest.raises(ValueError, match="3 weight columns, but the run has 2 stand ages"):
        parse_grid(table((0.2, 0.8, 0.0)), (1, 2), "f")


def test_repeated_or_impossible_points_and_sites():
    rows = ((0.2, 0.3, 0.5), (0.2, 0.3, 0.5))
    with pytest.raises(ValueError, match="data row 2 repeats the point 5, 6"):
        parse_grid(table(*rows, key={"lat": 5.0, "lon": 6.0}), AGES, "f")
    with pytest.raises(ValueError, match="subtract 360"):
        parse_grid(table(*rows, key={"lat": 5.0, "lon": 200.0}), AGES, "f")
    with pytest.raises(ValueError, match="lists site XX-Syn more than once"):
        parse_sites(table(*rows, key={"SITE_ID": "XX-Syn"}), AGES, "f")
