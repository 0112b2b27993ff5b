"""Builders of small invented (synthetic) files of the tower collections that are not of the ONEFlux family."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd

from dere.ingest.tower.carbonsense.site import BOUNDS

FACTOR = 12.011e-6 * 86400
QUALITIES = ("nee", "ta", "sw_in", "vpd")


def abcflux(version: int = 2) -> pd.DataFrame:
    """About sixty invented rows in the columns of ABCflux: sums per month, GPP negative, the oddities of 2.5.

    XX-Syn has both partitionings of two years; the misspelt Se-St1 has no stated method and two contributions; a site
    without FLUXNET id, a chamber row and a row without month follow.
    """
    rows: list[dict[str, object]] = []

    def add(reference: str, year: int, month: int, gpp: float, reco: float, **more: object) -> None:
        days = pd.Timestamp(year, month, 1).days_in_month
        rows.append(
            {
                "study_id": f"Synthetic_{reference}", "site_name": f"Kärr {reference}", "site_reference": reference,
                "latitude": 68.35, "longitude": 19.05, "year": year, "month": month,
                "nee": (reco - gpp) * days, "gpp": -gpp * days, "reco": reco * days, "flux_method": "EC",
                "partition_method": "Reichstein", "gap_fill_perc_nee": 40.0, "tair": 5.0, "precip": 2.0 * days,
                "ppfd": 200.0, "extraction_source_co2": "FLUXNET2015", **more,
            }
        )  # fmt: skip

    for index in range(24):
        year, month = 2003 + index // 12, index % 12 + 1
        gpp = 2.5 - 2.4 * np.cos(2 * np.pi * (month - 0.5) / 12)
        add("XX-Syn", year, month, gpp, 2.0)
        add("XX-Syn", year, month, gpp + 0.5, 2.5, partition_method="Lasslop (bulk/day-time partitioning)")
    for month in (6, 7, 8):
        add("Se-St1", 2010, month, 4.0, 2.0, partition_method=None, latitude=68.354, extraction_source_co2="PI")
    add("Se-St1", 2010, 6, 9.0, 2.0, partition_method=None, latitude=68.354, extraction_source_co2="Publication")
    add("Palsa Site", 2011, 7, 3.0, 1.0, partition_method="ANN", gap_fill_perc_nee=-9999, latitude=68.356)
    add("XX-Cha", 2011, 7, 3.0, 1.0, flux_method="Chamber")
    add("XX-Syn", 2005, 1, 1.0, 1.0)
    table = pd.DataFrame(rows)
    table.loc[table.index[-1], "month"] = np.nan
    table.loc[4, "reco"] = -9999
    if version == 1:
        table = table.rename(
            columns={
                "year": "meas_year", "month": "interval_month", "gap_fill_perc_nee": "gap_fill_perc",
                "tair": "tair_int", "precip": "precip_int", "ppfd": "par_ppfd",
                "extraction_source_co2": "extraction_source",
            }
        )  # fmt: skip
    return table


def ch4_daily(first_year: int = 2014, years: int = 1) -> pd.DataFrame:
    """Invented FLUXNET-CH4 daily table in umol m-2 s-1; the first ten days of March are a gap, one GPP is infinite."""
    days = pd.date_range(f"{first_year}-01-01", f"{first_year + years - 1}-12-31")
    season = -np.cos(2 * np.pi * (days.dayofyear.to_numpy() - 10) / 365)
    table = pd.DataFrame({"TIMESTAMP": days.strftime("%Y%m%d").astype(int)})
    table["GPP_NT"] = 2 + 1.8 * season
    table["NEE_F"] = 1.5 - table["GPP_NT"]
    table["NEE"] = table["NEE_F"].where(np.arange(len(days)) % 4 > 0, -9999)
    table["RECO_NT"] = table["NEE_F"] + table["GPP_NT"]
    table["GPP_DT"], table["RECO_DT"] = table["GPP_NT"] + 0.2, table["RECO_NT"] + 0.2
    gap = (days.month == 3) & (days.day <= 10)
    table.loc[gap, ["NEE_F", "NEE", "GPP_NT", "RECO_NT"]] = -9999
    table.loc[200, "GPP_NT"] = np.inf
    weather = {"TA_F": 5 + 12 * season, "SW_IN_F": 120 + 100 * season, "LW_IN_F": 300.0, "VPD_F": 3.0, "PA_F": 99.0}
    for name, values in {**weather, "P_F": 1.5, "WS_F": 2.0, "FCH4_F": 30.0}.items():
        table[name] = values
    return table


def ch4_half_hourly(year: int = 2014) -> pd.DataFrame:
    """Invented FLUXNET-CH4 half-hourly table of one year; every second half hour is measured."""
    begin = pd.date_range(f"{year}-01-01", f"{year}-12-31 23:30", freq="30min")
    sun = np.maximum(0, np.cos(2 * np.pi * (begin.hour + begin.minute / 60 - 12) / 24))
    table = pd.DataFrame({"TIMESTAMP_START": begin.strftime("%Y%m%d%H%M").astype(int)})
    table["TIMESTAMP_END"] = (begin + pd.Timedelta("30min")).strftime("%Y%m%d%H%M").astype(int)
    table["GPP_NT"] = 8 * sun
    table["NEE_F"] = 2 - table["GPP_NT"]
    table["NEE"] = table["NEE_F"].where(np.arange(len(begin)) % 2 == 0, -9999)
    table["RECO_NT"] = 2.0
    weather = {"TA_F": 5 + 5 * sun, "SW_IN_F": 500 * sun, "LW_IN_F": 300.0, "VPD_F": 3.0, "PA_F": 99.0, "WS_F": 2.0}
    for name, values in {**weather, "P_F": 0.05}.items():
        table[name] = values
    return table


def fluxcourse(days: int = 366) -> pd.DataFrame:
    """Invented daily table: six significant digits, as ONEFlux writes them, times 1.0368; the first day is missing."""
    dates = pd.date_range("2004-01-01", periods=days)
    rng = np.random.default_rng(3)
    gpp = np.array([float(f"{value:.6g}") for value in rng.uniform(0.5, 9, days)])
    reco = np.array([float(f"{value:.6g}") for value in rng.uniform(0.5, 6, days)])
    nee = np.array([float(f"{value:.6g}") for value in reco - gpp])
    table = pd.DataFrame({"date": dates.strftime("%Y-%m-%d")})
    for name, values in {"NEE": nee, "GPP": gpp, "RECO": reco}.items():
        table[f"{name}_gC_m2_day"] = values * 1.0368
    table.iloc[0, 1:] = np.nan
    return table


def six_forests() -> pd.DataFrame:
    """Invented table of two sites; the leap year has day 366."""
    tables = []
    for site, level in (("US.Syn", 3.0), ("US.Sy2", 5.0)):
        table = pd.DataFrame({"site": site, "year": 2004, "doy": np.arange(1, 367)})
        for threshold, shift in (("U05", -0.1), ("U50", 0.0), ("U95", 0.1)):
            table[f"GPP_{threshold}"] = level + shift
            table[f"NEE_{threshold}"] = 1.0 - level
            table[f"Reco_{threshold}"] = 1.0 + shift
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def hourly(names: dict[str, str], days: int = 31) -> pd.DataFrame:
    """Invented hours of January 2010: ``names`` maps quantities to columns."""
    begin = pd.date_range("2010-01-01", periods=24 * days, freq="h")
    sun = np.maximum(0, np.cos(2 * np.pi * (begin.hour - 12) / 24))
    values = {
        "TA": 5 + 5 * sun, "P": np.full(len(begin), 0.1), "SW_IN": 400 * sun, "LW_IN": np.full(len(begin), 300.0),
        "VPD": 2 + sun, "PA": np.full(len(begin), 98.0), "WS": 2 + sun, "CO2": np.full(len(begin), 400.0),
        "NEE": 2 - 8 * sun, "GPP_NT": 8 * sun, "GPP_DT": 7 * sun, "RECO_NT": np.full(len(begin), 2.0),
        "RECO_DT": np.full(len(begin), 2.2),
    }  # fmt: skip
    table = pd.DataFrame({names.get(name, name): column for name, column in values.items()})
    table.insert(0, "timestamp", begin)
    return table


V1_NAMES = {
    "TA": "TA_F", "P": "P_F", "SW_IN": "SW_IN_F", "LW_IN": "LW_IN_F", "VPD": "VPD_F", "PA": "PA_F", "WS": "WS_F",
    "CO2": "CO2_F_MDS", "NEE": "NEE_VUT_REF", "GPP_NT": "GPP_NT_VUT_REF", "GPP_DT": "GPP_DT_VUT_REF",
    "RECO_NT": "RECO_NT_VUT_REF", "RECO_DT": "RECO_DT_VUT_REF",
}  # fmt: skip


def scale(table: pd.DataFrame) -> pd.DataFrame:
    """Scale weather columns as the public pipeline does."""
    scaled = table.copy()
    for name in scaled.columns:
        if name in BOUNDS:
            low, high = BOUNDS[name]
            scaled[name] = (scaled[name] - (low + high) / 2) / (high - low)
    return scaled


def write_carbonsense_v1(folder: Path, site: str = "XX-Syn", period: str = "2010-01-01_2010-12-31") -> Path:
    """Invented folder of v1 below ``carbonsense``: NEE measured by day only, weather scaled; a pickle beside it."""
    table = scale(hourly(V1_NAMES))
    table.loc[table["timestamp"].dt.hour % 24 < 8, "NEE_VUT_REF"] = np.nan
    inside = folder / "carbonsense" / site / period
    inside.mkdir(parents=True)
    targets = ["timestamp", *(c for c in table if c.endswith("VUT_REF"))]
    form = "%Y-%m-%d %H:%M:%S"
    table[targets].to_csv(inside / "targets.csv", index=False, date_format=form)
    table.drop(columns=targets[1:]).to_csv(inside / "predictors.csv", index=False, date_format=form)
    about = {"SITE_ID": site, "LOCATION_LAT": 50.0, "LOCATION_LON": 8.0, "LOCATION_ELEV": None, "IGBP": "ENF"}
    (inside / "meta.json").write_text(json.dumps(about))
    # a pickle that would create a file if anybody opened it
    (inside / "modis.pkl").write_bytes(b"cos\nsystem\n(S'touch " + str(folder / "opened").encode() + b"'\ntR.")
    return folder / "carbonsense" / site


def carbonsense_rows(half_hourly: bool = False) -> pd.DataFrame:
    """Invented rows of ``ec_data``: columns of v2, weather scaled, integer stamps, two sites."""
    table = scale(hourly({}))
    if half_hourly:
        later = table.assign(timestamp=table["timestamp"] + pd.Timedelta("30min"))
        table = pd.concat([table, later]).sort_values("timestamp", ignore_index=True)
    table["timestamp"] = table["timestamp"].dt.strftime("%Y%m%d%H%M").astype(int)
    first = table.assign(site="XX-Syn")
    second = table.assign(site="XX-Sy2", NEE=table["NEE"] + 1, RECO_NT=table["RECO_NT"] + 1)
    rows = pd.concat([first, second], ignore_index=True)
    rows.loc[5, "GPP_NT"] = 1e4
    return rows


def write_carbonsense_sql(path: Path, rows: pd.DataFrame | None = None) -> Path:
    """Invented database with the four tables of v2."""
    rows = carbonsense_rows() if rows is None else rows
    with sqlite3.connect(path) as connection:
        columns = ", ".join(f'"{name}" REAL' for name in rows.columns if name not in ("site", "timestamp"))
        connection.execute(
            f"CREATE TABLE ec_data (id INTEGER PRIMARY KEY, site TEXT NOT NULL, timestamp INTEGER NOT NULL, {columns})"
        )
        connection.execute("CREATE TABLE modis_data (id INTEGER PRIMARY KEY, row_id INTEGER, data BLOB)")
        connection.execute("CREATE TABLE phenocam_data (id INTEGER PRIMARY KEY, row_id INTEGER, files TEXT)")
        connection.execute("CREATE TABLE site_data (site TEXT PRIMARY KEY, lat REAL, lon REAL, elev REAL, igbp TEXT)")
        rows.to_sql("ec_data", connection, if_exists="append", index=False)
        connection.executemany(
            "INSERT INTO site_data VALUES (?, ?, ?, ?, ?)",
            [("XX-Syn", 50.0, 8.0, 100.0, "ENF"), ("XX-Sy2", 51.0, 9.0, None, None)],
        )
    connection.close()
    return path


def write_store(path: Path, sites: dict[str, float], offset_hours: dict[str, int]) -> Path:
    """Invented Zarr v2 store as published: packed uint16, ends of half hours in UTC, two months of 2010 per site.

    ``sites`` maps ids to longitudes; a site without an entry in ``offset_hours`` has no data.
    """
    import zarr

    start = np.datetime64("2009-12-31T00:30", "m")
    count = 48 * 62
    group = zarr.open_group(path, mode="w", zarr_format=2)
    time = group.create_array("time", data=np.arange(count, dtype="<i8") * 30)
    time.attrs.update({"units": "minutes since 2009-12-31 00:30:00", "calendar": "proleptic_gregorian"})
    ids = np.array(list(sites), dtype="<U6")
    group.create_array("site", data=ids)
    ends = start + (np.arange(count) * 30).astype("timedelta64[m]")
    packed: dict[str, tuple[str, float, float]] = {
        "nee": ("umolCO2 m-2 s-1", 0.001, -20.0), "gpp_nt": ("umolCO2 m-2 s-1", 0.001, -20.0),
        "gpp_dt": ("umolCO2 m-2 s-1", 0.001, 0.0), "ta": ("degC", 0.001, -30.0), "sw_in": ("W m-2", 0.02, 0.0),
        "vpd": ("hPa", 0.001, 0.0), **{f"{name}_qc": ("", 4.577916132576451e-05, 0.0) for name in QUALITIES},
    }  # fmt: skip
    stored = {name: np.full((len(sites), count), 65535, np.uint16) for name in packed}
    for row, site in enumerate(sites):
        if site not in offset_hours:
            continue
        local = ends - np.timedelta64(30, "m") + np.timedelta64(offset_hours[site], "h")
        inside = (local >= np.datetime64("2010-01-01")) & (local < np.datetime64("2010-03-01"))
        hour = ((local - local.astype("datetime64[D]")) / np.timedelta64(1, "h")).astype(float)
        sun = np.maximum(0, np.cos(2 * np.pi * (hour - 12) / 24))
        values = {
            "nee": 2 - 8 * sun, "gpp_nt": 8 * sun, "gpp_dt": 7 * sun, "ta": 5 + 5 * sun, "sw_in": 500 * sun,
            "vpd": 3 + sun, "nee_qc": np.arange(count) % 4, "ta_qc": 0 * sun, "sw_in_qc": 0 * sun,
            "vpd_qc": 2 + 0 * sun,
        }  # fmt: skip
        for name, (_, factor, add) in packed.items():
            whole = np.round((values[name] - add) / factor).astype(np.uint16)
            stored[name][row] = np.where(inside, whole, 65535)
    for name, (unit, factor, add) in packed.items():
        array = group.create_array(name, data=stored[name], chunks=(1, count), fill_value=65535)
        array.attrs.update({"scale_factor": factor, "add_offset": add, "_ARRAY_DIMENSIONS": ["site", "time"]})
        if unit:
            array.attrs["units"] = unit
    for name, values in (("latitude", [45.0] * len(sites)), ("longitude", list(sites.values()))):
        whole = np.round((np.array(values) + 180) / 0.01).astype(np.uint16)
        array = group.create_array(name, data=whole, fill_value=65535)
        array.attrs.update({"scale_factor": 0.01, "add_offset": -180.0, "units": "degrees"})
    return path


def write_collections(folder: Path) -> Path:
    """A file of each collection beside each other, and a table that places their sites."""
    abcflux().to_csv(folder / "Arctic_Boreal_CO2_Flux_V2.csv", index=False, encoding="latin-1", na_rep="NA")
    ch4_daily().to_csv(folder / "FLX_XX-Met_FLUXNET-CH4_DD_2014-2014_1-1.csv", index=False)
    fluxcourse().to_csv(folder / "obs_XX-Cou_daily.csv", index=False, na_rep="NA")
    six_forests().to_csv(folder / "daily_carbon_uptake.csv", index=False, na_rep="NA")
    write_carbonsense_v1(folder, "XX-Sen")
    write_carbonsense_sql(folder / "carbonsense_v2.sql")
    write_store(folder / "fluxnet.zarr", {"XX-Wes": -99.4}, {"XX-Wes": -6})
    places = [f"{site},50,8,GRA" for site in ("XX-Met", "XX-Cou", "US-Syn", "US-Sy2")]
    (folder / "sites.csv").write_text("\n".join(["site,lat,lon,igbp", *places]) + "\n")
    return folder
