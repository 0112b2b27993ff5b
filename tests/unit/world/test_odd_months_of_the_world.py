"""The rule for odd months keeps the built-in world's droughts, harvests and disturbances, and finds what is put in."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from dere.config.world import WorldConfig
from dere.harmonise.labels import make_labels
from dere.harmonise.odd_months import OddRule
from dere.ingest.months import mid_months
from dere.variables import FLUXES
from dere.world import build, gaps, landscape, observation, tower_network
from dere.world.climate import climate_at
from dere.world.fields import generator
from dere.world.geography import Grid, find_land
from dere.world.soil import soil_at

YEARS = 10
TOWERS = 20


@pytest.fixture(scope="module", params=[0, 1, 2], ids=lambda seed: f"seed{seed}")
def plots(request):
    """Towers of a world with their true fluxes, without the rest of it."""
    config = WorldConfig(
        seed=request.param, grid_degrees=15.0, years=YEARS, towers=TOWERS, virtual_towers=0, ages=(20, 120)
    )
    land = find_land(Grid(config.grid_degrees))
    climate = climate_at(land.lat, land.lon, seed=config.seed, years=config.years, start_year=config.start_year)
    soil = soil_at(land.lat, land.lon, config.seed)
    region = landscape.regional(climate, soil, config.ages, config.seed, config.nature_distance)
    sites = tower_network.place_towers(land, region.vegetated, config.towers, generator(config.seed, "places"))
    return build._plots(config, sites, "towers")


def seen(plots, truth, seed=0, broken=True):
    """Interim towers that observe some truth over the whole record."""
    rng = np.random.default_rng(seed)
    record = np.tile([0, YEARS], (len(truth), 1))
    quality, nothing = gaps.quality(record, plots.climate.monthly["air_temperature"], plots.climate.lat, rng)
    if not broken:
        quality, nothing = np.full(truth.shape[:2], 0.9), np.zeros(truth.shape[:2], bool)
    columns = observation.observe(truth, quality, nothing, rng)
    series = {
        "nee": columns["NEE_VUT_REF"],
        "gpp_nt": columns["GPP_NT_VUT_REF"],
        "nee_quality": np.nan_to_num(quality),
        "shortwave": plots.climate.monthly["shortwave"],
        "air_temperature": plots.climate.monthly["air_temperature"],
        "in_record": np.ones(truth.shape[:2], bool),
    }
    data = {name: (("site", "time"), values) for name, values in series.items()}
    return xr.Dataset(data, coords={"site": list(plots.sites.site), "time": mid_months(2001 * 12, truth.shape[1])})


def odd(towers):
    return make_labels(towers, odd=OddRule(0.5)).odd


def with_events(plots):
    """Truth in which every tower has a severe drought, a harvest and, from some month on, a stand-replacing loss."""
    rng = np.random.default_rng(7)
    gpp, reco, _ = (plots.fluxes[..., FLUXES.index(name)].copy() for name in ("gpp", "reco", "nee"))
    touched = np.zeros(gpp.shape, bool)
    for row in range(len(gpp)):
        start = int(rng.integers(12, 12 * YEARS - 60))
        for months, left, respired in (
            (slice(start, start + 4), 0.2, 0.8),
            (slice(start + 24, start + 25), 0.1, 1.1),
            (slice(12 * YEARS - int(rng.integers(3, 40)), None), 0.1, 1.1),
        ):
            gpp[row, months] *= left
            reco[row, months] *= respired
            touched[row, months] = True
    return np.stack([{"gpp": gpp, "reco": reco, "nee": reco - gpp}[name] for name in FLUXES], -1), touched


def test_nature_as_it_is_has_no_odd_month(plots):
    """Its own droughts, harvests, disturbances, events and gaps; ten years of 20 towers."""
    towers = seen(plots, plots.fluxes)
    assert (towers["nee_quality"] >= 0.5).sum() > 0.6 * towers["nee"].size
    assert odd(towers).empty


def test_severe_events_are_not_odd(plots):
    truth, touched = with_events(plots)
    towers = seen(plots, truth, broken=False)
    assert touched.mean() > 0.1
    assert odd(towers).empty


def test_artefacts_put_into_the_same_towers_are_found(plots):
    """An offset in three cold months of a year: at nearly every tower with a winter, and nothing else."""
    towers = seen(plots, plots.fluxes, broken=False)
    warmth = towers["air_temperature"].values
    cold = warmth[:, 60:72].min(1) < 0
    assert cold.sum() >= 5
    first = 60 + warmth[:, 60:69].argmin(1)
    put = set()
    for row in np.flatnonzero(cold):
        towers["nee"][row, first[row] : first[row] + 3] += 8.0
        put |= {
            (str(towers["site"].values[row]), str(t)[:7]) for t in towers["time"].values[first[row] : first[row] + 3]
        }
    found = odd(towers)
    months = set(zip(found["site"], found["month"], strict=True))
    assert months <= put and len(months) > 0.8 * len(put)
