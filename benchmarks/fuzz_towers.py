"""Readers of towers; invented numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import collection_samples
import numpy as np
import pandas as pd
import plumber2_samples
from fuzz_databases import NO_TEXT
from fuzz_grids import Grid
from fuzz_readers import Reader, Target
from fuzz_tables import Table
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly

from dere.config.towers import TowerSource
from dere.ingest.checks import daily_top_of_atmosphere
from dere.ingest.tower.towers import read_towers
from mutations.finer_files import _table as finer_table
from mutations.tables import sheet

SITE = "XX-Syn"
LAT, LON = 50.0, -100.0
BESIDE = {"XX-Ca1": (61.0, 24.3), "XX-Ca2": (45.5, 10.2), "XX-Ca3": (-35.4, 148.1), "XX-Ca4": (33.0, -117.0),
          "XX-Ca5": (55.2, 98.4), "XX-Ca6": (48.7, 7.1)}  # fmt: skip
"""Sites that lie beside the damaged one, so that a run has enough without it."""
DRIVERS = ("TA_F", "SW_IN_F", "VPD_F", "PA_F", "P_F", "WS_F", "TA_ERA", "CO2_F_MDS")
FLUXES = ("NEE_VUT_REF", "GPP_NT_VUT_REF", "RECO_NT_VUT_REF", "GPP_DT_VUT_REF", "NEE_VUT_REF_QC")
UNITS = {
    "TA_F": (1.0, 273.15), "PA_F": (10.0, 0.0), "SW_IN_F": (86.4, 0.0), "VPD_F": (100.0, 0.0), "WS_F": (100.0, 0.0),
    "CO2_F_MDS": (1e-6, 0.0), "GPP_NT_VUT_REF": (365.0, 0.0), "RECO_NT_VUT_REF": (365.0, 0.0),
}  # fmt: skip
MONTHLY = Table(FLUXES + DRIVERS, stamp="TIMESTAMP", span=True, units=UNITS)


def noisy(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A table with numbers of its own, so that no two sites or months are alike."""
    table = table.copy()
    for name in table.columns:
        if table[name].dtype.kind == "f" and not name.endswith(("_QC", "Lat", "Lon")):
            table[name] = (table[name] * (1 + 0.03 * rng.standard_normal(len(table))) + 0.01).round(5)
    return table


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as the products do, -9999 missing."""
    path.write_bytes(sheet(table).encode())


def monthly(seed: int, lat: float = LAT) -> pd.DataFrame:
    """FULLSET MM of two years with some missing months."""
    table = synthetic_monthly(lat=lat)
    table["SW_IN_F"] = 0.5 * np.tile(daily_top_of_atmosphere(lat), len(table) // 12)
    table["SW_IN_ERA"] = table["SW_IN_F"] + 1
    table = noisy(table, np.random.default_rng(seed))
    table.loc[[4, 17], ["NEE_VUT_REF", "GPP_NT_VUT_REF", "RECO_NT_VUT_REF"]] = -9999
    table.loc[[9], ["WS_F"]] = -9999
    return table


def beside(folder: Path, seed: int, *places: str) -> None:
    """Write the other sites, and a table that places them and some more sites."""
    for number, (site, (lat, _)) in enumerate(BESIDE.items()):
        write_csv(monthly(seed + 10 + number, lat), folder / flx_name(site))
    rows = [f"{site},{lat},{lon},GRA,{100 + number}" for number, (site, (lat, lon)) in enumerate(BESIDE.items())]
    rows += [f"{site},{LAT + number},{LON},ENF,250" for number, site in enumerate(places)]
    (folder / "sites.csv").write_text("\n".join(["site,lat,lon,igbp,elevation", *rows]) + "\n")


def towers(
    name: str,
    write: Callable[[Path, int], object],
    *targets: Target,
    sites: tuple[str, ...] = (),
    config: TowerSource | None = None,
) -> Reader:
    """A reader of one format of towers, with other sites beside it.

    Parameters
    ----------
    name, targets
        See `fuzz_readers.Reader`.
    write
        Writes its files.
    sites
        Its sites that the table of sites must place.
    config
        What is read; the defaults when None.
    """

    def build(folder: Path, seed: int) -> None:
        beside(folder, seed, *sites)
        write(folder, seed)

    def read(folder: Path) -> object:
        return read_towers([Path(f"{folder}//.")], config or TowerSource()).dataset

    return Reader(name, build, read, targets, (*sites, SITE, *BESIDE))


def one(file: str, make: Callable[[int], pd.DataFrame]) -> Callable[[Path, int], None]:
    """Writer of one table."""
    return lambda folder, seed: write_csv(make(seed), folder / file)


def days_of(seed: int) -> pd.DataFrame:
    """Days of three months."""
    return noisy(finer_table("DD"), np.random.default_rng(seed))


def half_hours(seed: int) -> pd.DataFrame:
    """Half hours of a month."""
    return noisy(finer_table("HH"), np.random.default_rng(seed))


def workbook(folder: Path, seed: int) -> None:
    """The monthly table as somebody saved it from a spreadsheet."""
    monthly(seed).to_excel(folder / flx_name(SITE).replace(".csv", ".xlsx"), index=False)


def samples(make: Callable[[], pd.DataFrame], file: str) -> Callable[[Path, int], None]:
    """Writer of a table of one of the collections, NA missing."""
    return lambda folder, seed: make().to_csv(folder / file, index=False, na_rep="NA")


def ch4_days(seed: int) -> pd.DataFrame:
    return noisy(collection_samples.ch4_daily(), np.random.default_rng(seed)).replace(np.inf, -9999)


def store(folder: Path, seed: int) -> None:
    places, offsets = {"XX-Wes": -99.4, "XX-Eas": 8.0}, {"XX-Wes": -6, "XX-Eas": 1}
    collection_samples.write_store(folder / "fluxnet.zarr", places, offsets)


def half_hours_of_both(folder: Path, seed: int) -> None:
    """Fluxes and weather of a site in two files."""
    for kind in ("Flux", "Met"):
        plumber2_samples.write(folder, kind)


KELVIN, PASCAL = (1.0, 273.15), (1000.0, 0.0)
DAYS = Table(("NEE_VUT_REF", "GPP_NT_VUT_REF", "TA_F", "PA_F", "P_F", "SW_IN_F"), stamp="TIMESTAMP", units=UNITS)
HALF_HOURS = Table(
    ("NEE_VUT_REF", "GPP_NT_VUT_REF", "TA_F", "PA_F", "SW_IN_F"),
    stamp="TIMESTAMP_START",
    units={"TA_F": KELVIN, "PA_F": (10.0, 0.0)},
)
EXTRACT = Table((*FLUXES[:2], "TA_F", "LAI", "EVI"), stamp="TIMESTAMP", units={"TA_F": KELVIN, "LAI": (100.0, 0.0)})
ABC = Table(
    ("nee", "gpp", "reco", "tair", "precip", "latitude", "longitude"),
    site="site_reference",
    free=True,
    missing="NA",
    units={"tair": KELVIN},
)
COURSE = Table(
    ("NEE_gC_m2_day", "GPP_gC_m2_day", "RECO_gC_m2_day"), stamp="date", missing="NA",
    units={"GPP_gC_m2_day": (1000.0, 0.0)},
)  # fmt: skip
SIX = Table(("GPP_U50", "NEE_U50", "Reco_U50"), site="site", missing="NA")
CH4 = Table(
    ("NEE_F", "GPP_NT", "RECO_NT", "TA_F", "SW_IN_F", "PA_F"), stamp="TIMESTAMP", span=True,
    units={"TA_F": KELVIN, "PA_F": PASCAL},
)  # fmt: skip
PLACED, GONE = Grid(("NEE", "GPP", "Resp", "Tair", "SWdown", "Psurf"), "latitude", "longitude"), "month gone or twice"
SENSE = "carbonsense/XX-Sen/2010-01-01_2010-12-31"
TARGETS = Table(("NEE_VUT_REF", "GPP_NT_VUT_REF"), stamp="timestamp", missing="")
PREDICTORS = Table(("TA_F", "SW_IN_F", "VPD_F"), stamp="timestamp", missing="")
DATABASE = Table(("NEE", "GPP_NT", "RECO_NT", "TA", "SW_IN"), stamp="timestamp", missing="")


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of towers."""
    file = flx_name(SITE)
    days, half = (f"ICOSETC_{SITE}_FLUXNET_{step}_L2.csv" for step in ("DD", "HH"))
    ch4, course = "FLX_XX-Met_FLUXNET-CH4_DD_2014-2014_1-1.csv", "obs_XX-Cou_daily.csv"
    abc, six, extract = "ABCflux_v2.csv", "daily_carbon_uptake.csv", "XX-Ext_MM.csv"
    book = Target(file.replace(".csv", ".xlsx"), "workbook", MONTHLY, "towers", without=("very wide",))
    sense = (
        Target(f"{SENSE}/targets.csv", "table", TARGETS),
        Target(f"{SENSE}/predictors.csv", "table", PREDICTORS),
        Target(f"{SENSE}/meta.json", "json"),
    )
    own = (SITE,)
    return (
        towers("fluxnet_monthly", one(file, monthly), Target(file, "table", MONTHLY, "towers"), sites=own),
        towers("fluxnet_xlsx", workbook, book, sites=own),
        towers("fluxnet_daily", one(days, days_of), Target(days, "table", DAYS, "towers"), sites=own),
        towers("fluxnet_half_hourly", one(half, half_hours), Target(half, "table", HALF_HOURS, "towers"), sites=own),
        towers(
            "fluxnet_extract",
            one(extract, lambda seed: synthetic_extract("XX-Ext")),
            Target(extract, "table", EXTRACT, "towers", without=("in an archive",)),
            config=TowerSource(use_satellites=True),
        ),
        towers("abcflux", samples(collection_samples.abcflux, abc), Target(abc, "table", ABC, "towers")),
        towers(
            "fluxcourse",
            samples(collection_samples.fluxcourse, course),
            Target(course, "table", COURSE, "towers"),
            sites=("XX-Cou",),
        ),
        towers(
            "six_forests",
            samples(collection_samples.six_forests, six),
            Target(six, "table", SIX, "towers"),
            sites=("US-Syn", "US-Sy2"),
        ),
        towers("fluxnet_ch4", one(ch4, ch4_days), Target(ch4, "table", CH4, "towers"), sites=("XX-Met",)),
        towers("carbonsense_folder", lambda f, seed: collection_samples.write_carbonsense_v1(f, "XX-Sen"), *sense),
        towers(
            "carbonsense_database",
            lambda f, seed: collection_samples.write_carbonsense_sql(f / "carbonsense_v2.sql"),
            Target("carbonsense_v2.sql", "database", DATABASE, "towers", without=NO_TEXT),
        ),
        towers(
            "plumber2",
            half_hours_of_both,
            # a half hour that is gone is no other value, and one that comes twice is refused by test_plumber2.py
            *(
                Target(f"{plumber2_samples.SITE}_2005-2005_OzFlux_{kind}.nc", "netcdf", PLACED, without=(GONE,))
                for kind in ("Flux", "Met")
            ),
        ),
        towers("fluxnet_zarr", store, Target("fluxnet.zarr", "store", None, "towers")),
    )
