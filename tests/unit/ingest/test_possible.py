"""The rule itself: what is possible, what is a mark, when a file is refused."""

from itertools import pairwise

import numpy as np
import pytest

from dere.ingest.possible import (
    MARKS,
    Sieve,
    impossible,
    is_mark,
    only_possible,
    packed,
    require_possible,
    unpacked,
    without_marks,
)
from dere.variables import VARIABLES

CODES = (
    -999.0,
    -6999.0,
    -9999.0,
    -9999.9,
    -99999.0,
    -32767.0,
    1e20,
    9.969209968386869e36,
    1e30,
    -1e34,
    np.inf,
    -np.inf,
)


@pytest.mark.parametrize("name", VARIABLES)
def test_longer_steps_and_usual_values_lie_within_what_is_possible(name):
    variable = VARIABLES[name]
    ranges = [variable.valid_range, *(variable.possible_of(step) for step in ("month", "day", "hour"))]
    for (low, high), (lower, higher) in pairwise(ranges):
        assert lower <= low < high <= higher


@pytest.mark.parametrize("name", VARIABLES)
def test_no_mark_of_missing_values_is_a_value(name):
    codes = np.array(CODES)
    assert is_mark(codes).all()
    for step in ("month", "day"):
        assert impossible(name, codes, step, codes).all()
    assert impossible(name, codes.astype(np.float32), "hour", codes.astype(np.float32)).all()


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_is_none_where_the_quantity_is_usually_not_that_number(mark):
    """A month's sum of -999 gC m-2 is -33 gC m-2 d-1: unusual, possible, and a mark. CO2 of 999.9 ppm is CO2."""
    sums = np.array([mark, 30.0])
    assert impossible("nee", sums / 31, "month", sums).tolist() == [True, False]
    assert not impossible("nee", np.array([-999.0]) / 31).any()
    assert not impossible("co2", np.array([999.9]), "day", np.array([999.9])).any()


def test_marks_of_qualities_are_missing_and_codes_of_half_hours_are_not():
    quality = np.array([0, 0.5, 1, 2, 3, 100.0, -999, -9999.9, 1e20, -1])
    assert impossible("nee_quality", quality).tolist() == [False] * 6 + [True] * 3 + [False]


def test_an_uncertainty_is_neither_negative_nor_larger_than_its_flux_can_be():
    assert impossible("nee_joint_uncertainty", np.array([-0.1, 0.0, 3.0, 41.0])).tolist() == [True, False, False, True]


def test_a_few_impossible_values_are_missing_and_said_in_one_line(caplog):
    values = np.full(60, 10.0)
    values[[3, 4, 5]] = -9999.9, 1e20, 300.0
    kept, count = only_possible("air_temperature", values, "f.csv", "TA_F")
    assert count == 3 and np.isnan(kept[3:6]).all() and np.isfinite(kept).sum() == 57
    assert [record.getMessage() for record in caplog.records] == [
        "f.csv: column TA_F: 3 of 60 values count as missing, 2 marks of missing values and 1 beyond what is possible "
        "(-85 to 55 degC; found 300)"
    ]


def test_a_column_of_marks_is_missing_and_one_in_another_unit_is_refused():
    kept, count = only_possible("gpp", np.full(12, -9999.9), "f.csv", "GPP")
    assert count == 12 and np.isnan(kept).all()
    with pytest.raises(ValueError, match=r"f\.csv: column TA_F has median 290.*looks like K"):
        only_possible("air_temperature", np.full(12, 290.0), "f.csv", "TA_F")
    some = np.where(np.arange(100) < 12, 300.0, 5.0)
    with pytest.raises(ValueError, match=r"12 of 100 values are beyond what is possible \(-250 to 250 gC m-2 d-1; fo"):
        only_possible("gpp", some, "f.csv", "GPP", "hour")
    with pytest.raises(ValueError, match="1000 of 1000 values"):
        sieve = Sieve()
        for block in np.full((10, 100), 5e6):
            sieve.keep("soil_carbon", block, "soil.nc: cSoil")
        sieve.report()


def test_marks_do_not_hide_a_wrong_unit():
    values = np.array([290.0, 291.0, -9999.9])
    np.testing.assert_array_equal(without_marks("air_temperature", values), [290.0, 291.0, np.nan])


def test_a_complete_array_with_an_impossible_value_is_refused():
    require_possible("lai", np.array([0.0, 6.0]), "f", "correct it")
    with pytest.raises(
        ValueError, match=r"f holds 1 values of lai .* example 1e\+20, but -0\.1 to 30 m2 m-2 .*correct"
    ):
        require_possible("lai", np.array([0.0, 1e20]), "f", "correct it")


def test_counts_come_back_from_their_text():
    assert unpacked(packed({"nee": 3, "failed_fits": 1})) == {"nee": 3, "failed_fits": 1} and unpacked("") == {}
