"""Finer steps, variants and archives on real files (set DERE_REALDATA to their folder).

The reference member (REF) is chosen anew for each step of a product: at some sites the daily file and the monthly file
hold two different threshold members. Weather and quality then still agree to the rounding of the files, fluxes do not.
"""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
from ingest_samples import read_one

from dere.config.towers import TowerSource
from dere.ingest.months import days_in_month
from dere.ingest.tables import read_table
from dere.ingest.tower.fluxnet.family import parse_finer
from dere.ingest.tower.fluxnet.names import FileName
from dere.ingest.tower.fluxnet_extract.table import read_extract
from dere.ingest.tower.towers import read_towers
from dere.ingest.tower.variants import MEMBERS

pytestmark = pytest.mark.realdata
# files round weather to three digits behind the point
ROUNDING = 7e-4
SUBSET = "FLX_US-AR1_FLUXNET2015_SUBSET_DD_2009-2012_1-3.xlsx"
PUECHABON = "FLX_FR-Pue_FLUXNET2015_FULLSET_{}_2007-2014_2-3.csv"


def difference(a, b, name):
    """Absolute differences of the months that both have."""
    rows, at = np.nonzero(a.months[:, None] == b.months[None, :])
    gap = np.abs(a.values[name][rows] - b.values[name][at])
    return gap[np.isfinite(gap)]


def test_days_reproduce_the_monthly_extract(realdata):
    files = sorted((realdata / "fluxnet2015-subset-daily").glob("*_DD_*.csv.gz"))
    same_member, pairs = 0, []
    for path in files:
        daily = read_one(path)
        monthly = read_extract(realdata / "fluxnet2015-monthly" / f"{daily.site}_MM.csv.gz")
        for name in ("air_temperature", "vpd", "precipitation", "shortwave", "co2", "wind"):
            gap = difference(daily, monthly, name)
            assert gap.size == 0 or gap.max() < ROUNDING, (path.name, name)
        gap = difference(daily, monthly, "nee")
        assert gap.size >= 24
        same_member += gap.max() < 1e-4
        rows, at = np.nonzero(daily.months[:, None] == monthly.months[None, :])
        pairs.append(np.stack([daily.values["nee"][rows], monthly.values["nee"][at]]))
    both = np.concatenate(pairs, axis=1)
    both = both[:, np.isfinite(both).all(axis=0)]
    assert len(files) == 17 and same_member == 9
    assert both.shape[1] > 1400 and np.corrcoef(both)[0, 1] > 0.9995


def test_a_workbook_reproduces_the_monthly_extract(realdata):
    daily = read_one(realdata / "fluxnet-format-samples" / SUBSET)
    monthly = read_extract(realdata / "fluxnet2015-monthly" / "US-AR1_MM.csv.gz")
    assert len(daily.months) == 48
    assert difference(daily, monthly, "nee").max() < 1e-4
    assert difference(daily, monthly, "nee_quality").max() < 1e-5
    assert difference(daily, monthly, "pressure").max() < ROUNDING


def test_random_uncertainty_of_days_is_that_of_the_month(realdata):
    folder = realdata / "ameriflux-fluxnet-subset"
    daily = read_one(folder / "AMF_US-xBA_FLUXNET_SUBSET_DD_2019-2021_3-5.csv.gz")
    monthly = read_one(folder / "AMF_US-xBA_FLUXNET_SUBSET_MM_2019-2021_3-5.csv")
    assert difference(daily, monthly, "nee").max() < 1e-5
    gap = difference(daily, monthly, "nee_random_uncertainty")
    assert gap.size >= 15 and np.median(gap) < 1e-6 and gap.max() < 1e-3


def test_joint_uncertainty_from_days_is_a_cautious_one(realdata):
    ratios = []
    for site in ("GL-Dsk", "IE-Cra"):
        name = f"FLX_{site}_FLUXNET2015_FULLSET_{{}}_2020-2020_beta-3.csv.gz"
        folder = realdata / "icos-warm-winter-2020"
        daily = read_one(folder / "daily-samples" / name.format("DD"))
        monthly = read_one(folder / "monthly" / name.format("MM"))
        assert difference(daily, monthly, "nee").max() < 0.05  # two members
        assert difference(daily, monthly, "gpp_nt").max() < 1e-5  # one member
        ratios.append(np.median(daily.values["nee_joint_uncertainty"] / monthly.values["nee_joint_uncertainty"]))
    assert min(ratios) > 1.0 and max(ratios) < 2.5


def test_annual_spread_against_the_yearly_file(realdata):
    folder = realdata / "fluxnet-format-samples"
    yearly = pd.read_csv(folder / PUECHABON.format("YY"), na_values=[-9999]).set_index("TIMESTAMP")
    record = read_one(folder / (PUECHABON.format("MM") + ".gz"), TowerSource(members=True))
    coherent, independent, official = [], [], []
    low, high = MEMBERS.index("16"), MEMBERS.index("84")
    for year, row in yearly.iterrows():
        member = record.members["nee_member"][record.months // 12 == year]
        days = days_in_month(year * 12, 12)
        # a wrong threshold is wrong all year: the 84th percentile of one month belongs with the 84th of the next
        sums = (member * days[:, None]).sum(0)
        assert sums[MEMBERS.index("50")] == pytest.approx(row["NEE_VUT_50"], abs=2.5)
        coherent.append(0.5 * abs(sums[high] - sums[low]))
        independent.append(np.sqrt(((0.5 * (member[:, high] - member[:, low]) * days) ** 2).sum()))
        official.append(0.5 * (row["NEE_VUT_84"] - row["NEE_VUT_16"]))
    coherent, independent, official = map(np.array, (coherent, independent, official))
    # percentiles of months are not one member all year, so the coherent sum bounds the official spread from above
    assert len(official) == 8 and (coherent > official).all()
    assert np.median(coherent / official) < 1.4 and np.median(independent / official) < 0.6


def test_half_hours_of_one_week(realdata):
    path = realdata / "fluxnet-format-samples" / "FLX_BE-Vie_FULLSET_HH_2014_first7days.csv.gz"
    name = FileName("BE-Vie", "fluxnet2015", "fluxnet", "FULLSET", "HH", "1-3", None)
    table = read_table(path)
    week = parse_finer(table, name, path.name, TowerSource(minimum_coverage=0.2))
    assert week.values["nee_coverage"][0] == pytest.approx(336 / 1488)
    assert week.values["nee"][0] == pytest.approx(table["NEE_VUT_REF"].mean() * 1.0377504)
    assert week.values["nee_measured_share"][0] == 0  # every NEE of that week is filled
    sun = week.diurnal["shortwave_hourly"][0]
    assert sun[[0, 1, 2, 3, 4, 5, 20, 21, 22, 23]].max() < 0.1 and 10 <= int(sun.argmax()) <= 14
    assert np.isnan(parse_finer(table, name, path.name).values["nee"]).all()


def test_sites_that_lack_a_variant_take_another(realdata):
    folder = realdata / "icos-warm-winter-2020"
    towers = read_towers([folder], TowerSource(cut_or_vut="cut")).dataset
    short = towers.site.values[towers.variant.values == "VUT_REF"].tolist()
    assert short == ["BE-Lcr", "DK-Gds", "GL-Dsk", "IE-Cra"]
    usual = read_towers([folder], TowerSource(fallback="all")).dataset
    assert usual.site.values[usual.partitioning.values == "dt"].tolist() == ["DK-Gds", "ES-Cnd"]
    assert (usual.variant.values == "VUT_REF").all()


def test_everything_of_the_family_together(realdata):
    names = (
        "fluxnet2015-monthly", "icos-warm-winter-2020", "fluxnet2015-subset-daily", "ameriflux-fluxnet-subset",
        "fluxnet-format-samples",
    )  # fmt: skip
    towers = read_towers([realdata / name for name in names], TowerSource())
    assert towers.dataset.sizes["site"] == 197
    used = towers.merged[towers.merged["used"]].set_index("site")
    assert used.loc["FR-Pue", "file"] == "FLX_FR-Pue_FLUXNET2015_SUBSET_DD_2000-2014_2-4.csv.gz"
    assert used.loc["DE-Tha", "processing"] == "icos-warm-winter-2020 FULLSET beta-3"
    passed = towers.merged[towers.merged["reason"] == "step MM of the same processing is read"]
    assert set(passed["site"]) == {"GL-Dsk", "IE-Cra", "US-xBA", "US-xHA"}
    dropped = towers.provenance[towers.provenance["role"] == "dropped: no coordinates"]
    assert set(dropped["site"]) == {"CA-Cbo", "US-xBA", "US-xHA"}


def test_a_real_file_inside_a_zip(realdata, tmp_path):
    source = realdata / "fluxnet-format-samples" / (PUECHABON.format("MM") + ".gz")
    stem = "FLX_FR-Pue_FLUXNET2015_FULLSET_2007-2014_2-3"
    with zipfile.ZipFile(tmp_path / f"{stem}.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(PUECHABON.format("MM"), gzip.decompress(source.read_bytes()))
        opened.writestr(PUECHABON.format("YY"), (source.parent / PUECHABON.format("YY")).read_bytes())
    (tmp_path / "sites.csv").write_text("site,lat,lon,igbp\nFR-Pue,43.7413,3.5957,EBF\n")
    towers = read_towers([tmp_path], TowerSource()).dataset
    direct = read_one(source)
    np.testing.assert_array_equal(towers.nee.values[0], direct.values["nee"])
