"""ABCflux v1 and v2: sums, signs, partitionings, contributions, methods."""

import logging

import numpy as np
import pandas as pd
import pytest
from collection_samples import abcflux

from dere.config.towers import TowerSource
from dere.harmonise.citations import citations
from dere.ingest.tower.abcflux import AQUATIC, NAME
from dere.ingest.tower.abcflux.rows import partitioning, site_id
from dere.ingest.tower.abcflux.table import parse, read_abcflux
from dere.ingest.tower.record import NoTowers
from dere.ingest.tower.towers import read_towers


def by_site(table, config=None):
    return {record.site: record for record in parse(table, "abc.csv", config)}


@pytest.mark.parametrize("version", [1, 2])
def test_sums_become_daily_rates_and_gpp_positive(version):
    record = by_site(abcflux(version))["XX-Syn"]
    month = record.months % 12 + 1
    np.testing.assert_allclose(record.values["gpp_nt"], 2.5 - 2.4 * np.cos(2 * np.pi * (month - 0.5) / 12))
    np.testing.assert_allclose(record.values["gpp_dt"], record.values["gpp_nt"] + 0.5)
    np.testing.assert_allclose(record.values["nee"], 2.0 - record.values["gpp_nt"])
    np.testing.assert_allclose(record.values["precipitation"], 2.0)
    np.testing.assert_allclose(record.values["nee_quality"], 0.6)
    assert record.product == f"abcflux-v{version}" and (record.lat, record.lon) == (68.35, 19.05)
    assert record.months.tolist() == list(range(2003 * 12, 2005 * 12))


def test_missing_marks_are_missing():
    values = by_site(abcflux())["XX-Syn"].values["reco_nt"]
    assert np.flatnonzero(np.isnan(values)).tolist() == [2]


def test_drivers_that_the_format_lacks_are_missing():
    values = by_site(abcflux())["XX-Syn"].values
    assert all(np.isnan(values[name]).all() for name in ("shortwave", "vpd", "wind", "air_temperature_reanalysis"))


def test_partitioning_of_the_label_follows_the_configuration():
    table = abcflux()
    assert by_site(table)["XX-Syn"].partitioning == "nt"
    assert by_site(table, TowerSource(partitioning="dt"))["XX-Syn"].partitioning == "dt"
    only_day = table[~table["partition_method"].astype(str).str.startswith("Reich")]
    assert by_site(only_day)["XX-Syn"].partitioning == "nt"
    assert by_site(only_day, TowerSource(fallback="all"))["XX-Syn"].partitioning == "dt"


def test_only_eddy_covariance_rows_are_towers(caplog):
    with caplog.at_level(logging.INFO):
        assert "XX-Cha" not in by_site(abcflux())
    assert "1 of 55 rows are no towers (1 Chamber)" in caplog.text


def test_rows_without_month_are_counted(caplog):
    by_site(abcflux())
    assert "1 tower rows without month, 0 without coordinates" in caplog.text


def test_contributions_are_never_spliced(caplog):
    record = by_site(abcflux())["SE-St1"]
    assert record.months.tolist() == [2010 * 12 + m for m in (5, 6, 7)]
    np.testing.assert_allclose(record.values["gpp_nt"], 4.0)
    assert record.counts["rows_of_other_contributions"] == 1 and record.counts["rows_without_partitioning"] == 3
    assert "1 rows of other contributions" in caplog.text


def test_of_doubled_rows_the_least_filled_counts():
    table = abcflux()
    double = table.iloc[[0]].assign(nee=99.0, gap_fill_perc_nee=90.0)
    for rows in ([double, table], [table, double]):
        record = by_site(pd.concat(rows, ignore_index=True))["XX-Syn"]
        assert record.counts["doubled_rows"] == 1 and record.values["nee_quality"][0] == 0.6
        assert record.values["nee"][0] < 2


def test_order_of_rows_does_not_matter():
    table = abcflux()
    one, other = by_site(table), by_site(table.sample(frac=1, random_state=1))
    assert one.keys() == other.keys()
    for site, record in one.items():
        for name, values in record.values.items():
            np.testing.assert_array_equal(values, other[site].values[name], err_msg=f"{site} {name}")


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("US-Bes", "US-Bes"),
        ("DK-ZaH", "GL-ZaH"),
        ("NO-Adv", "SJ-Adv"),
        ("DK-Zah, Heath", "GL-ZaH"),
        ("Se-St1", "SE-St1"),
        ("Palsa Site", "ABC+68.356+019.050"),
    ],
)
def test_site_ids(reference, expected):
    assert site_id(reference, 68.356, 19.05) == expected


def test_id_from_coordinates_has_signs():
    assert site_id("Site", 71.3, -156.6) == "ABC+71.300-156.600"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Reichstein et al. (2005)", "nt"),
        ("Reichstein (night time=Reco partitioning)", "nt"),
        ("NT", "nt"),
        ("Day Time Partitioning in REddyProc", "dt"),
        ("Lasslop (bulk/day-time partitioning)", "dt"),
        ("DT", "dt"),
        ("ANN", "other"),
        (None, "other"),
        (float("nan"), "other"),
    ],
)
def test_partitioning_words(text, kind):
    assert partitioning(text) == kind


def change(**columns):
    return lambda table: table.assign(**columns)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda t: t.drop(columns="flux_method"), "has no column flux_method"),
        (lambda t: t.assign(flux_method="Chamber"), "no row with flux_method EC"),
        (lambda t: t.assign(gpp=-t["gpp"].where(t["gpp"] > -9000)), "GPP is mostly positive"),
        (lambda t: t.assign(**{c: t[c] / 31 for c in ("nee", "gpp", "reco")}), "look like daily rates"),
        (change(gap_fill_perc_nee=140.0), "the filled percentage is 0 to 100"),
        (change(month=13), "whole years and months 1 to 12"),
        (change(month=2.5), "whole years and months 1 to 12"),
        (change(month=np.nan), "no tower row with month"),
        (change(latitude=200.0), "latitude 200"),
        (change(nee="many"), "column nee holds 'many'"),
    ],
)
def test_bad_tables_end_in_one_sentence(damage, sentence):
    with pytest.raises(ValueError, match=sentence):
        parse(damage(abcflux()), "abc.csv")


def test_site_without_nee_is_left_out(caplog):
    table = abcflux()
    table.loc[table["site_reference"] == "Se-St1", "nee"] = np.nan
    assert "SE-St1" not in by_site(table) and "no month of NEE" in caplog.text


@pytest.mark.parametrize("version", [1, 2])
def test_latin_1_file_is_read(tmp_path, version):
    name = "Arctic_Boreal_CO2_Flux.csv" if version == 1 else "Arctic_Boreal_CO2_Flux_V2.csv"
    assert NAME.fullmatch(name)
    abcflux(version).to_csv(tmp_path / name, index=False, encoding="latin-1", na_rep="NA")
    records = read_abcflux(tmp_path / name)
    assert sorted(record.site for record in records) == ["ABC+68.356+019.050", "SE-St1", "XX-Syn"]


def put(folder, name, table):
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / f"Arctic_Boreal_CO2_Flux_V2{name}.csv", index=False, na_rep="NA")


@pytest.fixture
def published(tmp_path):
    """The two files of v2: towers, and lakes with columns of their own."""
    folder = tmp_path / "abcflux-v2"
    put(folder, "_Terrestrial", abcflux())
    put(folder, "_Aquatic", pd.DataFrame({"site_name": ["Lake"], "co2_flux_diffusive": [1.0]}))
    return folder


def test_the_aquatic_table_is_passed_over(published, caplog):
    with caplog.at_level(logging.INFO):
        towers = read_towers([published], TowerSource())
    assert "XX-Syn" in towers.dataset.site.values
    assert "1 tables hold no towers and are passed over (Arctic_Boreal_CO2_Flux_V2_Aquatic.csv)" in caplog.text
    row = towers.provenance.set_index("file").loc["Arctic_Boreal_CO2_Flux_V2_Aquatic.csv"]
    assert (row["role"], row["product"], row["rows"]) == ("passed over (no towers)", "ABCflux v2", 0)
    cited = citations(towers.provenance.assign(source="towers"))
    assert cited["files"].tolist() == [3] and "10.3334/ORNLDAAC/2448" in cited["citation"][0], "three towers, no lake"


@pytest.mark.parametrize(
    ("name", "aquatic"),
    [
        ("Arctic_Boreal_CO2_Flux_V2_Aquatic.csv", True),
        ("ABCflux_v2_aquatic_2025.csv.gz", True),
        ("Arctic_Boreal_CO2_Flux_V2_Terrestrial.csv", False),
        ("Aquatic.csv", False),
    ],
)
def test_names_of_aquatic_tables(name, aquatic):
    assert (AQUATIC.fullmatch(name) is not None) == aquatic


def test_a_table_without_towers_beside_another_is_counted(published, caplog):
    put(published, "_Chambers", abcflux().assign(flux_method="Chamber"))
    with caplog.at_level(logging.INFO):
        towers = read_towers([published], TowerSource())
    assert "2 tables hold no towers and are passed over" in caplog.text
    roles = towers.provenance.set_index("file")["role"]
    assert roles["Arctic_Boreal_CO2_Flux_V2_Chambers.csv"] == "passed over (no towers)"


def test_tables_without_towers_alone_are_an_error(tmp_path):
    put(tmp_path / "chambers", "_Chambers", abcflux().assign(flux_method="Chamber"))
    with pytest.raises(NoTowers, match=r"Flux_V2_Chambers\.csv has no row with flux_method EC"):
        read_towers([tmp_path / "chambers"], TowerSource())
    put(tmp_path / "lakes", "_Aquatic", abcflux())
    with pytest.raises(ValueError, match=r"holds 1 tables without towers \(Arctic_Boreal_CO2_Flux_V2_Aquatic\.csv"):
        read_towers([tmp_path / "lakes"], TowerSource())
