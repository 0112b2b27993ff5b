"""Builders of small invented (synthetic) files in the real formats."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.towers import TowerSource
from dere.ingest.tower.fluxnet.family import read_family
from dere.ingest.tower.record import SiteRecord
from dere.variables import MONTHLY8, TARGETS, VARIABLES


def read_one(path: Path, config: TowerSource | None = None) -> SiteRecord:
    """Record of one file of the FLUXNET family."""
    return read_family(path, config or TowerSource())[0]


def synthetic_monthly(first_year: int = 2001, years: int = 2, lat: float = 50.0) -> pd.DataFrame:
    """Invented FULLSET MM table with plausible seasons of the hemisphere of ``lat``."""
    months = np.arange(years * 12)
    season = np.cos(2 * np.pi * (months % 12 - 6) / 12) * np.sign(lat)
    gpp = 4 + 4 * season
    reco = 3 + 2 * season
    table = pd.DataFrame({"TIMESTAMP": (first_year + months // 12) * 100 + months % 12 + 1})
    table["NEE_VUT_REF"] = reco - gpp
    table["NEE_VUT_REF_QC"] = 0.9
    table["NEE_VUT_REF_RANDUNC"] = 0.1
    table["NEE_VUT_REF_JOINTUNC"] = 0.2
    table["RECO_NT_VUT_REF"] = reco + 0.01
    table["GPP_NT_VUT_REF"] = gpp
    table["RECO_DT_VUT_REF"] = reco + 0.3
    table["GPP_DT_VUT_REF"] = gpp + 0.3
    drivers = {
        "TA": 8 + 10 * season,
        "SW_IN": 130 + 80 * season,
        "LW_IN": 310 + 30 * season,
        "VPD": 4 + 3 * season,
        "PA": np.full(len(months), 98.0),
        "P": 2 + 0.5 * season,
        "WS": np.full(len(months), 3.0),
    }
    for stem, values in drivers.items():
        table[f"{stem}_F"] = values
        table[f"{stem}_F_QC"] = 1.0
        table[f"{stem}_ERA"] = values + 0.01
    table["CO2_F_MDS"] = 380.0
    table["CO2_F_MDS_QC"] = 0.8
    return table


def stamps(step: str, first: str = "2001-01-01", last: str = "2001-04-01") -> pd.DatetimeIndex:
    """Begins of half hours (HH), hours (HR) or days (DD)."""
    frequency = {"HH": "30min", "HR": "60min", "DD": "1D"}[step]
    return pd.date_range(first, last, freq=frequency, inclusive="left")


def synthetic_finer(step: str, last: str = "2001-04-01", seed: int = 0) -> pd.DataFrame:
    """Invented FULLSET table in steps of HH, HR or DD, columns in another order than in monthly files."""
    rng = np.random.default_rng(seed)
    time = stamps(step, last=last)
    count = len(time)
    hour = time.hour.to_numpy() + time.minute.to_numpy() / 60
    sun = np.maximum(0, np.cos(2 * np.pi * (hour - 12) / 24)) if step != "DD" else np.full(count, 1 / np.pi)
    table = pd.DataFrame(index=range(count))
    for stem, values in {
        "TA": 8 + 5 * sun + rng.normal(0, 1, count),
        "SW_IN": 500 * sun,
        "LW_IN": 300 + rng.normal(0, 5, count),
        "VPD": 3 + 4 * sun,
        "PA": np.full(count, 98.0),
        "P": rng.exponential(0.05 if step != "DD" else 2, count),
        "WS": 3 + sun,
    }.items():
        table[f"{stem}_F"] = values
        table[f"{stem}_F_QC"] = rng.choice([0, 1, 2, 3], count) if step != "DD" else rng.uniform(0, 1, count)
        table[f"{stem}_ERA"] = values + 0.01
    table["CO2_F_MDS"], table["CO2_F_MDS_QC"] = 390 - 5 * sun, 0
    gpp = 12 * sun + rng.normal(0, 1, count)
    reco = 4 + rng.normal(0, 0.5, count)
    for name, factor in (("VUT_REF", 1.0), ("CUT_REF", 1.1), ("VUT_USTAR50", 1.2)):
        table[f"NEE_{name}"] = (reco - gpp) * factor
        table[f"NEE_{name}_QC"] = rng.choice([0, 1, 2, 3], count) if step != "DD" else rng.uniform(0, 1, count)
        table[f"GPP_NT_{name}"], table[f"RECO_NT_{name}"] = gpp * factor, reco * factor
        table[f"GPP_DT_{name}"], table[f"RECO_DT_{name}"] = gpp * factor + 0.2, reco * factor + 0.2
        table[f"NEE_{name}_RANDUNC"] = rng.uniform(0.5, 1.5, count)
        table[f"NEE_{name}_JOINTUNC"] = np.hypot(table[f"NEE_{name}_RANDUNC"], 0.3)
    for k, member in enumerate(("05", "16", "25", "50", "75", "84", "95")):
        table[f"NEE_VUT_{member}"] = reco - gpp + 0.1 * (k - 3)
        table[f"GPP_NT_VUT_{member}"] = gpp - 0.1 * (k - 3)
    if step == "DD":
        table.insert(0, "TIMESTAMP", time.strftime("%Y%m%d").astype(int))
    else:
        table.insert(0, "TIMESTAMP_START", time.strftime("%Y%m%d%H%M").astype(int))
        table.insert(1, "TIMESTAMP_END", (time + time.freq).strftime("%Y%m%d%H%M").astype(int))
    return table


def synthetic_extract(site: str = "XX-Syn", years: int = 2, lat: float = 50.0) -> pd.DataFrame:
    """Invented 44-column extract; LAI of month m is m, stored in the text order of the months."""
    table = synthetic_monthly(years=years, lat=lat)
    table = table.drop(columns=["RECO_NT_VUT_REF", "RECO_DT_VUT_REF", "NEE_VUT_REF_RANDUNC", "NEE_VUT_REF_JOINTUNC"])
    table.insert(0, "Unnamed: 0", np.arange(len(table)))
    table["Site"], table["Lat"], table["Lon"], table["PFT"], table["Climate"] = site, lat, 11.0, "GRA", "Temperate"
    table["RECO"] = table["NEE_VUT_REF"] + table["GPP_NT_VUT_REF"]
    text_order = [1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9]
    table["LAI"] = np.tile(np.array(text_order, dtype=float), years) / 2
    table["EVI"] = np.tile(np.array(text_order, dtype=float), years) / 20
    return table


def flx_name(site: str, first_year: int = 2001, years: int = 2, kind: str = "FULLSET", release: str = "1-4") -> str:
    return f"FLX_{site}_FLUXNET2015_{kind}_MM_{first_year}-{first_year + years - 1}_{release}.csv"


def write_bif(path: Path, sites: dict[str, tuple[float, float, str]], separator: str = ";") -> None:
    """Invented BADM/BIF long table with a Latin-1 site name."""
    rows = ["SITE_ID;GROUP_ID;VARIABLE_GROUP;VARIABLE;DATAVALUE".replace(";", separator)]
    for number, (site, (lat, lon, igbp)) in enumerate(sites.items()):
        for group, variable, value in (
            ("GRP_HEADER", "SITE_NAME", "Hyytiälä"),
            ("GRP_LOCATION", "LOCATION_LAT", lat),
            ("GRP_LOCATION", "LOCATION_LONG", lon),
            ("GRP_LOCATION", "LOCATION_ELEV", 120 + number),
            ("GRP_IGBP", "IGBP", igbp),
            ("GRP_CLIM_AVG", "MAT", 7.5),
            ("GRP_CLIM_AVG", "MAP", 800),
        ):
            rows.append(separator.join(map(str, (site, number, group, variable, value))))
    path.write_bytes(("\n".join(rows) + "\n").encode("latin-1"))


def write_simulation(folder: Path, degrees: float = 30.0, years: int = 2, ages: tuple[int, ...] = (1, 50)) -> None:
    """Invented CarbonGlobe folder on a coarse grid, with pure stands, fractions and monthly8.nc."""
    rng = np.random.default_rng(0)
    mask = np.zeros((int(180 / degrees), int(360 / degrees)), dtype=bool)
    mask[1, 2] = mask[2, 3] = mask[3, 5] = True
    cells = int(mask.sum())
    channels = np.zeros((cells, years, 12, 136), dtype=np.float32)
    channels[..., 0] = 285 + rng.normal(0, 5, (cells, years, 12))
    channels[..., 1] = 62.0
    channels[..., 2:8] = 284.0
    channels[..., 8:32] = 390 + np.arange(24)
    channels[..., 32] = 0.012
    hours = np.arange(24)
    sun = np.maximum(0.0, np.cos(2 * np.pi * (hours - 12) / 24))
    channels[..., 33:129:4] = 0.008 + 1e-4 * hours
    channels[..., 34:129:4] = 280 + 10 * sun
    channels[..., 35:129:4] = 700 * sun
    channels[..., 36:129:4] = 2 + 0.1 * hours
    channels[..., 129:136] = [1e5, 0.45, 0.05, 0.5, 1.4, 0.3, 2000]
    np.save(folder / "mask2d.npy", mask)
    np.save(folder / "glob_X_fea.npy", channels)
    for age in ages:
        for stand in ("", "_BL", "_NL", "_GS"):
            np.save(folder / f"glob_Y{stand}{age:03d}.npy", closed_targets(rng, (cells, years + 1, 12)))
        np.save(folder / f"glob_F{age:03d}.npy", rng.dirichlet([1, 1, 1], size=(cells, years + 1)).astype(np.float32))
    (folder / "meta.json").write_text(json.dumps({"start_year": 2001, "grid_degrees": degrees, "ages": list(ages)}))
    medians = dict(zip(MONTHLY8, (10.0, 2.0, 150.0, 320.0, 5.0, 98.0, 3.0, 390.0), strict=True))
    monthly = xr.Dataset(
        {
            name: (("time", "cell"), np.full((years * 12, cells), medians[name]), {"units": VARIABLES[name].unit})
            for name in MONTHLY8
        },
        attrs={"title": "synthetic"},
    )
    monthly["land_fraction"] = ("cell", np.linspace(0.5, 1.0, cells))
    monthly.to_netcdf(folder / "monthly8.nc")


def closed_targets(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Invented targets in kgC m-2 yr-1 that obey the three identities, shape (*shape, 10)."""
    values = {name: rng.uniform(0.5, 2.0, shape) for name in ("height", "agb", "soil_carbon", "lai", "gpp", "ra", "rh")}
    values["npp"] = values["gpp"] - values["ra"]
    values["nee"] = values["rh"] - values["npp"]
    values["reco"] = values["ra"] + values["rh"]
    return np.stack([values[name] for name in TARGETS], axis=-1).astype(np.float32)


def text(table):
    """A table as csv text."""
    return table.to_csv(index=False)


def put(path, files):
    """Write a zip archive of names and contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return path
