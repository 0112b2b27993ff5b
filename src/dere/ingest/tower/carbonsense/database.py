"""CarbonSense v2: one SQLite file with hourly or half-hourly rows of all sites (doi 10.5281/zenodo.15586300).

Tables ``ec_data`` (site, timestamp as a whole number YYYYMMDDHHMM, predictors, targets) and ``site_data`` (site, lat,
lon, elev, igbp) are read, columns and tables of other names and the satellite images never. What the numbers mean
stands in ``dere.ingest.tower.carbonsense.site``.

A database is somebody else's file: it is opened read-only, an authoriser allows nothing but reading these two tables,
only plain tables are read (no views, no virtual tables), names come from our list and sites go in as parameters.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from dere.config.towers import TowerSource
from dere.ingest.tables import numeric
from dere.ingest.tower.carbonsense import COLUMNS, V2
from dere.ingest.tower.carbonsense.site import parse_site
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.partial_record import Origin
from dere.ingest.tower.record import SiteRecord
from dere.ingest.tower.site_ids import SITE
from dere.ingest.tower.steps import parse_steps
from dere.regular_file import require_regular

log = logging.getLogger(__name__)

_MAGIC = b"SQLite format 3\x00"
_TABLES = {"ec_data": ("site", "timestamp"), "site_data": ("site", "lat", "lon", "igbp")}
# no text or blob of these tables is longer; a longer one is not worth its memory
_LONGEST_VALUE = 1 << 20
# 57 years of half hours
_MOST_ROWS = 1_000_000
_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION}


def _authorise(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Let statements read our two tables and the list of tables; deny everything else."""
    if action in _ALLOWED:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and first in (*_TABLES, "sqlite_master"):
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first == "table_info" and second in _TABLES:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading and nothing else; errors of SQLite become one sentence.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no SQLite database, is damaged, or asks for anything but reading.
    """
    path = Path(path)
    require_regular(path, "correct its path in the config or download it again")
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(
                f"{path} ({path.stat().st_size} bytes) is no SQLite database; it is of another format or compressed: "
                "unpack it, or download it again"
            )
    connection = None
    try:
        # immutable: no lock and no journal beside the file, which may lie on a read-only disk
        connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.set_authorizer(_authorise)
        yield connection
    except sqlite3.Error as error:
        raise ValueError(
            f"{path} cannot be read as CarbonSense v2 ({' '.join(str(error).split()):.120}); it is damaged or not the "
            "published file: download it again"
        ) from None
    finally:
        if connection is not None:
            connection.close()


def _columns(connection: sqlite3.Connection, table: str, source: str) -> list[str]:
    """Columns of a plain table.

    Raises
    ------
    ValueError
        When the table is missing, is a view or virtual, or lacks a column that every row needs.
    """
    found = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    if found is None or found[0] != "table" or "VIRTUAL" in str(found[1]).upper().split("(")[0]:
        kind = "nothing" if found is None else f"a {found[0]}"
        raise ValueError(
            f"{source} has {kind} of the name {table}, but CarbonSense v2 has a table of it; download the published "
            "file"
        )
    names = [str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    missing = [name for name in _TABLES[table] if name not in names]
    if missing:
        raise ValueError(
            f"{source}: table {table} has no column {', '.join(missing)} among its {len(names)}; download the "
            "published file"
        )
    return names


def read_carbonsense_sql(path: Path, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read every site of the database, one at a time; a site whose rows fail a check is a fault.

    Raises
    ------
    FileNotFoundError
        When the file is missing.
    ValueError
        When it is no such database, a column every row needs is missing, times or coordinates cannot be right, or a
        number column holds text.
    """
    path = Path(path)
    source = path.name
    with open_database(path) as connection:
        wanted = [name for name in COLUMNS if name in _columns(connection, "ec_data", source)]
        _columns(connection, "site_data", source)
        places = _places(connection)
        sites = [row[0] for row in connection.execute("SELECT DISTINCT site FROM ec_data ORDER BY site")]
        odd = [site for site in sites if not (isinstance(site, str) and re.fullmatch(SITE, site))]
        if odd:
            log.warning("%s: %d sites have no FLUXNET id (%.40r ...) and are left out", source, len(odd), odd[0])
        records = each_site(
            [site for site in sites if site not in odd],
            lambda site: _read_site(connection, site, wanted, places, source, config),
        )
    if not records:
        raise ValueError(
            f"{source} has no site with a month that has {config.minimum_coverage:.0%} of its steps (of {len(sites)} "
            "sites); lower sources.towers.minimum_coverage, or download the published file"
        )
    log.info("%s: %d of %d sites have months of fluxes", source, len(records), len(sites))
    return records


def _places(connection: sqlite3.Connection) -> pd.DataFrame:
    """``site_data`` as it is written: site, lat, lon, igbp; the first row of a site counts."""
    rows = connection.execute("SELECT site, lat, lon, igbp FROM site_data").fetchall()
    return pd.DataFrame(rows, columns=["site", "lat", "lon", "igbp"]).drop_duplicates("site")


def _place(places: pd.DataFrame, site: str, source: str) -> tuple[float, float, str]:
    """Latitude, longitude and IGBP class of a site; unknown ones NaN and empty."""
    row = places[places["site"] == site].reset_index(drop=True)
    if row.empty:
        return float("nan"), float("nan"), ""
    lat, lon = (float(numeric(row, name, f"{source}: table site_data")[0]) for name in ("lat", "lon"))
    igbp = row["igbp"][0]
    return lat, lon, igbp.strip() if isinstance(igbp, str) else ""


def _read_site(
    connection: sqlite3.Connection,
    site: str,
    wanted: list[str],
    places: pd.DataFrame,
    source: str,
    config: TowerSource,
) -> list[SiteRecord]:
    """Rows of one site as a record; none where its step is not to be read or no month is complete enough."""
    # the names are those of COLUMNS, never of the file
    names = ", ".join(f'"{name}"' for name in ("timestamp", *wanted))
    query = f"SELECT {names} FROM ec_data WHERE site = ? ORDER BY timestamp"
    rows = connection.execute(query, (site,)).fetchmany(_MOST_ROWS + 1)
    if len(rows) > _MOST_ROWS:
        raise ValueError(
            f"{source} has more than {_MOST_ROWS} rows of site {site}, but at most 57 years of half hours are read; "
            "download the published file"
        )
    table = pd.DataFrame(rows, columns=["TIMESTAMP_START", *wanted])
    where = f"{source} site {site}"
    stamps = numeric(table, "TIMESTAMP_START", where)
    step = "HH" if (stamps % 100 == 30).any() else "HR"
    if step not in config.resolution:
        return []
    steps = parse_steps(table, step, where)
    origin = Origin(V2, "CarbonSense v2", "carbonsense", source)
    record = parse_site(table, steps, site, _place(places, site, source), origin, config)
    return [] if record is None else [record]
