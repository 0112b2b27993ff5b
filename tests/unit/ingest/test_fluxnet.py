"""Names and bodies of monthly files of the FLUXNET family."""

import numpy as np
import pytest
from ingest_samples import flx_name, read_one, synthetic_monthly

from dere.ingest.tower.fluxnet.family import parse
from dere.ingest.tower.fluxnet.names import parse_name


@pytest.mark.parametrize(
    ("name", "site", "network", "readable", "step"),
    [
        ("FLX_FR-Pue_FLUXNET2015_FULLSET_MM_2007-2014_2-3.csv.gz", "FR-Pue", "fluxnet", True, "MM"),
        ("FLX_BE-Bra_FLUXNET2015_FULLSET_MM_1996-2020_beta-3.csv.gz", "BE-Bra", "icos-ww", True, "MM"),
        ("FLX_DE-Hai_FLUXNET2015_FULLSET_HH_2016-2018_beta-3.csv", "DE-Hai", "icos-drought", True, "HH"),
        ("FLX_DE-Hai_FLUXNET2015_FULLSET_MM_2016-2019_beta-3.CSV", "DE-Hai", "icos-ww", True, "MM"),
        ("FLX_DK-ZaH_FLUXNET2015_SUBSET_MM_2000-2014_2-4.csv", "GL-ZaH", "fluxnet", True, "MM"),
        ("FLX_NO-Adv_FLUXNET2015_SUBSET_MM_2011-2014_1-4.csv", "SJ-Adv", "fluxnet", True, "MM"),
        ("AMF_CA-Cbo_FLUXNET_SUBSET_MM_1994-2020_3-5.csv", "CA-Cbo", "ameriflux", True, "MM"),
        ("ICOSETC_BE-Vie_FLUXNET_MM_L2.csv", "BE-Vie", "icos-etc", True, "MM"),
        ("OZF_AU-Tum_FLUXNET_FLUXMET_MM_2002-2023_v1.3_r1.csv", "AU-Tum", "ozf", True, "MM"),
        ("FLX_BE-Bra_FLUXNET2015_ERAI_DD_1989-2020_beta-3.csv.gz", "BE-Bra", "icos-ww", False, "DD"),
        ("AMF_US-xHA_FLUXNET_AUXNEE_2017-2021_3-5.csv", "US-xHA", "ameriflux", False, ""),
        ("AMF_US-xHA_FLUXNET_SUBSET_DD_2017-2021_3-5.csv.gz", "US-xHA", "ameriflux", True, "DD"),
        ("FLX_US-AR1_FLUXNET2015_SUBSET_DD_2009-2012_1-3.xlsx", "US-AR1", "fluxnet", True, "DD"),
        ("FLX_FR-Pue_FLUXNET2015_FULLSET_YY_2007-2014_2-3.csv", "FR-Pue", "fluxnet", False, "YY"),
    ],
)
def test_names_of_every_product(name, site, network, readable, step):
    parsed = parse_name(name)
    assert (parsed.site, parsed.network, parsed.readable, parsed.step) == (site, network, readable, step)


@pytest.mark.parametrize("name", ["towers.csv", "FLX_XX_FLUXNET2015_FULLSET_MM_2007-2014_2-3.csv", "AT-Neu_MM.csv"])
def test_other_names_fit_no_pattern(name):
    assert parse_name(name) is None


def test_newer_processing_ranks_higher():
    names = [
        "FLX_BE-Vie_FLUXNET2015_SUBSET_MM_1996-2014_1-3.csv",
        "FLX_BE-Vie_FLUXNET2015_FULLSET_MM_1996-2014_1-3.csv",
        "FLX_BE-Vie_FLUXNET2015_SUBSET_MM_1996-2014_2-3.csv",
        "FLX_BE-Vie_FLUXNET2015_FULLSET_MM_1996-2018_beta-3.csv",
        "FLX_BE-Vie_FLUXNET2015_FULLSET_MM_1996-2020_beta-3.csv",
        "ICOSETC_BE-Vie_FLUXNET_MM_L2.csv",
        "ICOSETC_BE-Vie_FLUXNET_FLUXMET_MM_1996-2024_v1.3_r1.csv",
    ]
    ranks = [parse_name(name).rank for name in names]
    assert ranks == sorted(ranks) and len(set(ranks)) == len(ranks)


def read(tmp_path, table, name=None):
    path = tmp_path / (name or flx_name("XX-Syn"))
    table.to_csv(path, index=False)
    return read_one(path)


def test_values_arrive_by_name_whatever_the_order(tmp_path, monthly_table):
    record = read(tmp_path, monthly_table[monthly_table.columns[::-1]])
    np.testing.assert_allclose(record.values["nee"], monthly_table["NEE_VUT_REF"])
    np.testing.assert_allclose(record.values["vpd_reanalysis"], monthly_table["VPD_ERA"])
    np.testing.assert_allclose(record.values["co2_quality"], 0.8)
    np.testing.assert_allclose(record.values["nee_joint_uncertainty"], 0.2)
    assert record.months[0] == 2001 * 12 and len(record.months) == 24


def test_missing_marks_become_nan_and_zero_co2_is_a_gap(tmp_path, monthly_table):
    monthly_table.loc[3, "NEE_VUT_REF"] = -9999
    monthly_table.loc[[4, 5], "CO2_F_MDS"] = 0.0
    record = read(tmp_path, monthly_table)
    assert np.flatnonzero(np.isnan(record.values["nee"])).tolist() == [3]
    assert np.flatnonzero(np.isnan(record.values["co2"])).tolist() == [4, 5]
    assert record.counts["co2_zeros"] == 2


def test_sites_without_fluxes_are_accepted(tmp_path, monthly_table):
    fluxes = [c for c in monthly_table if c.startswith(("NEE", "GPP", "RECO"))]
    without = read(tmp_path, monthly_table.drop(columns=fluxes))
    assert np.isnan(without.values["nee"]).all() and np.isfinite(without.values["air_temperature"]).all()
    monthly_table[fluxes] = -9999
    assert np.isnan(read(tmp_path, monthly_table).values["gpp_nt"]).all()


def test_breaches_are_counted_not_clipped(tmp_path, monthly_table):
    monthly_table.loc[0, "GPP_NT_VUT_REF"] = -13.29
    record = read(tmp_path, monthly_table)
    assert record.values["gpp_nt"][0] == -13.29
    assert record.breaches == {"gpp_nt": 1} and record.counts["range_breaches"] == 1


@pytest.mark.parametrize(
    ("column", "change", "guess"),
    [
        ("TA_F", lambda x: x + 273.15, "looks like K"),
        ("TA_ERA", lambda x: x + 273.15, "looks like K"),
        ("PA_F", lambda x: x * 1000, "looks like Pa"),
        ("PA_F", lambda x: x * 10, "looks like hPa"),
        ("VPD_F", lambda x: x * 100, "looks like Pa"),
        ("P_F", lambda x: x / 86400 + 30, "convert it to mm d-1"),
        ("CO2_F_MDS", lambda x: x * 1e-6, "looks like mol mol-1"),
        ("GPP_NT_VUT_REF", lambda x: x * 30, "convert it to gC m-2 d-1"),
    ],
)
def test_wrong_unit_is_found_by_the_median(tmp_path, monthly_table, column, change, guess):
    monthly_table[column] = change(monthly_table[column])
    with pytest.raises(ValueError, match=rf"FLX_XX-Syn.*column {column} has median .* is expected.*{guess}"):
        read(tmp_path, monthly_table)


def test_half_hourly_quality_flags_are_refused(tmp_path, monthly_table):
    monthly_table["TA_F_QC"] = 2
    with pytest.raises(ValueError, match=r"TA_F_QC reaches 2 to 2.*share of 0 to 1"):
        read(tmp_path, monthly_table)


def test_one_of_tower_and_reanalysis_driver_is_enough(tmp_path, monthly_table):
    record = read(tmp_path, monthly_table.drop(columns=["VPD_F", "VPD_F_QC"]))
    assert np.isnan(record.values["vpd"]).all() and np.isfinite(record.values["vpd_reanalysis"]).all()
    with pytest.raises(ValueError, match=r"neither column VPD_F nor VPD_ERA.*add one of them"):
        read(tmp_path, monthly_table.drop(columns=["VPD_F", "VPD_F_QC", "VPD_ERA"]))


def test_missing_time_column(tmp_path, monthly_table):
    with pytest.raises(ValueError, match="no column TIMESTAMP"):
        read(tmp_path, monthly_table.rename(columns={"TIMESTAMP": "time"}))


def test_file_cut_between_rows_misses_years_of_its_name(tmp_path, monthly_table):
    with pytest.raises(ValueError, match=r"holds 2001-01 to 2002-08, but its name promises.*2001 to 2002"):
        read(tmp_path, monthly_table.iloc[:20])
    with pytest.raises(ValueError, match="header but no rows"):
        read(tmp_path, monthly_table.iloc[:0])


def test_icos_name_without_years_skips_the_span_check():
    record = parse(synthetic_monthly().iloc[:20], parse_name("ICOSETC_BE-Vie_FLUXNET_MM_L2.csv"), "f")
    assert len(record.months) == 20


def test_name_that_is_no_monthly_table(tmp_path):
    with pytest.raises(ValueError, match="not named like a FULLSET"):
        read_one(tmp_path / "FLX_FR-Pue_FLUXNET2015_FULLSET_YY_2007-2014_2-3.csv")
