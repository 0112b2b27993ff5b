"""The canonical set of the real towers, without the process model's cost: one age, no perturbations."""

import os
from pathlib import Path

import numpy as np
import pytest
from seen_by_methods import window_drivers

from dere.config.harmonise import HarmoniseConfig
from dere.config.simulation import SimulationSource
from dere.config.splits import SplitsConfig
from dere.config.towers import TowerSource
from dere.harmonise.build import harmonise
from dere.harmonise.interim import Interim
from dere.harmonise.labels import repeated_runs
from dere.ingest.distance import distance_km
from dere.ingest.tower.towers import read_towers
from dere.knowledge.terms import TERMS
from dere.variables import MONTHLY8

ROOT = os.environ.get("DERE_REALDATA", "")
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not Path(ROOT, "fluxnet2015-monthly").is_dir(), reason="DERE_REALDATA is not set"),
]
SOURCE = SimulationSource(provider="builtin", perturbations=0, ages=(1, 20), member_months=120)


def build(folders, satellites):
    towers, table, _ = read_towers([Path(ROOT, name) for name in folders], TowerSource(use_satellites=satellites))
    interim = Interim(towers, provenance={"towers": table})
    return harmonise(interim, SOURCE, HarmoniseConfig(satellites=satellites), SplitsConfig())


@pytest.fixture(scope="module")
def extract():
    return build(["fluxnet2015-monthly"], satellites=True)


@pytest.fixture(scope="module")
def everything():
    return build(["fluxnet2015-monthly", "icos-warm-winter-2020"], satellites=False)


def months(c, reason):
    chosen = (c.counts["step"] == "labels") & (c.counts["reason"] == reason)
    return int(c.counts.loc[chosen, "months"].sum())


def check(c, satellites):
    towers = c.towers
    record = towers["record"].values
    for name in MONTHLY8:
        assert np.isfinite(towers[name].values[record]).all(), name
    drivers, _ = window_drivers(towers, satellites)
    assert np.isfinite(drivers).all()
    assert np.isfinite(towers["static"]).all()
    assert np.isfinite(towers["simulated"].values[record]).all()
    gpp, reco, nee = np.moveaxis(towers["flux_value"].values, -1, 0)
    assert np.nanmax(np.abs(reco - gpp - nee)) < 1e-4
    sites = c.splits[c.splits["kind"] == "site"]
    labelled = towers["site"].values[towers["kind"].values == "tower"]
    assert sorted(sites.loc[sites["fold"] >= 0, "id"]) == sorted(labelled)
    sizes = sites.loc[sites["fold"] >= 0, "fold"].value_counts()
    assert sizes.max() - sizes.min() <= 4
    near = np.argwhere(np.triu(distance_km(sites["lat"], sites["lon"]) < 50, 1))
    fold = sites["fold"].to_numpy()
    both = (fold[near] >= 0).all(1)
    assert both.sum() > 20
    assert (fold[near[both, 0]] == fold[near[both, 1]]).all()
    ages = np.abs(towers["age_weight"].sum("age") - 1)
    assert ages.max() < 1e-5


def test_extract_of_166_sites(extract):
    check(extract, satellites=True)
    assert extract.towers.sizes["site"] == 166
    assert not extract.dropped
    assert months(extract, "kept") == 13638
    assert months(extract, "odd") == 8
    assert months(extract, "repeated") == 130
    assert months(extract, "closure") == 0
    good = np.isfinite(extract.towers["flux_value"].values) & (extract.towers["flux_quality"].values >= 0.5)
    assert good.sum((0, 1)).tolist() == [11386, 11386, 11412]
    attribute = list(extract.towers["attribute"].values)
    assert extract.towers["static"].values[:, attribute.index("has_satellite")].mean() > 0.95


def test_all_197_sites(everything):
    check(everything, satellites=False)
    # their reanalysis columns end in 2019 and they have nothing else for pressure, rain and wind
    assert set(everything.dropped) == {"BE-Lcr", "FI-Ken", "GL-Dsk"}
    assert everything.towers.sizes["site"] == 194
    assert months(everything, "closure") == 273
    assert months(everything, "kept") > 17000
    assert "GL-ZaH" in everything.towers["site"].values or "DK-ZaH" in everything.towers["site"].values


def test_no_stuck_partitioning_is_left(extract, everything):
    for canonical in (extract, everything):
        flux = canonical.towers["flux_value"].values
        assert not repeated_runs(np.moveaxis(flux, -1, 1), 3).any()
    # a whole year of one value in the source
    manitoba = extract.towers["flux_value"].sel(site="CA-Man", flux="gpp").values
    assert not (manitoba == np.float32(-1.59724)).any()


def test_few_months_do_not_fit_the_record_of_their_tower(extract, everything):
    """Each was looked at as a plot (docs/decisions/0013); no crop, no burnt or cut stand, no drought is among them."""
    common = {"CA-Man 1997-02 gpp", "NL-Hor 2009-01 gpp", "NL-Hor 2009-02 gpp", "US-Atq 2003-06 gpp"}
    common |= {f"US-Ha1 {month} nee" for month in ("2010-12", "2011-02", "2011-03")}
    for canonical, own in ((extract, {"CZ-BK1 2010-01 gpp"}), (everything, {"CH-Aws 2014-11 gpp"})):
        found = canonical.odd
        assert {" ".join(row) for row in found[["site", "month", "flux"]].to_numpy()} == common | own
        assert (found["quality"] >= 0.5).all() and found["left_out"].all()


def test_the_sites_without_leaf_area_have_that_of_their_class(extract):
    """In the channels alone: the satellite channel keeps its constant, and its mask is the flag."""
    towers = extract.towers
    never = (towers["lai_satellite_mask"].values == 0).all(1)
    assert towers["site"].values[never].tolist() == ["US-LWW", "US-Me4"]
    for row in np.flatnonzero(never):
        like = ~never & (towers["igbp"].values == towers["igbp"].values[row])
        assert np.isfinite([towers[term.name].values[row].sum() for term in TERMS]).all()
        largest = towers["lai_maximum"].values
        assert like.sum() > 5 and largest[like].min() < largest[row] < largest[like].max()
        assert np.ptp(towers["lai_next"].values[row]) > 0.3
