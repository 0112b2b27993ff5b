"""Months of every calendar, spellings of units, CO2 tables."""

import cftime
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dere.ingest.simulation.process_model_axes import lattice_of, plain_unit, to_unit
from dere.ingest.simulation.process_model_drivers import parse_co2, read_co2
from dere.ingest.simulation.process_model_time import Steps, steps_of
from dere.variables import FLUX_UNIT

DAYS = np.array([31.0, 28.0])


@given(
    st.sampled_from(["standard", "noleap", "365_day", "360_day", "proleptic_gregorian", "all_leap"]),
    st.integers(1850, 2090),
    st.integers(1, 12),
    st.sampled_from(["days", "hours"]),
)
def test_months_of_any_calendar(calendar, year, month, unit):
    dates = [
        cftime.datetime(year + (month + i - 1) // 12, (month + i - 1) % 12 + 1, 15, calendar=calendar)
        for i in range(14)
    ]
    units = f"{unit} since 1700-01-01"
    steps = steps_of(cftime.date2num(dates, units, calendar), {"units": units, "calendar": calendar}, None, "f")
    assert not steps.annual
    assert steps.numbers.tolist() == [date.year * 12 + date.month - 1 for date in dates]


@pytest.mark.parametrize(
    ("values", "units", "first", "annual"),
    [
        (np.arange(24), "months since 1901-01-01", 1901 * 12, False),
        (np.arange(24) + 0.5, "months since 1901-01-16", 1901 * 12, False),
        (1901 + np.arange(24) / 12, "years since 0-1-1", 1901 * 12, False),
        (np.arange(5), "years since 1901-01-01", 1901, True),
        (np.arange(5) * 365 + 180, "days since 1901-01-01", 1901, True),
    ],
)
def test_months_and_years(values, units, first, annual):
    steps = steps_of(values, {"units": units, "calendar": "noleap"}, None, "f")
    assert steps.annual == annual and steps.numbers.tolist() == list(range(first, first + len(values)))


def test_bounds_decide_over_stamps():
    ends = np.array([31.0, 59.0, 90.0])
    bounds = np.stack([[0, 31, 59], ends], axis=1)
    attrs = {"units": "days since 2001-01-01", "calendar": "noleap"}
    assert steps_of(ends, attrs, None, "f").numbers[0] == 2001 * 12 + 1
    assert steps_of(ends, attrs, bounds, "f").numbers[0] == 2001 * 12


@pytest.mark.parametrize("text", ["kg m-2 s-1", "kg m^-2 s^-1", "kg/m2/s", "kg m**-2 s**-1", "KG M-2 S-1"])
def test_spellings_of_a_flux(text):
    np.testing.assert_allclose(to_unit(np.array([1e-8]), text, FLUX_UNIT, DAYS[:1], "f"), [0.864])


@pytest.mark.parametrize(
    ("text", "wanted", "value", "result"),
    [
        ("kg C m-2 month-1", FLUX_UNIT, [0.031, 0.028], [1.0, 1.0]),
        ("kgC/m2/yr", FLUX_UNIT, [0.36525] * 2, [1.0, 1.0]),
        ("gC/m2/day", FLUX_UNIT, [1.0] * 2, [1.0, 1.0]),
        ("g C m-2", "kgC m-2", [1500.0] * 2, [1.5, 1.5]),
        ("mm/month", "mm d-1", [31.0, 28.0], [1.0, 1.0]),
        ("mm/s", "mm d-1", [1e-5] * 2, [0.864, 0.864]),
        ("-", "m2 m-2", [3.0] * 2, [3.0, 3.0]),
        ("%", "1", [50.0] * 2, [0.5, 0.5]),
        ("Kelvin", "degC", [273.15] * 2, [0.0, 0.0]),
    ],
)
def test_conversions(text, wanted, value, result):
    np.testing.assert_allclose(to_unit(np.array(value), text, wanted, DAYS, "f"), result, atol=1e-9)


def test_an_unknown_unit_is_named():
    assert plain_unit("J m-2 per 6 hours") == "J m-2 per 6 hours"
    with pytest.raises(ValueError, match="dswrf has unit 'J m-2 per 6 hours'"):
        to_unit(DAYS, "J m-2 per 6 hours", "W m-2", DAYS, "dswrf")


def test_lattices():
    lattice = lattice_of(np.arange(-89.75, 90, 0.5), np.arange(0.25, 360, 0.5), "f")
    assert lattice.degrees == 0.5 and lattice.shape == (360, 720)
    assert lattice.row[[0, -1]].tolist() == [359, 0] and lattice.column[[0, 359, 360]].tolist() == [360, 719, 0]
    part = lattice_of(np.array([50.75, 50.25], np.float32), np.array([-10.25, -9.75], np.float32), "f")
    assert part.row.tolist() == [78, 79] and part.column.tolist() == [339, 340]
    with pytest.raises(ValueError, match="have shapes"):
        lattice_of(np.zeros((2, 2)), np.zeros(2), "f")


def test_a_column_that_comes_twice():
    with pytest.raises(ValueError, match="longitude holds a column twice"):
        lattice_of(np.arange(-75.0, 90, 30), np.arange(-165.0, 200, 30), "f")


def test_months_beyond_an_axis():
    steps = Steps(False, np.arange(24000, 24012))
    assert steps.find(np.array([24003, 24000]), "f").tolist() == [3, 0]
    assert Steps(True, np.array([2000, 2001])).find(np.array([24000, 24011, 24012]), "f").tolist() == [0, 0, 1]
    for month, text in ((23999, "1999-12"), (24012, "2001-01")):
        with pytest.raises(ValueError, match=f"f does not reach {text}"):
            steps.find(np.array([month]), "f")


def test_co2_tables(tmp_path):
    found = parse_co2(b"# year ppm\n2000 369.5\n2001, 371.1\n", "co2.txt")
    assert found[2000 * 12] == found[2000 * 12 + 11] == 369.5 and found[2001 * 12 + 3] == 371.1
    monthly = parse_co2(b"2000 1 370\n2000 2 371\n", "co2.txt")
    assert monthly == {24000: 370.0, 24001: 371.0}
    (tmp_path / "co2.txt").write_text("2000 369.5\n")
    assert read_co2(tmp_path / "co2.txt", np.arange(24000, 24012)).tolist() == [369.5] * 12
    with pytest.raises(ValueError, match=r"co2\.txt has no CO2 of 2001-01 \(1 months"):
        read_co2(tmp_path / "co2.txt", np.arange(24000, 24013))


@pytest.mark.parametrize("line", ["2000 0.00037", "2000 13 370", "2000", "2000 370 x", "2000 1 2 370", "2000 nan"])
def test_bad_co2(line):
    with pytest.raises(ValueError, match=r"co2\.txt: line 1 holds"):
        parse_co2(line.encode(), "co2.txt")
    with pytest.raises(ValueError, match="line 2 repeats year 2000"):
        parse_co2(b"2000 370\n2000 371\n", "co2.txt")
