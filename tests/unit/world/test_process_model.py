"""The process model as a whole: budgets, determinism, and an oracle without vectors."""

from __future__ import annotations

import numpy as np
import pytest
from climates import climates

from dere.variables import FREE_TARGETS, PLANT_TYPES, STANDS, TARGETS
from dere.world import carbon
from dere.world.conditions import prepare
from dere.world.parameters import DEFAULT
from dere.world.process_model import Structure, _year_starts, simulate
from dere.world.stand import advance, bare_ground, layout, observe

SHORT = {"spin_up_years": 40}
NAMES = ("tropical", "temperate", "boreal", "arid")


def target(dataset, name, stand="mixture"):
    """(member, age, time) of one target."""
    return dataset.state.sel(stand=stand, target=name).values.astype(float)


@pytest.fixture(scope="module")
def run():
    forcing = climates(NAMES, years=3)
    return forcing, simulate(forcing, (1, 12, 40), diagnostics=True, **SHORT)


def test_layout_of_the_result(run):
    _, ds = run
    assert ds.state.dims == ("member", "stand", "age", "time", "target")
    assert ds.state.shape == (4, 4, 3, 36, 10) and ds.state.dtype == np.float32
    assert list(ds.target.values) == list(TARGETS) and list(ds.stand.values) == list(STANDS)
    assert ds.initial_state.shape == (4, 4, 3, 10)
    assert ds.plant_fraction.dims == ("member", "age", "year", "plant_type") and ds.sizes["year"] == 3
    np.testing.assert_allclose(ds.plant_fraction.sum("plant_type"), 1.0, atol=1e-6)
    np.testing.assert_allclose(ds.initial_plant_fraction.sum("plant_type"), 1.0, atol=1e-6)
    assert np.isfinite(ds.state.values).all()


def test_identities_hold_in_float32_and_free_targets_are_not_negative(run):
    _, ds = run
    for state in (ds.state, ds.initial_state):
        part = {name: state.sel(target=name).values for name in TARGETS}
        assert np.array_equal(part["npp"], part["gpp"] - part["ra"])
        assert np.array_equal(part["nee"], part["rh"] - part["npp"])
        assert np.array_equal(part["reco"], part["ra"] + part["rh"])
        assert np.abs(part["reco"] - part["gpp"] - part["nee"]).max() < 1e-5
        assert min(part[name].min() for name in FREE_TARGETS) >= 0.0


@pytest.mark.parametrize(
    "structure",
    [
        Structure(),
        Structure(nutrient=0.8, water_table=0.4, drought_legacy=0.3, disturbance=0.03, harvest=0.5, co2_sensitivity=2),
    ],
)
def test_pools_balance_every_month(structure):
    forcing = climates(NAMES, years=3)
    ds = simulate(forcing, (1, 30), structure=structure, diagnostics=True, **SHORT)
    change = np.diff(ds.total_carbon.values, axis=-1)
    assert np.abs(change).max() > 1.0
    assert np.abs(change - ds.balance.values).max() < 1e-9 * ds.total_carbon.values.max()


def test_exports_are_the_harvest_and_the_seeds():
    forcing = climates(("temperate",), years=2)
    plain, cut = (
        simulate(forcing, (20,), stands=("GS",), structure=Structure(harvest=h), diagnostics=True, **SHORT)
        for h in (0.0, 0.6)
    )
    exports = [
        (target(ds, "npp", "GS") - target(ds, "rh", "GS")) * forcing.days - ds.balance.values[:, 0]
        for ds in (plain, cut)
    ]
    np.testing.assert_allclose(exports[0], -DEFAULT.seed_import, atol=1e-3)
    assert exports[1].sum() > 20.0
    assert target(cut, "soil_carbon", "GS").mean() < target(plain, "soil_carbon", "GS").mean()


def test_oracle_single_member_single_age_month_by_month():
    age, years, seed = 7, 40, 5
    many = simulate(climates(NAMES, years=3), (3, age, 9), spin_up_years=years, seed=seed)
    forcing = climates(("boreal",), years=3)
    c, p, lay = prepare(forcing, DEFAULT, Structure()), DEFAULT, layout(STANDS, DEFAULT)
    state, litter = bare_ground(lay, c, p, None, None, None), []
    for year in _year_starts(36, years, seed, 1):
        for t in range(year, year + 12):
            state, out = advance(state, t, t == year + 11, c, lay, p)
            litter.append((out.fine, out.coarse, out.rate))
    fine, coarse, rate = (12 * np.mean(values, axis=0) for values in zip(*litter[-360:], strict=True))
    soil = carbon.equilibrium(fine, coarse, rate / 12, p)
    leaf, root, stem, reserve = map(lay.by_stand, state.plants)
    soil = soil._replace(fine=soil.fine + leaf + root + reserve, debris=soil.debris + p.debris_left * stem)
    state = bare_ground(lay, c, p, None, soil, state.water)
    lived = [*_year_starts(36, 9, seed, 2)[: age - 1], *_year_starts(36, 1, seed, 3), 0, 12, 24]
    gpp, height = [], []
    for year in lived:
        for t in range(year, year + 12):
            state, out = advance(state, t, t == year + 11, c, lay, p)
            gpp.append(out.gpp[:, 0, 0] / c.days[t])
            height.append(observe(state, lay, p)["height"][:, 0, 0])
    for name, values in (("gpp", gpp), ("height", height)):
        found = many.state.sel(age=age, target=name).values[NAMES.index("boreal")]
        np.testing.assert_allclose(found, np.array(values[-36:]).T, rtol=2e-5, atol=1e-6)


def test_equal_seeds_equal_results_other_seeds_other_results(run):
    forcing, ds = run
    again = simulate(forcing, (1, 12, 40), **SHORT)
    other = simulate(forcing, (1, 12, 40), seed=1, **SHORT)
    assert np.array_equal(again.state, ds.state)
    assert np.abs(other.state.values - ds.state.values).max() > 1e-3


def test_members_do_not_depend_on_their_neighbours_or_order(run):
    forcing, ds = run
    order = [2, 0, 3]
    part = simulate(forcing.take(order), (1, 12, 40), **SHORT)
    np.testing.assert_allclose(part.state, ds.state[order], rtol=1e-5, atol=1e-6)


def test_ages_do_not_depend_on_the_other_ages(run):
    # the resampled years are one sequence, of which a younger stand lives the beginning
    forcing, ds = run
    alone = simulate(forcing, (12,), **SHORT)
    np.testing.assert_allclose(alone.state.values[:, :, 0], ds.state.values[:, :, 1], rtol=1e-5, atol=1e-6)


def test_blocks_of_members_do_not_matter(run, monkeypatch):
    forcing, ds = run
    monkeypatch.setattr("dere.world.process_model._SPIN_UP_BLOCK", 3)
    monkeypatch.setattr("dere.world.process_model._BLOCK", 2)
    np.testing.assert_allclose(simulate(forcing, (1, 12, 40), **SHORT).state, ds.state, rtol=1e-5, atol=1e-6)


def test_subsets_and_order_of_stands(run):
    forcing, ds = run
    part = simulate(forcing, (1, 12, 40), stands=("mixture", "GS"), **SHORT)
    np.testing.assert_allclose(part.state, ds.state.sel(stand=["mixture", "GS"]), rtol=1e-5, atol=1e-6)
    assert "plant_fraction" not in simulate(forcing, (2,), stands=("NL",), **SHORT)


def test_prescribed_fractions_are_kept_and_matter():
    forcing = climates(("temperate", "temperate", "temperate"), years=2)
    wanted = np.array([[0.9, 0.1, 0.0], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]])
    ds = simulate(forcing, (60,), fraction=wanted, **SHORT)
    np.testing.assert_allclose(ds.plant_fraction[:, 0, 1], wanted, atol=2e-4)
    height = target(ds, "height").mean(axis=(1, 2))
    assert height[0] > 2 * height[1] > 4 * height[2]
    # nothing but grass is the pure grass stand
    np.testing.assert_allclose(target(ds, "gpp")[2], target(ds, "gpp", "GS")[2], rtol=0.02, atol=0.02)


def test_records_of_incomplete_years():
    forcing = climates(("temperate",), years=3)
    cut = type(forcing)(
        **{
            name: value[:, 3:31]
            for name, value in vars(forcing).items()
            if name not in ("latitude", "soil_depth", "start_month")
        },
        latitude=forcing.latitude,
        soil_depth=forcing.soil_depth,
        start_month=4,
    )
    ds = simulate(cut, (1, 5), **SHORT)
    assert ds.sizes["time"] == 28 and ds.sizes["year"] == 3
    gpp = target(simulate(forcing, (1, 5), **SHORT), "gpp", "GS")[0, 1, 3:31]
    assert np.corrcoef(target(ds, "gpp", "GS")[0, 1], gpp)[0, 1] > 0.98


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ages": (5, 1)}, "ages are"),
        ({"ages": (0, 1)}, "ages are"),
        ({"stands": ("BL", "oak")}, "oak"),
        ({"fraction": [[0.5, 0.1, 0.1]]}, "sum to 1"),
        ({"fraction": [0.5, 0.3, 0.2]}, "shape"),
        ({"spin_up_years": 3}, "spin_up_years"),
    ],
)
def test_wrong_arguments_end_in_a_sentence(change, message):
    arguments = {"ages": (1,)} | change
    with pytest.raises(ValueError, match=message):
        simulate(climates(("arid",), years=1), **arguments)


def test_names_of_plant_types(run):
    assert list(run[1].plant_type.values) == list(PLANT_TYPES)
