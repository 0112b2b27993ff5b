"""The channels against numbers worked out by hand, and against their obvious versions."""

from dataclasses import replace

import numpy as np
import pytest
from knowledge_samples import ARID, POLAR, SOUTHERN, climatological, make_inputs

from dere.knowledge.earlier_months import running_mean
from dere.knowledge.light_use import absorbed_share_of_evi, light_use_efficiency, quantum_yield
from dere.knowledge.record import following
from dere.knowledge.temperature import degree_days, lloyd_taylor
from dere.knowledge.terms import TERMS, computed, terms
from dere.knowledge.water import potential_evaporation, wetness


def efficiency(temperature, vpd=8.0, co2=371.0):
    warmth = np.asarray(temperature, float)
    return light_use_efficiency(warmth, *(np.full(warmth.shape, value) for value in (vpd, 101.0, co2)))


def test_light_use_is_that_of_the_p_model():
    """Values of pyrealm 2.0 with its default yield."""
    np.testing.assert_allclose(efficiency([5, 15, 25]), [0.330, 0.386, 0.352], atol=5e-4)
    np.testing.assert_allclose(
        efficiency([5, 15, 25], co2=471) / efficiency([5, 15, 25]), [1.07, 1.10, 1.16], atol=6e-3
    )
    # cold months: the kinetics stay at 0 degC, the yield does not
    np.testing.assert_allclose(
        efficiency([-8]) / efficiency([0]), quantum_yield(np.array([-8.0])) / quantum_yield(np.array([0.0]))
    )
    assert efficiency([-40]) == 0 and efficiency([15], vpd=-1) == efficiency([15], vpd=0.05)


def test_a_month_by_hand():
    inputs = make_inputs(24)
    flat = {"temperature": 15.0, "precipitation": 3.0, "shortwave": 200.0, "vpd": 8.0, "pressure": 101.0}
    flat |= {"co2": 371.0, "lai": 2.0, "evi": 0.55}
    made = computed(climatological(replace(inputs, **{name: np.full((5, 24), value) for name, value in flat.items()})))
    demand = 0.61 * 0.10979 / (0.10979 + 0.066) * 200 * 0.0864 / 2.45
    expected = {
        "absorbed_light_lai": 0.176256 * 200 * (1 - np.exp(-1)),
        "absorbed_light_evi": 0.176256 * 200 * 0.6,
        "potential_gpp_evi_mean12": 0.38618 * 0.176256 * 200 * 0.6,
        "potential_evaporation": demand,
        "moisture_index_mean3": 3 / (demand + 0.3),
        "lloyd_taylor": np.exp(308.56 * (1 / 56.02 - 1 / 61.02)),
        "temperature_departure": 0,
        "temperature_in_range": 0,
        "temperature_next": 15,
        "lai_maximum": 2,
        "evi_change": 0,
        "evi_per_lai": 0.55 / 2.3,
        "growing_share": 1,
        "dry_share": 0,
        "vpd_highest": 8,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(made[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    np.testing.assert_array_equal(absorbed_share_of_evi(np.array([-0.1, 0.05, 0.95])), [0, 0, 1])


def test_degree_days_fade():
    made = degree_days(np.array([[4.0, 6.0, 10.0, 5.0]]))
    np.testing.assert_allclose(made, [[0, 30.4, 0.9 * 30.4 + 152, 0.3 * (0.9 * 30.4 + 152)]])


def plain_wetness(warmth, rain, demand, capacity):
    """One place, month by month."""
    stored, snow = 0.7 * capacity, 0.0
    for _ in range(3):
        filling = []
        for t, p, e in zip(warmth, 30.4 * rain, 30.4 * demand, strict=True):
            snow, water = (snow + p, 0.0) if t < -1 else (snow, p)
            melt = min(snow, 60 + 60 * t) if t > 0 else 0.0
            snow -= melt
            stored += water + melt - e * min(1.0, stored / (0.5 * capacity))
            stored = min(max(stored, 0.0), capacity)
            filling.append(stored / capacity)
    return filling


@pytest.mark.parametrize("capacity", [75.0, 250.0])
def test_wetness_is_that_of_the_obvious_loop(capacity):
    inputs = make_inputs()
    demand = potential_evaporation(inputs.temperature, inputs.shortwave)
    rows = zip(inputs.temperature, inputs.precipitation, demand, strict=True)
    expected = [plain_wetness(*row, capacity) for row in rows]
    made = wetness(inputs.temperature, inputs.precipitation, demand, capacity)
    np.testing.assert_allclose(made, expected, atol=1e-12)
    assert made[ARID].max() < 0.02 and made.min() >= 0 and made.max() == 1
    # the thaw of a polar place wets the soil more than the rain of that month could
    assert np.diff(made[POLAR]).max() * capacity > 30.4 * inputs.precipitation[POLAR].max()


@pytest.mark.parametrize("length", [3, 12])
def test_running_means_are_those_of_the_obvious_loop(length):
    series = make_inputs().temperature
    long = np.concatenate([series[:, :12], series], 1)
    expected = [long[:, 13 + t - length : 13 + t].mean(1) for t in range(series.shape[1])]
    np.testing.assert_allclose(running_mean(series, length), np.transpose(expected))


def test_the_month_after_the_last_is_the_climatology_and_nothing_wraps_around():
    month, record = np.arange(30) % 12, np.ones((2, 30), bool)
    values = np.stack([np.arange(30.0), 100 + np.arange(30.0)])
    record[1, 20:], record[1, 5] = False, False
    usual = np.arange(12.0) - 50 + np.zeros((2, 1))
    made = following(values, record, usual, month)
    np.testing.assert_array_equal(made[0], [*range(1, 30), -44])
    np.testing.assert_array_equal(made[1, [3, 4, 5, 18, 19]], [104, -45, 106, 119, -42])


def test_what_describes_a_place_is_of_its_record():
    inputs = make_inputs()
    record = inputs.record.copy()
    record[0, :6] = record[0, 30:] = False
    made = computed(climatological(replace(inputs, record=record)))
    warmth, rain, dry, lai = (
        values[0, 6:30] for values in (inputs.temperature, inputs.precipitation, inputs.vpd, inputs.lai)
    )
    np.testing.assert_allclose(made["temperature_warmest"][0], np.sort(warmth)[-2:].mean(), rtol=1e-6)
    np.testing.assert_allclose(made["temperature_coldest"][0], np.sort(warmth)[:2].mean(), rtol=1e-6)
    np.testing.assert_allclose(made["vpd_highest"][0], np.sort(dry)[-4:].mean(), rtol=1e-6)
    np.testing.assert_allclose(
        made["wetness_shallow_driest"][0], np.sort(made["wetness_shallow"][0, 6:30])[:4].mean(), rtol=1e-6
    )
    np.testing.assert_allclose(made["dry_share"][0], (rain < 0.5).mean(), rtol=1e-6)
    np.testing.assert_allclose(made["growing_share"][0], (warmth > 5).mean(), rtol=1e-6)
    np.testing.assert_allclose([made["lai_maximum"][0], made["lai_minimum"][0]], [lai.max(), lai.min()], rtol=1e-6)
    within = made["temperature_in_range"][0, 6:30]
    assert within.min() == 0 and within.max() == 1


def test_dark_winters_droughts_and_the_south():
    inputs = make_inputs()
    made = computed(inputs)
    assert all(np.isfinite(values).all() for values in made.values())
    dark = inputs.shortwave[POLAR] == 0
    assert dark.any() and not made["potential_gpp_lai"][POLAR, dark].any()
    np.testing.assert_array_equal(lloyd_taylor(np.array([-30.0, -46.02, -80.0])), lloyd_taylor(np.full(3, -30.0)))
    assert made["dry_share"][ARID] == 1 and not made["moisture_index_mean12"][ARID].any()
    january = made["temperature_in_range"][SOUTHERN, ::12]
    assert (january > 0.7).all() and (made["temperature_in_range"][0, ::12] < 0.3).all()


def test_only_what_is_said_to_looks_ahead():
    """Months from the thirtieth on are another climate: what is before them stays in causal channels, to the bit."""
    inputs, cut = make_inputs(), 30
    shift = dict.fromkeys(("precipitation", "shortwave", "vpd", "co2", "lai"), -0.4) | {"evi": -0.1, "temperature": -8}
    later = {
        name: np.where(np.arange(48) < cut, getattr(inputs, name), 1.5 * getattr(inputs, name)[:, ::-1] + more)
        for name, more in shift.items()
    }
    before, after = computed(inputs), computed(climatological(replace(inputs, **later)))
    for term in TERMS:
        same = np.array_equal(before[term.name][..., :cut], after[term.name][..., :cut])
        assert same != term.looks_ahead, term.name


def test_the_table_is_what_is_made():
    made = computed(make_inputs())
    assert len(TERMS) == 41 and set(made) == {term.name for term in TERMS}
    for term in TERMS:
        assert made[term.name].shape == ((5,) if term.of_place else (5, 48)), term.name
    groups = [term.group for term in TERMS]
    assert [groups.count(name) for name in dict.fromkeys(groups)] == [9, 8, 7, 15, 2]
    assert set(computed(make_inputs(leaves=False))) == {term.name for term in terms("knowledge", False)}
    assert [len(terms("causal", satellites)) for satellites in (True, False)] == [20, 9]
    assert terms("none", True) == ()
    with pytest.raises(ValueError, match=r"channels is 'both', expected .* correct harmonise\.channels"):
        terms("both", True)


def test_a_record_of_less_than_a_year_is_refused():
    inputs = make_inputs()
    record = inputs.record.copy()
    record[2, 11:] = False
    with pytest.raises(ValueError, match=r"^arid has a record of 11 months, at least 12 are needed .*channels: none$"):
        replace(inputs, record=record)
