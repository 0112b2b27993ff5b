"""Readers of towers and of what is known of their sites; invented numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import collection_samples
import numpy as np
import pandas as pd
from fuzz_readers import Reader, Target
from fuzz_tables import Table
from ingest_samples import flx_name, synthetic_extract, synthetic_monthly
from mutations.finer_files import _table as finer_table
from mutations.tables import sheet

from dere.config.towers import TowerSource
from dere.ingest.checks import daily_top_of_atmosphere
from dere.ingest.tower.towers import read_towers

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
ABOUT_SITES = Table(("lat", "lon", "elevation"), site="site", places=("lat", "lon"), free=True, missing="")
BIF_ROWS = Table(("DATAVALUE",), site="SITE_ID", free=True, missing="")


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
    name: str, write: Callable[[Path, int], object], target: Target, *places: str, config: TowerSource | None = None
) -> Reader:
    """A reader of one format of towers, with other sites beside it."""

    def build(folder: Path, seed: int) -> None:
        beside(folder, seed, *places)
        write(folder, seed)

    def read(folder: Path) -> object:
        return read_towers([Path(f"{folder}//.")], config or TowerSource()).dataset

    return Reader(name, build, read, (target,), (*places, SITE))


def one(file: str, make: Callable[[int], pd.DataFrame]) -> Callable[[Path, int], None]:
    """Writer of one table."""
    return lambda folder, seed: write_csv(make(seed), folder / file)


def steps(step: str, seed: int) -> pd.DataFrame:
    """Days of three months, or half hours of one."""
    return noisy(finer_table(step), np.random.default_rng(seed))


def workbook(folder: Path, seed: int) -> None:
    """The monthly table as somebody saved it from a spreadsheet."""
    monthly(seed).to_excel(folder / flx_name(SITE).replace(".csv", ".xlsx"), index=False)


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
        state(site, "GRP_LOCATION", LOCATION_LAT=lat, LOCATION_LONG=lon, LOCATION_ELEV=120, LOCATION_DATE_START=20000101)
        state(site, "GRP_IGBP", IGBP="ENF", IGBP_DATE_START=20000101)
        state(site, "GRP_UTC_OFFSET", UTC_OFFSET=round(lon / 15))
        state(site, "GRP_CLIM_AVG", MAT=7.5, MAP=800, CLIMATE_KOEPPEN="Cfb")
    state(SITE, "GRP_LOCATION", LOCATION_LAT=LAT + 0.2, LOCATION_LONG=LON + 0.3, LOCATION_ELEV=140, LOCATION_DATE_START=20200101)
    (folder / "FLX_AA-Flx_BIF_MM_20200501.csv").write_text("\n".join(lines) + "\n")


def bif_workbook(folder: Path, seed: int) -> None:
    """The same rows as a workbook."""
    bif(folder, seed)
    path = folder / "FLX_AA-Flx_BIF_MM_20200501.csv"
    pd.read_csv(path).to_excel(path.with_suffix(".xlsx"), index=False)
    path.unlink()


FX = Table(("NEE_gC_m2_day", "GPP_gC_m2_day", "RECO_gC_m2_day"), stamp="date", whole=True, missing="NA",
           units={"GPP_gC_m2_day": (1000.0, 0.0)})  # fmt: skip
SIX = Table(("GPP_U50", "NEE_U50", "Reco_U50"), site="site", stamp="", missing="NA", free=False)
ABC = Table(("nee", "gpp", "reco", "tair", "precip", "latitude", "longitude"), site="site_reference", free=True,
            missing="NA", units={"tair": (1.0, 273.15)})  # fmt: skip
CH4 = Table(("NEE_F", "GPP_NT", "RECO_NT", "TA_F", "SW_IN_F", "PA_F"), stamp="TIMESTAMP", span=True,
            units={"TA_F": (1.0, 273.15), "PA_F": (1000.0, 0.0)})  # fmt: skip
DAYS = Table(("NEE_VUT_REF", "GPP_NT_VUT_REF", "TA_F", "PA_F", "P_F", "SW_IN_F"), stamp="TIMESTAMP", units=UNITS)
HALF_HOURS = Table(("NEE_VUT_REF", "GPP_NT_VUT_REF", "TA_F", "PA_F", "SW_IN_F"), stamp="TIMESTAMP_START",
                   units={"TA_F": (1.0, 273.15), "PA_F": (10.0, 0.0)})  # fmt: skip
EXTRACT = Table((*FLUXES[:2], "TA_F", "LAI", "EVI"), stamp="TIMESTAMP", units={"TA_F": (1.0, 273.15), "LAI": (100.0, 0.0)})
ROWS_MISSED = ("row gone", "rows out of order", "stamp shifted")
SENSE = "carbonsense/XX-Sen/2010-01-01_2010-12-31"
HOURS = Table(("NEE_VUT_REF", "GPP_NT_VUT_REF"), stamp="timestamp", missing="")


def abcflux(seed: int) -> pd.DataFrame:
    return collection_samples.abcflux().assign(study_id="Synthetic")


@functools.cache
def readers() -> tuple[Reader, ...]:
    """Every reader of towers."""
    file = flx_name(SITE)
    half = f"ICOSETC_{SITE}_FLUXNET_HH_L2.csv"
    days = f"ICOSETC_{SITE}_FLUXNET_DD_L2.csv"
    ch4 = "FLX_XX-Met_FLUXNET-CH4_DD_2014-2014_1-1.csv"
    badm = Target("FLX_AA-Flx_BIF_MM_20200501.csv", "table", BIF_ROWS, "towers")
    return (
        towers("fluxnet_monthly", one(file, monthly), Target(file, "table", MONTHLY, "towers"), SITE),
        towers("fluxnet_xlsx", workbook, Target(file.replace(".csv", ".xlsx"), "workbook", MONTHLY, "towers", without=("very wide",)), SITE),
        towers("fluxnet_daily", one(days, lambda seed: steps("DD", seed)), Target(days, "table", DAYS, "towers"), SITE),
        towers("fluxnet_half_hourly", one(half, lambda seed: steps("HH", seed)), Target(half, "table", HALF_HOURS, "towers"), SITE),
        towers("fluxnet_extract", one("XX-Ext_MM.csv", lambda seed: synthetic_extract("XX-Ext")),
               Target("XX-Ext_MM.csv", "table", EXTRACT, "towers", without=("in an archive",)), config=TowerSource(use_satellites=True)),
        towers("abcflux", lambda folder, seed: abcflux(seed).to_csv(folder / "ABCflux_v2.csv", index=False, na_rep="NA"),
               Target("ABCflux_v2.csv", "table", ABC, "towers")),
        towers("fluxcourse", lambda folder, seed: collection_samples.fluxcourse().to_csv(folder / "obs_XX-Cou_daily.csv", index=False, na_rep="NA"),
               Target("obs_XX-Cou_daily.csv", "table", FX, "towers"), "XX-Cou"),
        towers("six_forests", lambda folder, seed: collection_samples.six_forests().to_csv(folder / "daily_carbon_uptake.csv", index=False, na_rep="NA"),
               Target("daily_carbon_uptake.csv", "table", SIX, "towers"), "US-Syn", "US-Sy2"),
        towers("fluxnet_ch4", one(ch4, lambda seed: noisy(collection_samples.ch4_daily(), np.random.default_rng(seed)).replace(np.inf, -9999)),
               Target(ch4, "table", CH4, "towers"), "XX-Met"),
        Reader("carbonsense_folder", _with_beside(lambda folder: collection_samples.write_carbonsense_v1(folder, "XX-Sen")), _read,
               (Target(f"{SENSE}/targets.csv", "table", HOURS), Target(f"{SENSE}/predictors.csv", "table", Table(("TA_F", "SW_IN_F", "VPD_F"), stamp="timestamp", missing="")),
                Target(f"{SENSE}/meta.json", "json")), ("XX-Sen",)),
        towers("carbonsense_database", lambda folder, seed: collection_samples.write_carbonsense_sql(folder / "carbonsense_v2.sql"),
               Target("carbonsense_v2.sql", "database", Table(("NEE", "GPP_NT", "RECO_NT")), "towers")),
        towers("fluxnet_zarr", lambda folder, seed: collection_samples.write_store(folder / "fluxnet.zarr", {"XX-Wes": -99.4, "XX-Eas": 8.0}, {"XX-Wes": -6, "XX-Eas": 1}),
               Target("fluxnet.zarr", "store", None, "towers")),
        Reader("sites_csv", lambda folder, seed: (beside(folder, seed, SITE), write_csv(monthly(seed), folder / file)), _read,
               (Target("sites.csv", "table", ABOUT_SITES, "towers"),), (SITE, *BESIDE)),
        Reader("bif_csv", _with_beside(bif), _read, (badm,), (SITE, *BESIDE)),
        Reader("bif_xlsx", _with_beside(bif_workbook), _read,
               (Target("FLX_AA-Flx_BIF_MM_20200501.xlsx", "workbook", BIF_ROWS, "towers", without=("very wide",)),), (SITE, *BESIDE)),
    )  # fmt: skip


def _with_beside(write: Callable[..., object]) -> Callable[[Path, int], None]:
    def build(folder: Path, seed: int) -> None:
        beside(folder, seed)
        if write in (bif, bif_workbook):
            write(folder, seed)
        else:
            write(folder)

    return build


def _read(folder: Path) -> object:
    return read_towers([folder], TowerSource()).dataset
