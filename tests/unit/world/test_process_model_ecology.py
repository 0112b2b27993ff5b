"""The process model against orders of magnitude and known responses, on synthetic climates."""

from __future__ import annotations

import numpy as np
import pytest
from climates import climates

from dere.variables import TARGETS
from dere.world.process_model import Structure, simulate

NAMES = ("tropical", "temperate", "boreal", "arid", "tundra", "savanna")
AGES = (1, 5, 15, 30, 60, 120, 300)


@pytest.fixture(scope="module")
def forcing():
    return climates(NAMES)


@pytest.fixture(scope="module")
def world(forcing):
    return simulate(forcing, AGES, spin_up_years=120)


@pytest.fixture(scope="module")
def annual(forcing, world):
    """(climate, stand, age, target): annual totals (gC m-2 yr-1) of fluxes, means of the rest."""
    mean = np.einsum("msatk,t->msak", world.state.values.astype(float), forcing.days / forcing.days.sum())
    fluxes = [TARGETS.index(n) for n in ("gpp", "npp", "rh", "nee", "ra", "reco")]
    mean[..., fluxes] *= 365.25

    def value(climate, stand, name, age=None):
        stands = list(world.stand.values)
        row = mean[NAMES.index(climate), stands.index(stand), :, TARGETS.index(name)]
        return row if age is None else row[AGES.index(age)]

    return value


def monthly(world, climate, stand, name, age):
    """(12,) mean seasonal cycle."""
    values = world.state.sel(stand=stand, age=age, target=name).values[NAMES.index(climate)]
    return values.reshape(-1, 12).mean(axis=0)


@pytest.mark.parametrize(
    ("climate", "stand", "low", "high"),
    [
        ("tropical", "BL", 2500, 3500),
        ("tropical", "mixture", 2000, 3500),
        ("temperate", "mixture", 1000, 2000),
        ("boreal", "NL", 500, 1100),
        ("boreal", "mixture", 500, 1100),
        ("arid", "mixture", 100, 450),
        ("tundra", "mixture", 80, 500),
        ("savanna", "mixture", 600, 2200),
    ],
)
def test_annual_gpp_of_old_stands(annual, climate, stand, low, high):
    assert low < annual(climate, stand, "gpp", 300) < high


def test_carbon_use_efficiency(annual):
    for climate in NAMES:
        share = annual(climate, "mixture", "npp", 300) / annual(climate, "mixture", "gpp", 300)
        assert 0.33 < share < 0.63, climate


def test_stocks_and_structure_of_old_stands(world, annual):
    assert 4 < annual("tropical", "BL", "lai", 300) < 7
    assert 1.5 < annual("boreal", "mixture", "lai", 300) < 4
    assert 10 < annual("tropical", "mixture", "agb", 300) < 25
    assert 25 < annual("tropical", "mixture", "height", 300) < 40
    assert annual("arid", "mixture", "agb", 300) < 0.5
    soils = [annual(climate, "mixture", "soil_carbon", 300) for climate in ("tropical", "temperate", "boreal")]
    assert min(soils) > 3 and max(soils) < 30
    assert annual("boreal", "NL", "soil_carbon", 300) > 1.15 * annual("tropical", "BL", "soil_carbon", 300)


def test_net_exchange_depends_on_age(annual):
    for climate in ("tropical", "temperate", "boreal"):
        nee = annual(climate, "mixture", "nee")
        assert nee[0] > 30, "young stands lose the debris of the one before"
        assert nee.min() < -50, "growing stands gain carbon"
        assert abs(nee[-1]) < 0.05 * annual(climate, "mixture", "gpp", 300), "old stands are near balance"
    height = annual("tropical", "mixture", "height")
    assert height[0] < 2 and (np.diff(height) > -1.0).all()


def test_climate_decides_who_dominates(world):
    share = world.plant_fraction.sel(age=300).values[:, -1]
    broadleaf, needleleaf, grass = ({name: share[NAMES.index(name), kind] for name in NAMES} for kind in range(3))
    assert broadleaf["tropical"] > 0.6 > 0.1 > needleleaf["tropical"]
    assert needleleaf["boreal"] > 0.6 > broadleaf["boreal"]
    assert broadleaf["temperate"] > needleleaf["temperate"] > 0.01
    assert grass["arid"] > 0.9 and grass["tundra"] > 0.9
    succession = world.plant_fraction.values[NAMES.index("temperate"), :, 0, 2]
    assert succession[0] > 0.8 and (np.diff(succession) < 0.02).all(), "grass first, then trees"


def test_competition_explains_a_tenth_of_mixture_fluxes(world):
    share = world.plant_fraction.values.repeat(12, axis=2)
    pure = world.state.sel(stand=["BL", "NL", "GS"]).values
    mixture = world.state.sel(stand="mixture").values
    difference = mixture - np.einsum("mkatc,matk->matc", pure, share)
    for name in ("gpp", "reco", "nee"):
        i = TARGETS.index(name)
        assert difference[..., i].var() > 0.1 * mixture[..., i].var(), name


def test_seasons(world):
    broadleaf = monthly(world, "temperate", "BL", "gpp", 120)
    assert broadleaf[[0, 1]].max() < 0.05 and broadleaf[11] < 0.05 * broadleaf.max()
    assert broadleaf[5:8].min() > 5
    needleleaf = monthly(world, "temperate", "NL", "gpp", 120)
    assert needleleaf[[2, 10]].min() > 0.5, "evergreen trees use the shoulder seasons"
    for climate in ("temperate", "boreal"):
        reco = monthly(world, climate, "mixture", "reco", 120)
        assert reco.argmax() in (5, 6, 7) and reco[[11, 0, 1]].max() < 0.35 * reco.max()
        assert reco.min() > 0.05, "winter respiration does not stop"
    leaves = monthly(world, "temperate", "BL", "lai", 120)
    assert leaves[0] < 0.2 and leaves[6] > 3


def test_no_photosynthesis_in_frost(forcing, world):
    frost = forcing.air_temperature <= 0
    gpp = world.state.sel(target="gpp").values
    assert frost.sum() > 100
    for member in range(len(NAMES)):
        assert (gpp[member][:, :, frost[member]] == 0).all()


def test_deep_cold_is_neither_an_error_nor_clipped():
    forcing = climates(("boreal", "boreal")).perturbed(temperature=[-25.0, -45.0])
    assert forcing.air_temperature.min() < -60
    ds = simulate(forcing, (1, 20), spin_up_years=30)
    assert np.isfinite(ds.state.values).all()
    respiration = ds.state.sel(stand="GS", target="rh").values.mean(axis=(1, 2))
    assert respiration[1] < respiration[0], "below the limit of the P-model temperature still counts"


def test_response_to_carbon_dioxide(forcing):
    names = ("tropical", "temperate", "boreal")
    some = forcing.take([NAMES.index(n) for n in names])
    runs = [
        simulate(some.perturbed(co2=factor), (100,), spin_up_years=30, stands=("mixture",), structure=structure)
        for factor, structure in (
            (1.0, Structure()),
            (480 / 380, Structure()),
            (1.0, Structure(co2_sensitivity=2.0)),
            (480 / 380, Structure(co2_sensitivity=2.0)),
        )
    ]
    gpp = [ds.state.sel(target="gpp").values.mean(axis=(1, 2, 3)) for ds in runs]
    gain = gpp[1] / gpp[0] - 1
    assert ((gain > 0.05) & (gain < 0.15)).all()
    assert (gpp[3] / gpp[2] - 1 > 1.3 * gain).all()


def test_response_to_water(forcing):
    some = forcing.take([NAMES.index("temperate"), NAMES.index("savanna")])

    def gpp(changed, **structure):
        ds = simulate(changed, (80,), spin_up_years=30, structure=Structure(**structure))
        return ds.state.sel(target="gpp").values.mean(axis=(2, 3))

    normal = gpp(some)
    dry = gpp(some.perturbed(precipitation=0.5))
    assert (dry < 0.95 * normal).all() and (dry[1, 3] < 0.75 * normal[1, 3])
    groundwater = gpp(some.perturbed(precipitation=0.5), water_table=0.8) - dry
    assert (groundwater[:, :2] > 0).all() and (groundwater[:, :3] >= 0).all(), "groundwater helps"
    assert (gpp(some, nutrient=0.8) < 0.9 * normal).all()


def test_a_dry_summer_shows_in_its_year_and_its_legacy_in_the_next():
    forcing = climates(("temperate",), noise=0.3)
    rain = forcing.precipitation.copy()
    rain[:, 60:69] *= 0.1
    dry = type(forcing)(**{**vars(forcing), "precipitation": rain})

    def years(changed, legacy):
        ds = simulate(changed, (60,), spin_up_years=30, stands=("NL",), structure=Structure(drought_legacy=legacy))
        return ds.state.sel(stand="NL", target="gpp").values[0, 0].reshape(-1, 12).mean(axis=1)

    plain, with_legacy = (years(dry, legacy) / years(forcing, legacy) for legacy in (0.0, 0.4))
    assert plain[5] < 0.9 and plain[:5].min() > 0.93
    assert with_legacy[6] < plain[6] - 0.05


def test_disturbance_keeps_forests_small(forcing):
    tropical = forcing.take([0])
    calm, torn = (
        simulate(tropical, (100,), spin_up_years=30, stands=("BL",), structure=Structure(disturbance=rate))
        for rate in (0.0, 0.05)
    )
    agb = [ds.state.sel(stand="BL", target="agb").values.mean() for ds in (calm, torn)]
    assert agb[1] < 0.6 * agb[0]
