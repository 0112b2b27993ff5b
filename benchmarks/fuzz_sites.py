"""Readers of what is known of sites: plain tables, BADM rows and the listing of the shuttle; invented numbers."""

from __future__ import annotations

import functools
from pathlib import Path

import pandas as pd
from fuzz_readers import Reader, Target
from fuzz_tables import Table
from fuzz_towers import BESIDE, LAT, LON, SITE, monthly, towers, write_csv
from ingest_samples import flx_name

ABOUT_SITES = Table(("lat", "lon", "elevation"), site="site", places=("lat", "lon"), free=True, missing="")
LISTED = Table(
    ("location_lat", "location_long"), site="site_id", places=("location_lat", "location_long"), free=True, missing=""
)
BIF_ROWS = Table(("DATAVALUE",), site="SITE_ID", free=True, missing="")
BADM = "FLX_AA-Flx_BIF_MM_20200501.csv"
LISTING = "fluxnet_shuttle_snapshot_20250101T000000.csv"


def plain(folder: Path, seed: int) -> None:
    """A site that only the plain table places."""
    write_csv(monthly(seed), folder / flx_name(SITE))


def listing(folder: Path, seed: int) -> None:
    """The listing of the shuttle in place of the plain table."""
    plain(folder, seed)
    (folder / "sites.csv").unlink()
    rows = [f"ICOS,{site},{lat},{lon},GRA,,x" for site, (lat, lon) in {SITE: (LAT, LON), **BESIDE}.items()]
    head = "data_hub,site_id,location_lat,location_long,igbp,product_citation,network"
    (folder / LISTING).write_text("\n".join([head, *rows]) + "\n")


def bif(folder: Path, seed: int) -> None:
    """BADM rows of all sites; the mast of one moved after the end of its data, its class was stated twice."""
    write_csv(monthly(seed), folder / flx_name(SITE))
    (folder / "sites.csv").unlink()
    lines, group = ["SITE_ID,GROUP_ID,VARIABLE_GROUP,VARIABLE,DATAVALUE"], 0

    def state(site: str, kind: str, **values: object) -> None:
        nonlocal group
        group += 1
        lines.extend(f"{site},{group},{kind},{name},{value}" for name, value in values.items())

    for site, (lat, lon) in {SITE: (LAT, LON), **BESIDE}.items():
        state(site, "GRP_HEADER", SITE_NAME=f"Station {site[3:]}")
        state(
            site, "GRP_LOCATION", LOCATION_LAT=lat, LOCATION_LONG=lon, LOCATION_ELEV=120, LOCATION_DATE_START=20000101
        )
        state(site, "GRP_IGBP", IGBP="ENF", IGBP_DATE_START=20000101)
        state(site, "GRP_UTC_OFFSET", UTC_OFFSET=round(lon / 15))
        state(site, "GRP_CLIM_AVG", MAT=7.5, MAP=800, CLIMATE_KOEPPEN="Cfb")
    state(
        SITE,
        "GRP_LOCATION",
        LOCATION_LAT=LAT + 0.2,
        LOCATION_LONG=LON + 0.3,
        LOCATION_ELEV=140,
        LOCATION_DATE_START=20200101,
    )
    (folder / BADM).write_text("\n".join(lines) + "\n")


def bif_workbook(folder: Path, seed: int) -> None:
    """The same rows as a workbook."""
    bif(folder, seed)
    path = folder / BADM
    pd.read_csv(path).to_excel(path.with_suffix(".xlsx"), index=False)
    path.unlink()


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of sites."""
    book = Target(BADM.replace(".csv", ".xlsx"), "workbook", BIF_ROWS, "towers", without=("very wide",))
    pairs = (
        ("sites_csv", plain, Target("sites.csv", "table", ABOUT_SITES, "towers")),
        ("bif_csv", bif, Target(BADM, "table", BIF_ROWS, "towers")),
        ("bif_xlsx", bif_workbook, book),
        ("shuttle_listing", listing, Target(LISTING, "table", LISTED, "towers")),
    )
    return tuple(towers(name, write, target, sites=(SITE,)) for name, write, target in pairs)
