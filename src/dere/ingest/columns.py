"""What each source calls a quantity, and in which unit: every column, channel and array that a reader takes.

This is the sources' side of ``dere.variables``. It stands here and not there, because every rule imports the variable
table: a further spelling of a column must not train a network again. Columns without a variable of the table are
bookkeeping (time, place, quality, uncertainty); their note says what they serve for. A test follows the readers and
finds each column that they take in this table, and each unit among those that convert to the canonical one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from dere.variables import FLUX_UNIT


class Column(NamedTuple):
    """One column of a source.

    Parameters
    ----------
    pattern
        Regular expression of its name.
    variable
        Canonical name in ``dere.variables.VARIABLES``; empty = bookkeeping.
    unit
        Unit there; units "... month-1" are sums over a month and divided by its days, "mm step-1" by the step.
    note
        Sign, meaning, or what a bookkeeping column serves for.
    """

    pattern: str
    variable: str
    unit: str
    note: str = ""


_UMOL = "umolCO2 m-2 s-1"
_THRESHOLD = "(VUT|CUT)_(REF|USTAR50)"
_MEMBER = "(VUT|CUT)_(05|16|25|50|75|84|95)"


def _oneflux(flux: str, rain: str) -> tuple[Column, ...]:
    """Columns of the FLUXNET family; only the unit of fluxes and rain depends on the step."""
    return (
        Column(f"NEE_({_THRESHOLD}|{_MEMBER})", "nee", flux, "positive to the atmosphere"),
        Column(f"GPP_(NT|DT)_({_THRESHOLD}|{_MEMBER})", "gpp", flux),
        Column(f"RECO_(NT|DT)_({_THRESHOLD}|{_MEMBER})", "reco", flux),
        Column(f"NEE_{_THRESHOLD}_(JOINTUNC|RANDUNC)", "", flux, "standard deviation of NEE, carried as uncertainty"),
        Column(f"NEE_{_THRESHOLD}_QC", "", "1", "share measured or well filled; of half hours 0 measured to 3 poor"),
        Column("TA_(F|ERA)", "air_temperature", "degC"),
        Column("P_(F|ERA)", "precipitation", rain),
        Column("SW_IN_(F|ERA)", "shortwave", "W m-2"),
        Column("LW_IN_(F|ERA)", "longwave", "W m-2"),
        Column("VPD_(F|ERA)", "vpd", "hPa"),
        Column("PA_(F|ERA)", "pressure", "kPa"),
        Column("WS_(F|ERA)", "wind", "m s-1"),
        Column("CO2_(F_MDS|ERA)", "co2", "umol mol-1"),
        Column("(TA|P|SW_IN|LW_IN|VPD|PA|WS)_F_QC|CO2_F_MDS_QC", "", "1", "quality of a driver"),
        Column("TIMESTAMP(_START|_END)?", "", "1", "local standard time, YYYYMM to YYYYMMDDHHMM"),
    )


_SITE = (
    Column("(?i)site(_?id)?|SITE_ID", "", "1", "name of the site"),
    Column("(?i)(location_)?(lat|latitude)", "", "degrees_north", "place"),
    Column("(?i)(location_)?(lon|long|longitude)", "", "degrees_east", "place"),
    Column("(?i)(location_)?elev(ation)?", "", "m", "static attribute"),
    Column("(?i)igbp.*|pft", "", "1", "vegetation class"),
    Column("(?i)koe?ppen|climate_koe?ppen", "", "1", "climate class"),
    Column("(?i)mat", "", "degC", "mean annual temperature, read and not used"),
    Column("(?i)map", "", "mm yr-1", "annual precipitation, read and not used"),
    Column("(?i)utc_offset", "", "h", "local standard time against UTC"),
)
_AGES = Column(r"weight_\d+", "age_weight", "1", "one per stand age of the run, sums to 1")
_LAYERS = Column(
    "TREES-(BD|BE|ND|NE)|SHRUBS-(BD|BE|ND|NE)|GRASS-(NAT|MAN)|BARE|BUILT|WATER|SNOWICE", "plant_fraction", "%",
    "fourteen layers that sum to 100",
)  # fmt: skip

COLUMNS: dict[str, tuple[Column, ...]] = {
    "fluxnet monthly and daily": _oneflux(FLUX_UNIT, "mm d-1"),
    "fluxnet half-hourly": _oneflux(_UMOL, "mm step-1"),
    "fluxnet extract": (
        *_oneflux(FLUX_UNIT, "mm d-1"),
        Column("LAI", "lai_satellite", "m2 m-2", "months stand in text order"),
        Column("EVI", "evi_satellite", "1", "months stand in text order"),
        Column("Site|Lat|Lon|PFT|Climate", "", "1", "name, place and classes of the site"),
    ),
    "bif": (
        Column("SITE_ID|VARIABLE|DATAVALUE|GROUP_ID|VARIABLE_GROUP", "", "1", "long table of statements about sites"),
        Column("LOCATION_(LAT|LONG|ELEV)|IGBP|MAT|MAP|UTC_OFFSET|CLIMATE_KOEPPEN|DOI", "", "1", "names of VARIABLE"),
    ),
    "sites": (*_SITE, Column("(?i)doi|(product_)?citation", "", "1", "what to cite of the site")),
    "citations": (Column("site_id|doi|citation", "", "1", "what to cite of the site"),),
    "abcflux": (
        Column("nee", "nee", "gC m-2 month-1", "positive to the atmosphere"),
        Column("gpp", "gpp", "gC m-2 month-1", "stored negative"),
        Column("reco", "reco", "gC m-2 month-1"),
        Column("tair(_int)?", "air_temperature", "degC"),
        Column("precip(_int)?", "precipitation", "mm month-1"),
        Column("gap_fill_perc(_nee)?", "", "%", "share that was filled, the opposite of quality"),
        Column("meas_year|year|interval_month|month", "", "1", "the month"),
        Column("site_name|site_reference|latitude|longitude", "", "1", "site and place"),
        Column("flux_method|partition_method|extraction_source(_co2)?", "", "1", "which rows count"),
    ),
    "carbonsense": (
        Column("NEE(_VUT_REF)?", "nee", _UMOL, "positive to the atmosphere"),
        Column("GPP_(NT|DT)(_VUT_REF)?", "gpp", _UMOL),
        Column("RECO_(NT|DT)(_VUT_REF)?", "reco", _UMOL),
        Column("TA(_F)?", "air_temperature", "degC"),
        Column("P(_F)?", "precipitation", "mm step-1"),
        Column("SW_IN(_F)?", "shortwave", "W m-2"),
        Column("LW_IN(_F)?", "longwave", "W m-2"),
        Column("VPD(_F)?", "vpd", "hPa"),
        Column("PA(_F)?", "pressure", "kPa"),
        Column("WS(_F)?", "wind", "m s-1"),
        Column("CO2(_F_MDS)?", "co2", "umol mol-1"),
        Column("timestamp|TIMESTAMP_START|DOY|TOD", "", "1", "begin of the hour"),
        Column("site|lat|lon|elev|igbp|SITE_ID|LOCATION_LAT|LOCATION_LON|IGBP", "", "1", "site and place"),
    ),
    "fluxnet zarr": (
        Column("nee", "nee", _UMOL, "positive to the atmosphere"),
        Column("gpp.*", "gpp", _UMOL),
        Column("reco.*", "reco", _UMOL),
        Column("ta", "air_temperature", "degC"),
        Column("sw_in", "shortwave", "W m-2"),
        Column("vpd", "vpd", "hPa"),
        Column("(nee|ta|sw_in|vpd)_qc", "", "1", "0 measured to 3 poor"),
        Column("site|time|latitude|longitude", "", "1", "axes and place"),
    ),
    "fluxnet-ch4": (
        Column("NEE(_F)?", "nee", _UMOL, "positive to the atmosphere; NEE without _F serves as quality"),
        Column("GPP_(NT|DT)", "gpp", _UMOL),
        Column("RECO_(NT|DT)", "reco", _UMOL),
        Column("TA_F", "air_temperature", "degC"),
        Column("P_F", "precipitation", "mm step-1"),
        Column("SW_IN_F", "shortwave", "W m-2"),
        Column("LW_IN_F", "longwave", "W m-2"),
        Column("VPD_F", "vpd", "hPa"),
        Column("PA_F", "pressure", "kPa"),
        Column("WS_F", "wind", "m s-1"),
        Column("TIMESTAMP(_START)?", "", "1", "local standard time"),
    ),
    "six forests": (
        Column("NEE_U50", "nee", FLUX_UNIT, "positive to the atmosphere"),
        Column("GPP_U50", "gpp", FLUX_UNIT),
        Column("Reco_U50", "reco", FLUX_UNIT),
        Column("site|year|doy", "", "1", "site and day"),
    ),
    "fluxcourse": (
        Column("NEE_gC_m2_day", "nee", FLUX_UNIT, "positive to the atmosphere"),
        Column("GPP_gC_m2_day", "gpp", FLUX_UNIT),
        Column("RECO_gC_m2_day", "reco", FLUX_UNIT),
        Column("date", "", "1", "the day"),
    ),
    "esa cci": (_LAYERS, Column("lat|lon|time", "", "1", "axes")),
    "site plant types": (_LAYERS, Column("SITE_ID|year", "", "1", "site and year")),
    "age weights": (_AGES, Column("SITE_ID|lat|lon", "", "1", "site or place")),
    "gfad": (Column("age", "age_weight", "1", "share of a cell by ten-year class and forest type; fill -9999"),),
    "mpi-bgc forest age": (
        Column("ForestAge_TC0[0-3]0", "age_weight", "yr", "age of a pixel, saturating near 300; counted into weights"),
    ),
    "carbonglobe targets": (
        Column("height", "height", "m"),
        Column("agb", "agb", "kgC m-2"),
        Column("soil_carbon", "soil_carbon", "kgC m-2"),
        Column("lai", "lai", "m2 m-2"),
        *(Column(name, name, "kgC m-2 yr-1") for name in ("gpp", "npp", "rh", "nee", "ra", "reco")),
    ),
    "carbonglobe channels": (
        Column("0", "air_temperature", "K"),
        Column("1", "precipitation", "mm month-1"),
        Column("[2-7]", "", "K", "soil temperature of six layers"),
        Column("([89]|[12][0-9]|3[01])", "co2", "ppm", "mean by hour of day"),
        Column("32", "", "yr-1", "disturbance rate"),
        Column("diurnal 0", "", "kg kg-1", "specific humidity by hour, channels 33 + 4 h"),
        Column("diurnal 1", "air_temperature", "K", "by hour, channels 34 + 4 h"),
        Column("diurnal 2", "shortwave", "W m-2", "by hour, channels 35 + 4 h"),
        Column("diurnal 3", "wind", "m s-1", "by hour, channels 36 + 4 h"),
        Column("129|13[0-5]", "", "1", "soil hydraulics (mm yr-1, m3 m-3, 1) and depth to bedrock (mm)"),
    ),
    "dere arrays": (
        Column("x_.*", "", "1", "drivers: the 136 channels of CarbonGlobe, or 1632 feature-major"),
        Column("y_.*", "", "1", "states: the ten targets of CarbonGlobe"),
        Column("(train|test)_pft_.*|ESA_.*", "plant_fraction", "1"),
        Column("AgeWeight_.*", "age_weight", "1"),
        Column("InSitu_(train|test)(_imputation|_std)?", "", "kgC m-2 yr-1", "GPP, RECO, NEE of towers"),
        Column("Tree_Cover_.*", "", "1", "meaning unknown, not used"),
    ),
}
"""Format to its columns; the first pattern that fits a name counts."""


def find(form: str, name: str) -> Column | None:
    """Column of a format by its name there; None where the table has none."""
    return next((column for column in COLUMNS[form] if re.fullmatch(column.pattern, name)), None)


def unknown(form: str, names: Iterable[str]) -> list[str]:
    """Names that the table lacks."""
    return sorted({name for name in names if find(form, name) is None})
