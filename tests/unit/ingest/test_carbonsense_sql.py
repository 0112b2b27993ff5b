"""CarbonSense v2: a database of other people is read and nothing else."""

import hashlib
import sqlite3

import numpy as np
import pandas as pd
import pytest
from collection_samples import FACTOR, carbonsense_rows, hourly, write_carbonsense_sql

from dere.config.towers import TowerSource
from dere.ingest.tower.carbonsense import SOURCES
from dere.ingest.tower.carbonsense.database import open_database, read_carbonsense_sql
from dere.ingest.tower.record import SiteRecord

CONFIG = TowerSource()


def by_site(path, config=CONFIG):
    return {record.site: record for record in read_carbonsense_sql(path, config)}


def edit(path, *statements):
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.fixture
def database(tmp_path):
    return write_carbonsense_sql(tmp_path / "carbonsense_v2.sql")


def test_every_site_becomes_a_record(database):
    records = by_site(database)
    truth = hourly({})
    assert sorted(records) == ["XX-Sy2", "XX-Syn"]
    np.testing.assert_allclose(records["XX-Syn"].values["nee"], truth["NEE"].mean() * FACTOR)
    np.testing.assert_allclose(records["XX-Sy2"].values["nee"], (truth["NEE"].mean() + 1) * FACTOR)
    np.testing.assert_allclose(records["XX-Syn"].values["pressure"], 98.0)
    assert (records["XX-Syn"].lat, records["XX-Syn"].igbp, records["XX-Sy2"].igbp) == (50.0, "ENF", "")
    assert records["XX-Syn"].months.tolist() == [2010 * 12]


def test_extreme_fluxes_are_masked_and_counted(database, caplog):
    record = by_site(database)["XX-Syn"]
    truth = hourly({})["GPP_NT"].to_numpy().copy()
    truth[5] = np.nan
    np.testing.assert_allclose(record.values["gpp_nt"], np.nanmean(truth) * FACTOR)
    assert record.counts["runaway_fluxes"] == 1 and "1 runaway fluxes" in caplog.text


def test_hourly_precipitation_is_of_unknown_unit(database):
    record = by_site(database)["XX-Syn"]
    assert np.isnan(record.values["precipitation"]).all() and record.counts["precipitation_of_unknown_unit"] == 744


def test_half_hours_are_recognised_by_their_stamps(tmp_path):
    path = write_carbonsense_sql(tmp_path / "carbonsense_v2.sql", carbonsense_rows(half_hourly=True))
    np.testing.assert_allclose(by_site(path)["XX-Syn"].values["precipitation"], 4.8)
    with pytest.raises(ValueError, match="has no site with a month"):
        by_site(path, TowerSource(resolution=("HR",)))


def test_the_file_is_neither_changed_nor_accompanied(database):
    before = hashlib.sha256(database.read_bytes()).hexdigest()
    database.chmod(0o400)
    by_site(database)
    assert hashlib.sha256(database.read_bytes()).hexdigest() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_nothing_but_reading_our_tables_is_allowed(database):
    for statement in (
        "DROP TABLE ec_data",
        "INSERT INTO site_data VALUES ('a', 1, 1, 1, 'b')",
        "ATTACH DATABASE 'other.sql' AS other",
        "SELECT data FROM modis_data",
        "PRAGMA journal_mode = WAL",
        "CREATE TEMP TABLE t (a)",
    ):
        with pytest.raises(ValueError, match="cannot be read as CarbonSense v2"), open_database(database) as connection:
            connection.execute(statement).fetchall()
    assert not (database.parent / "other.sql").exists()


HOSTILE = "x'; DROP TABLE ec_data; --"
QUOTED = HOSTILE.replace("'", "''")


def test_hostile_names_are_harmless(database, caplog):
    edit(
        database,
        f'CREATE TABLE "{HOSTILE}" (a)',
        f'ALTER TABLE ec_data ADD COLUMN "{HOSTILE}" REAL',
        'ALTER TABLE ec_data ADD COLUMN "NEE"" FROM site_data; --" REAL',
        f"INSERT INTO ec_data (site, timestamp, NEE) VALUES ('{QUOTED}', 201001010000, 1)",
        "INSERT INTO ec_data (site, timestamp, NEE) VALUES (x'00FF', 201001010000, 1)",
        "CREATE TRIGGER t AFTER INSERT ON ec_data BEGIN DELETE FROM ec_data; END",
    )
    assert sorted(by_site(database)) == ["XX-Sy2", "XX-Syn"]
    assert "2 sites have no FLUXNET id" in caplog.text
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM ec_data").fetchone()[0] == 1490
    connection.close()


def test_views_and_virtual_tables_are_refused(database):
    edit(database, "ALTER TABLE ec_data RENAME TO real_data", "CREATE VIEW ec_data AS SELECT * FROM real_data")
    with pytest.raises(ValueError, match="has a view of the name ec_data"):
        by_site(database)


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (["DROP TABLE site_data"], "has nothing of the name site_data"),
        (["ALTER TABLE ec_data RENAME COLUMN timestamp TO time"], "table ec_data has no column timestamp"),
        (["UPDATE ec_data SET timestamp = 20100101"], "is not the beginning of a HR step"),
        (["UPDATE ec_data SET timestamp = 201001010000"], "must increase and occur once"),
        (["UPDATE site_data SET lat = 'north'"], "column lat holds 'north'"),
        (["DELETE FROM ec_data"], "has no site with a month"),
        (["UPDATE ec_data SET site = zeroblob(3000000) WHERE id = 3"], "too big"),
    ],
)
def test_bad_databases_end_in_one_sentence(database, statements, sentence):
    edit(database, *statements)
    with pytest.raises(ValueError, match=sentence):
        by_site(database)


def test_a_bad_site_costs_itself(database):
    edit(database, "UPDATE ec_data SET NEE = 'much' WHERE id = 5", "UPDATE site_data SET igbp = 'Open Shrublands'")
    *records, fault = read_carbonsense_sql(database, TowerSource())
    assert "column NEE holds 'much'" in fault.sentence and fault.site not in {record.site for record in records}
    assert records and all(isinstance(record, SiteRecord) for record in records)


def test_damaged_database_ends_in_one_sentence(database):
    content = bytearray(database.read_bytes())
    content[4096:60000] = b"\xff" * (60000 - 4096)
    database.write_bytes(content)
    with pytest.raises(ValueError, match="cannot be read as CarbonSense v2"):
        by_site(database)


def test_truncated_database_ends_in_one_sentence(database):
    database.write_bytes(database.read_bytes()[:50000])
    with pytest.raises(ValueError, match="cannot be read as CarbonSense v2"):
        by_site(database)


def test_other_files_are_no_database(tmp_path):
    path = tmp_path / "carbonsense_v2.sql"
    path.write_text("SELECT 1;")
    with pytest.raises(ValueError, match="is no SQLite database"):
        by_site(path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        by_site(tmp_path / "carbonsense_v3.sql")
    assert SOURCES[1].matches(path.name) and not SOURCES[1].matches("towers.sql")


def test_names_with_url_signs_are_paths(tmp_path):
    folder = tmp_path / "a?mode=rwc#b %41"
    folder.mkdir()
    assert sorted(by_site(write_carbonsense_sql(folder / "carbonsense_v2.sql"))) == ["XX-Sy2", "XX-Syn"]


def test_order_of_rows_does_not_matter(tmp_path):
    rows = carbonsense_rows()
    one = by_site(write_carbonsense_sql(tmp_path / "carbonsense_a.sql", rows))
    other = by_site(write_carbonsense_sql(tmp_path / "carbonsense_b.sql", rows.sample(frac=1, random_state=0)))
    pd.testing.assert_frame_equal(pd.DataFrame(one["XX-Syn"].values), pd.DataFrame(other["XX-Syn"].values))
