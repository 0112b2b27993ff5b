"""Thresholds, partitionings and percentile members."""

import logging

import numpy as np
import pytest
from ingest_samples import flx_name, synthetic_monthly, write_bif

from dere.config.towers import TowerSource
from dere.ingest.tower.choice import with_partitioning
from dere.ingest.tower.fluxnet.family import parse
from dere.ingest.tower.fluxnet.names import parse_name
from dere.ingest.tower.towers import read_towers
from dere.ingest.tower.variants import MEMBERS, partitionings, variants

BIF = "FLX_AA-Flx_BIF_MM_20260101.csv"
FACTORS = {"CUT_REF": 1.1, "VUT_USTAR50": 1.2, "CUT_USTAR50": 1.3}


def table_of_all():
    """Invented monthly table with the four variants and the percentile members of NEE and GPP."""
    table = synthetic_monthly()
    for variant, factor in FACTORS.items():
        for stem in ("NEE", "GPP_NT", "GPP_DT", "RECO_NT", "RECO_DT"):
            table[f"{stem}_{variant}"] = factor * table[f"{stem}_VUT_REF"]
        for ending in ("QC", "RANDUNC", "JOINTUNC"):
            table[f"NEE_{variant}_{ending}"] = table[f"NEE_VUT_REF_{ending}"]
    for k, member in enumerate(MEMBERS):
        for stem in ("NEE", "GPP_NT", "GPP_DT"):
            table[f"{stem}_VUT_{member}"] = table[f"{stem}_VUT_REF"] + 0.1 * (k - 3)
            table[f"{stem}_CUT_{member}"] = table[f"{stem}_VUT_REF"] + 0.2 * (k - 3)
    return table


def read(table, **config):
    return parse(table, parse_name(flx_name("AA-Syn")), "f.csv", TowerSource(**config))


@pytest.mark.parametrize(
    ("config", "factor", "variant"),
    [
        ({}, 1.0, "VUT_REF"),
        ({"cut_or_vut": "cut"}, 1.1, "CUT_REF"),
        ({"threshold": "ustar50"}, 1.2, "VUT_USTAR50"),
        ({"threshold": "ustar50", "cut_or_vut": "cut"}, 1.3, "CUT_USTAR50"),
    ],
)
def test_the_wanted_variant_is_read(config, factor, variant):
    table = table_of_all()
    record = read(table, **config)
    assert record.variant == variant and "fallback" not in record.counts
    for name, column in (("nee", "NEE_VUT_REF"), ("gpp_dt", "GPP_DT_VUT_REF"), ("reco_nt", "RECO_NT_VUT_REF")):
        np.testing.assert_allclose(record.values[name], factor * table[column])


def test_a_short_record_has_no_constant_threshold(caplog):
    table = synthetic_monthly()
    with caplog.at_level(logging.WARNING):
        record = read(table, cut_or_vut="cut")
    assert record.variant == "VUT_REF" and record.counts["fallback"] == 1
    assert "f.csv has no month with NEE and GPP of CUT_REF, nt; VUT_REF, nt is taken" in caplog.text
    alone = read(table, cut_or_vut="cut", fallback="none")
    assert alone.variant == "CUT_REF" and np.isnan(alone.values["nee"]).all()


def test_a_site_without_night_time_partitioning():
    table = table_of_all()
    table[[c for c in table if "_NT_" in c]] = -9999
    record = read(table, fallback="all")
    assert (record.variant, record.partitioning) == ("VUT_REF", "dt")
    assert read(table).partitioning == "nt" and "fallback" not in read(table).counts
    # without any GPP of the partitioning, NEE still decides over the threshold
    alone = synthetic_monthly().drop(columns=["GPP_NT_VUT_REF"])
    assert read(alone, cut_or_vut="cut").variant == "VUT_REF"
    # another threshold with the wanted partitioning comes before the other partitioning
    table["GPP_NT_CUT_REF"] = 3.0
    assert (read(table, fallback="all").variant, read(table, fallback="all").partitioning) == ("CUT_REF", "nt")


def test_a_site_without_any_flux_keeps_what_was_wanted():
    table = table_of_all()
    table[[c for c in table if c.startswith(("NEE", "GPP", "RECO"))]] = -9999
    record = read(table, threshold="ustar50")
    assert (record.variant, record.partitioning) == ("VUT_USTAR50", "nt") and "fallback" not in record.counts


def test_orders():
    assert variants(TowerSource()) == ("VUT_REF", "CUT_REF", "VUT_USTAR50", "CUT_USTAR50")
    assert variants(TowerSource(cut_or_vut="cut", fallback="none")) == ("CUT_REF",)
    assert partitionings(TowerSource(partitioning="dt", fallback="all")) == ("dt", "nt")


def test_records_of_other_formats_settle_their_partitioning():
    record = read(table_of_all())
    record.values["gpp_nt"][:] = np.nan
    settled = with_partitioning(record, TowerSource(fallback="all"))
    assert settled.partitioning == "dt" and settled.counts["fallback"] == 1
    assert with_partitioning(record, TowerSource()).partitioning == "nt"


def test_members_are_those_of_the_variant_and_arrive_in_the_interim_file(tmp_path):
    table = table_of_all()
    record = read(table, members=True)
    np.testing.assert_allclose(record.members["nee_member"][:, 6], table["NEE_VUT_95"])
    assert read(table).members == {}
    cut = read(table, members=True, cut_or_vut="cut")
    np.testing.assert_allclose(cut.members["gpp_member"][:, 0], table["GPP_NT_CUT_05"])
    table.to_csv(tmp_path / flx_name("AA-Syn"), index=False)
    synthetic_monthly().to_csv(tmp_path / flx_name("BB-Syn"), index=False)
    write_bif(tmp_path / BIF, {"AA-Syn": (51.0, 10.0, "ENF"), "BB-Syn": (51.0, 11.0, "ENF")})
    towers = read_towers([tmp_path], TowerSource(members=True)).dataset
    assert towers.nee_member.dims == ("site", "time", "member") and towers.member.values.tolist() == list(MEMBERS)
    np.testing.assert_allclose(towers.nee_member.sel(site="AA-Syn", member="16").values, table["NEE_VUT_16"])
    assert np.isnan(towers.nee_member.sel(site="BB-Syn")).all()
    assert "nee_member" not in read_towers([tmp_path], TowerSource()).dataset


def test_a_lost_column_of_nee_is_said(caplog):
    table = synthetic_monthly()
    read(table.drop(columns="NEE_VUT_REF"))
    assert "f.csv: column NEE_VUT_REF is missing or empty beside GPP_NT_VUT_REF" in caplog.text
    caplog.clear()
    read(table)
    assert "beside" not in caplog.text
