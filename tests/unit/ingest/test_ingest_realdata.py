"""Counts and cross-checks on the real tower files (set DERE_REALDATA to their folder)."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from ingest_samples import read_one

from dere.config.towers import TowerSource
from dere.ingest.checks import check_sunlight
from dere.ingest.tower.fluxnet_extract.table import read_extract
from dere.ingest.tower.towers import read_towers

pytestmark = pytest.mark.realdata


@pytest.fixture(scope="module")
def extract():
    folder = os.environ.get("DERE_REALDATA", "")
    if not folder:
        pytest.skip("DERE_REALDATA is not set")
    return {p.name[:6]: read_extract(p) for p in sorted(Path(folder, "fluxnet2015-monthly").glob("*_MM.csv.gz"))}


@pytest.fixture(scope="module")
def icos():
    if not os.environ.get("DERE_REALDATA"):
        pytest.skip("DERE_REALDATA is not set")
    folder = Path(os.environ["DERE_REALDATA"], "icos-warm-winter-2020", "monthly")
    records = [read_one(p) for p in sorted(folder.glob("*.csv.gz"))]
    return {record.site: record for record in records}


def together(record, *names):
    return np.isfinite([record.values[name] for name in names]).all(axis=0)


def test_extract_counts(extract):
    assert len(extract) == 166
    assert sum(len(r.months) for r in extract.values()) == 14328
    good = [(together(r, "nee", "gpp_nt"), r.values["nee_quality"]) for r in extract.values()]
    assert sum(both.sum() for both, _ in good) == 13776
    assert sum((both & (quality >= 0.5)).sum() for both, quality in good) == 11411
    assert sum(r.counts["co2_zeros"] for r in extract.values()) == 24


def test_icos_counts(icos):
    assert len(icos) == 55
    assert sum(len(r.months) for r in icos.values()) == 8076
    complete = [(together(r, "nee", "gpp_nt", "reco_nt"), r.values["nee_quality"]) for r in icos.values()]
    assert sum(c.sum() for c, _ in complete) == 7691
    assert sum((c & (quality >= 0.5)).sum() for c, quality in complete) == 7086
    assert not together(icos["DK-Gds"], "gpp_nt").any() and not together(icos["ES-Cnd"], "gpp_nt").any()


def test_extract_equals_the_official_file(extract, realdata):
    official = read_one(realdata / "fluxnet-format-samples" / "FLX_FR-Pue_FLUXNET2015_FULLSET_MM_2007-2014_2-3.csv.gz")
    mine = extract["FR-Pue"]
    rows, at = np.nonzero(mine.months[:, None] == official.months[None, :])
    assert len(rows) >= 90
    names = ("nee", "gpp_nt", "gpp_dt", "nee_quality", "air_temperature", "vpd", "precipitation", "shortwave", "wind")
    for name in (*names, "air_temperature_reanalysis", "vpd_reanalysis"):
        np.testing.assert_array_equal(mine.values[name][rows], official.values[name][at], err_msg=name)


def test_overlap_of_the_two_processings(extract, icos):
    for name, at_least in (("gpp_nt", 0.97), ("nee", 0.97)):
        old, new = [], []
        for site in set(extract) & set(icos):
            rows, at = np.nonzero(extract[site].months[:, None] == icos[site].months[None, :])
            old.append(extract[site].values[name][rows])
            new.append(icos[site].values[name][at])
        a, b = np.concatenate(old), np.concatenate(new)
        both = np.isfinite(a) & np.isfinite(b)
        assert both.sum() > 2000 and np.corrcoef(a[both], b[both])[0, 1] > at_least


def test_leaves_of_northern_deciduous_forests_peak_in_summer(extract):
    cycles = []
    for record in extract.values():
        if record.igbp == "DBF" and record.lat > 35:
            lai, month = record.values["lai_satellite"], record.months % 12
            cycles.append([np.nanmean(lai[month == m]) for m in range(12)])
    cycle = np.mean(cycles, axis=0)
    assert len(cycles) >= 15 and int(cycle.argmax()) in (5, 6, 7)
    assert cycle[5:8].mean() > 3.5 and cycle[[0, 1, 11]].mean() < 1.0
    # the right order has one rise and one fall; stored order has a second peak in February
    assert (np.abs(np.diff(np.sign(np.diff(cycle[1:])))) > 0).sum() == 1


def test_all_towers_together_and_quickly(realdata):
    start = time.perf_counter()
    towers, provenance, _ = read_towers(
        [realdata / "fluxnet2015-monthly", realdata / "icos-warm-winter-2020"], TowerSource(use_satellites=False)
    )
    assert time.perf_counter() - start < 15
    assert towers.sizes["site"] == 197 and {"GL-ZaH", "SJ-Adv"} <= set(towers.site.values)
    assert len(provenance) == 166 + 55 + 1
    assert (provenance["role"].str.startswith("superseded")).sum() == 24
    assert np.isfinite(towers.lat).all() and (towers.igbp != "").all()
    assert towers.network.sel(site="BE-Bra") == "icos-ww" and towers.network.sel(site="US-MMS") == "fluxnet"
    assert str(towers.time.values[-1])[:7] == "2020-12"


def test_exchanged_coordinates_of_real_sites_are_mostly_found(realdata):
    towers, _, _ = read_towers([realdata / "fluxnet2015-monthly"], TowerSource())
    first = int(towers.time.dt.year[0]) * 12
    possible = found = 0
    for site in towers.site.values:
        one = towers.sel(site=site)
        if abs(float(one.lon)) <= 90:
            possible += 1
            try:
                check_sunlight(float(one.lon), one.shortwave.values, first + np.arange(one.sizes["time"]), site)
            except ValueError:
                found += 1
    assert possible > 60 and found > 0.85 * possible


def test_ameriflux_subset_without_reanalysis(realdata):
    record = read_one(realdata / "ameriflux-fluxnet-subset" / "AMF_CA-Cbo_FLUXNET_SUBSET_MM_1994-2020_3-5.csv")
    assert together(record, "nee", "gpp_nt", "reco_nt").sum() == 312
    assert np.isnan(record.values["vpd_reanalysis"]).all() and np.isfinite(record.values["vpd"]).any()
