"""Seasons of the process model, climate by climate: on made-up forcing, and on the cycles of real towers."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from climates import climates

from dere.variables import TARGETS
from dere.world.photosynthesis import DAYTIME_SHARE, daytime
from dere.world.process_model import simulate
from real_climates import YEARS, read_real_cycles

GPP, NEE = TARGETS.index("gpp"), TARGETS.index("nee")


@pytest.fixture(scope="module")
def folder():
    if not os.environ.get("DERE_REALDATA"):
        pytest.skip("DERE_REALDATA is not set")
    return Path(os.environ["DERE_REALDATA"])


@pytest.fixture(scope="module")
def real(folder):
    """Cycles of 166 towers and the mixture's simulated ones, (site, 12, target)."""
    cycles = read_real_cycles(folder)
    state = simulate(cycles.forcing, (70,), stands=("mixture",)).state.values[:, 0, 0]
    return cycles, state.reshape(len(cycles.latitude), YEARS, 12, len(TARGETS)).mean(axis=1)


@pytest.mark.parametrize("climate", ["humid_summer", "temperate", "boreal"])
def test_where_it_rains_in_summer_summer_is_the_time_of_uptake(climate):
    # humid_summer: the mean cycle of 33 towers, where GPP once peaked in May and July and August lost carbon
    state = simulate(climates((climate,), noise=0.3), (70,), stands=("mixture",)).state.values[0, 0, 0]
    cycle = state.reshape(-1, 12, len(TARGETS)).mean(axis=0)
    assert cycle[:, GPP].argmax() in (5, 6, 7)
    assert (cycle[6:8, NEE] < -0.3).all()
    assert cycle[7, GPP] > 0.7 * cycle[:, GPP].max()


@pytest.mark.realdata
def test_share_of_the_day_is_that_of_the_towers(folder):
    names = ["TA_F", "TA_F_DAY", "TA_F_QC", "VPD_F"]
    files = sorted((folder / "icos-warm-winter-2020" / "monthly").glob("*FULLSET_MM*.csv.gz"))
    table = pd.concat([pd.read_csv(path, usecols=names).replace(-9999, np.nan) for path in files]).dropna()
    table = table[table["TA_F_QC"] >= 0.5]
    assert len(files) == 55 and len(table) == 7647
    mean = table["TA_F"].to_numpy()
    model = daytime(mean, table["VPD_F"].to_numpy())[0] - mean
    observed = table["TA_F_DAY"].to_numpy() - mean
    fitted = DAYTIME_SHARE * (model * observed).sum() / (model**2).sum()
    assert fitted == pytest.approx(DAYTIME_SHARE, abs=0.001)
    assert np.sqrt(((model - observed) ** 2).mean()) == pytest.approx(0.59, abs=0.01)


@pytest.mark.realdata
def test_humid_mid_latitudes_take_up_carbon_in_high_summer(real):
    cycles, simulated = real
    gpp, nee = (cycles.from_january(simulated[..., i])[cycles.humid] for i in (GPP, NEE))
    assert cycles.humid.sum() == 33
    assert np.isin(gpp.argmax(axis=1), (5, 6, 7)).mean() > 0.65  # 0.30 before, 0.94 observed
    assert nee[:, 6].mean() < -1.0 and nee[:, 6:8].mean() < -0.5
    assert (nee[:, 6] < 0).mean() > 0.85


@pytest.mark.realdata
def test_mean_fluxes_of_all_climates(real):
    cycles, simulated = real
    for index, observed in ((GPP, cycles.gpp), (NEE, cycles.nee)):
        assert abs(np.nanmean(simulated[..., index] - observed)) < 0.3
