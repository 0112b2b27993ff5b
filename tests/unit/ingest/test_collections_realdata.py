"""Cross-checks of the further tower collections on real files (set DERE_REALDATA to their folder).

Tolerances are what these files show, rounded up; where two processings differ they are bounds of that difference.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dere.config.towers import TowerSource
from dere.ingest.tower.discovery import recognise
from dere.ingest.tower.fluxcourse.table import read_fluxcourse
from dere.ingest.tower.fluxnet.family import read_family
from dere.ingest.tower.fluxnet_ch4.table import FAULTY, read_fluxnet_ch4
from dere.ingest.tower.fluxnet_extract.table import read_extract
from dere.ingest.tower.fluxnet_zarr.store import read_fluxnet_zarr
from dere.ingest.tower.six_forests.table import read_six_forests
from dere.variables import UMOL_TO_GC_PER_DAY

pytestmark = pytest.mark.realdata
CONFIG = TowerSource()


@pytest.fixture(scope="module")
def root():
    if not os.environ.get("DERE_REALDATA"):
        pytest.skip("DERE_REALDATA is not set")
    return Path(os.environ["DERE_REALDATA"])


@pytest.fixture(scope="module")
def store(root):
    records = read_fluxnet_zarr(root / "fluxnet2015-halfhourly-zarr" / "fluxnet.zarr", CONFIG)
    return {record.site: record for record in records}


@pytest.fixture(scope="module")
def methane(root):
    files = sorted((root / "fluxnet-ch4-daily").glob("*.csv.gz"))
    return {file.name[4:10]: read_fluxnet_ch4(file, CONFIG)[0] for file in files}


def extract(root, site):
    return read_extract(root / "fluxnet2015-monthly" / f"{site}_MM.csv.gz")


def pairs(one, other, name):
    rows, at = np.nonzero(one.months[:, None] == other.months[None, :])
    a, b = one.values[name][rows], other.values[name][at]
    both = np.isfinite(a) & np.isfinite(b)
    return a[both], b[both]


def slope(a, b):
    return (a @ b) / (b @ b)


def test_months_of_the_store(store):
    assert {site: len(record.months) for site, record in store.items()} == {"US-AR1": 48, "FI-Lom": 36, "CN-Din": 36}
    assert not any(record.counts["offset_by_longitude"] for record in store.values())


@pytest.mark.parametrize("site", ["US-AR1", "FI-Lom", "CN-Din"])
def test_weather_of_the_store_equals_the_monthly_product(root, store, site):
    official = extract(root, site)
    for name, digit in (("air_temperature", 0.001), ("vpd", 0.001), ("shortwave", 0.0015)):
        mine, other = pairs(store[site], official, name)
        assert len(mine) >= 36
        np.testing.assert_allclose(mine, other, rtol=0, atol=digit, err_msg=name)
    for name in ("air_temperature_quality", "shortwave_quality"):
        mine, other = pairs(store[site], official, name)
        np.testing.assert_allclose(mine, other, atol=2e-5, err_msg=name)
    # another REF member may be chosen per resolution, so fluxes are close, not equal
    mine, other = pairs(store[site], official, "nee")
    assert np.corrcoef(mine, other)[0, 1] > 0.998 and np.abs(mine - other).max() < 0.2
    assert 0.987 < slope(mine, other) < 1.0


def test_factor_between_half_hours_and_days(root, store):
    """GPP_DT_VUT_REF of US-AR1 is the same member in both resolutions: 1.0377504 to two parts in 1e5."""
    path = root / "fluxnet-format-samples" / "FLX_US-AR1_FLUXNET2015_SUBSET_DD_2009-2012_1-3.xlsx"
    (daily,) = read_family(path, CONFIG)
    mine, official = pairs(store["US-AR1"], daily, "gpp_dt")
    assert len(mine) == 48
    np.testing.assert_allclose(mine, official, atol=3e-4)
    assert abs(slope(mine, official) - 1) < 5e-5


def test_methane_counts(root, methane):
    days = [pd.read_csv(p, usecols=["TIMESTAMP"]) for p in (root / "fluxnet-ch4-daily").glob("*.csv.gz")]
    assert len(methane) == 15 and sum(map(len, days)) == 21505
    labelled = {
        s: int((np.isfinite(r.values["nee"]) & np.isfinite(r.values["gpp_nt"])).sum()) for s, r in methane.items()
    }
    assert sum(labelled.values()) == 593 and labelled["BW-Gum"] == 9 and labelled["DE-Hte"] == 83
    runaway = {site: record.counts["runaway_fluxes"] for site, record in methane.items()}
    assert {site: count for site, count in runaway.items() if count} == {"RU-Ch2": 27, "RU-Che": 33}


@pytest.mark.parametrize("site", ["FI-Lom", "FI-Si2", "FI-Sii", "RU-Ch2", "RU-Che"])
def test_unit_of_methane_files_follows_from_their_decimals(root, site):
    """A day's mean of n half hours of four decimals, times n, is a multiple of 1e-4; converted values are not."""
    file = next((root / "fluxnet-ch4-daily").glob(f"FLX_{site}_*"))
    values = pd.read_csv(file, usecols=["NEE"], na_values=-9999)["NEE"].dropna().to_numpy()

    def share(candidate):
        scaled = np.abs(candidate[:, None] * np.arange(1, 49) * 1e4)
        return (np.abs(scaled - np.round(scaled)) < 1e-7).any(axis=1).mean()

    assert share(values) > 0.98
    assert share(values / UMOL_TO_GC_PER_DAY) < 0.01 and share(values * UMOL_TO_GC_PER_DAY) < 0.01


@pytest.mark.parametrize(("site", "at_least"), [("FI-Lom", 0.99), ("DE-SfN", 0.97), ("DE-Zrk", 0.99)])
def test_methane_files_against_fluxnet2015(root, methane, site, at_least):
    official = extract(root, site)
    mine, other = pairs(methane[site], official, "gpp_nt")
    assert len(mine) >= 20 and np.corrcoef(mine, other)[0, 1] > at_least and 0.78 < slope(mine, other) < 0.93
    mine, other = pairs(methane[site], official, "air_temperature")
    assert np.abs(mine - other).max() < 0.15


def test_precipitation_of_one_site_is_ten_times_too_high(root):
    assert set(FAULTY) == {("FI-Lom", "P_F")}
    file = next((root / "fluxnet-ch4-daily").glob("FLX_FI-Lom_*"))
    daily = pd.read_csv(file, usecols=["TIMESTAMP", "P_F"], na_values=-9999)
    mine = daily.groupby(daily["TIMESTAMP"] // 100)["P_F"].mean()
    official = extract(root, "FI-Lom")
    stamps = official.months // 12 * 100 + official.months % 12 + 1
    assert 8 < mine.reindex(stamps).mean() / official.values["precipitation"].mean() < 12


@pytest.mark.parametrize("site", ["DE-Tha", "DK-Sor", "US-MMS"])
def test_fluxcourse_factor_is_in_every_value(root, site):
    (record,) = read_fluxcourse(root / "fluxcourse-sites" / f"obs_{site}_daily.csv.gz", CONFIG)
    table = pd.read_csv(root / "fluxcourse-sites" / f"obs_{site}_daily.csv.gz")
    assert record.counts["values_scaled_twice"] == int(table.iloc[:, 1:].notna().to_numpy().sum()) > 25000


@pytest.mark.parametrize(
    ("site", "source", "flux", "at_least", "bounds"),
    [
        ("DK-Sor", "fluxnet2015-monthly", "nee", 0.9995, (0.99, 1.01)),
        ("US-MMS", "fluxnet2015-monthly", "nee", 0.9995, (0.99, 1.01)),
        ("US-MMS", "fluxnet2015-monthly", "gpp_nt", 0.999, (0.99, 1.01)),
        ("US-MMS", "fluxnet2015-subset-daily", "reco_nt", 0.997, (0.99, 1.01)),
        ("DK-Sor", "icos-warm-winter-2020/monthly", "nee", 0.999, (0.99, 1.01)),
        # another processing of the same years
        ("DE-Tha", "icos-warm-winter-2020/monthly", "nee", 0.99, (0.97, 1.03)),
    ],
)
def test_fluxcourse_against_other_processings(root, site, source, flux, at_least, bounds):
    (record,) = read_fluxcourse(root / "fluxcourse-sites" / f"obs_{site}_daily.csv.gz", CONFIG)
    (path,) = [p for p in (root / source).glob(f"*{site}*") if "ERAI" not in p.name]
    official = read_extract(path) if path.name.endswith("_MM.csv.gz") and path.name[:2] == site[:2] else None
    mine, other = pairs(record, official or read_family(path, CONFIG)[0], flux)
    assert len(mine) >= 190 and np.corrcoef(mine, other)[0, 1] > at_least
    assert bounds[0] < slope(mine, other) < bounds[1]


def test_six_forests_are_an_independent_processing(root):
    path = root / "six-forests-daily" / "daily_carbon_uptake.csv.gz"
    records = {record.site: record for record in read_six_forests(path, CONFIG)}
    assert {site: len(record.months) for site, record in records.items()} == {
        "US-Bar": 168, "US-Ha1": 252, "US-Ho1": 216, "US-MMS": 180, "US-NR1": 168, "US-UMB": 168
    }  # fmt: skip
    assert pd.read_csv(path)["NEE_U50"].notna().sum() == 35067
    for site in ("US-Ha1", "US-MMS", "US-NR1", "US-UMB"):
        for flux in ("nee", "gpp_nt"):
            mine, other = pairs(records[site], extract(root, site), flux)
            assert len(mine) >= 168 and np.corrcoef(mine, other)[0, 1] > 0.983
            assert 0.90 < slope(mine, other) < 1.05, (site, flux)


def test_every_file_of_these_folders_is_recognised(root):
    folders = ["fluxnet-ch4-daily", "fluxnet2015-halfhourly-zarr", "six-forests-daily", "fluxcourse-sites"]
    found = recognise([root / name for name in folders], CONFIG)
    by_format = pd.Series([form.name for form, _ in found.towers]).value_counts().to_dict()
    assert by_format == {"FLUXNET-CH4": 15, "FLUXNET2015 Zarr store": 1, "six forests": 1, "FluxCourse": 3}
