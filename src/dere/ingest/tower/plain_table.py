"""A plain table of sites: one row per site and month, drivers by their names here, fluxes where there are any.

It has no name of its own, so it is no source of a run: `plain_source` makes one of the files that somebody names. The
same arrays over (site, time) in a NetCDF file are read as that table. Columns are listed in docs/data.md.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.config.towers import TowerSource
from dere.ingest.archives import TableFile, label
from dere.ingest.source import Column, Product, Source, named
from dere.ingest.tables import numeric, read_table, require_columns
from dere.ingest.tower.canonical import canonical
from dere.ingest.tower.claims import claim
from dere.ingest.tower.faults import SiteFault, each_site
from dere.ingest.tower.partial_record import Origin, partial_record
from dere.ingest.tower.record import SiteRecord
from dere.io import read_netcdf
from dere.variables import FLUX_UNIT, MONTHLY8, SATELLITE, VARIABLES

PRODUCT = Product(
    "plain", "plain table of sites", "as its owner says", "its owner", rank=1000, satellites=True
)  # a table that somebody names comes before any product
FLUXES = {"nee": "nee", "gpp": "gpp_nt", "reco": "reco_nt"}
COLUMNS = (
    *(Column(name, name, VARIABLES[name].unit) for name in (*MONTHLY8, *SATELLITE)),
    *(Column(name, variable, FLUX_UNIT) for name, variable in FLUXES.items()),
    Column("nee_quality", "nee_quality", "1"),
)
ABOUT = ("site", "month", "lat", "lon")
"""Columns that must be there; igbp may be."""
NAMES = (".csv", ".csv.gz", ".nc")
_MONTH = re.compile(r"(\d{4})-?(\d{2})(?:-\d{2}.*)?")
_UNIT = re.compile(r"\s*(\w+)\s*(?:[\[(]\s*([^\])]*?)\s*[\])])?\s*")


def plain_source(paths: Iterable[Path], among: Sequence[Source]) -> Source | None:
    """Source of those files that are plain tables; None where none is.

    Parameters
    ----------
    paths
        Files, or folders that hold files.
    among
        Sources that know files by their names; their towers are theirs.
    """
    names = [path.name for path in _candidates(paths) if _is_plain(path, among)]
    if not names:
        return None
    return Source(
        name=PRODUCT.title,
        kind="tower",
        files="named on the command line",
        matches=named(*map(re.escape, names)),
        read=f"{__name__}:read_plain",
        products=(PRODUCT,),
        columns=COLUMNS,
    )


def read_plain(file: TableFile, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """Read a plain table (see :func:`parse_plain`)."""
    table = of_netcdf(Path(str(file))) if file.suffix == ".nc" else read_table(file)
    return parse_plain(table, label(file), config)


def parse_plain(table: pd.DataFrame, source: str, config: TowerSource) -> list[SiteRecord | SiteFault]:
    """One record per site; a site whose rows fail a check is a fault.

    Parameters
    ----------
    table
        A header may state a unit: ``air_temperature [K]``; without one it is that of docs/data.md.
    source
        File name for messages.
    config
        Whose partitioning becomes the label.

    Raises
    ------
    ValueError
        When a column is missing, there are no rows, a row has no site, or every site is at fault.
    """
    table, units = named_alike(table, source)
    if "month" not in table and "time" in table:
        table = table.rename(columns={"time": "month"})
    require_columns(table, ABOUT, source)
    if table.empty:
        raise ValueError(f"{source} has a header and no rows, but one per site and month is expected; write them")
    empty = table["site"].isna() | (table["site"].astype(str).str.strip() == "")
    if empty.any():
        raise ValueError(
            f"{source}: {int(empty.sum())} rows have no site (first: data row {int(np.flatnonzero(empty)[0]) + 1}), "
            "but each needs the id of its site; write it, or remove the rows"
        )
    table = table.assign(site=table["site"].astype(str).str.strip())
    columns = [Column(c.name, c.variable, units.get(c.name) or c.unit, c.sign) for c in COLUMNS]
    by_site = {str(site): rows.reset_index(drop=True) for site, rows in table.groupby("site", sort=True)}
    origin = Origin(PRODUCT, PRODUCT.title, "own", source)

    def read(site: str) -> list[SiteRecord]:
        rows, where = by_site[site], f"{source}: site {site}"
        months = month_numbers(rows["month"], where)
        order = np.argsort(months, kind="stable")
        rows, months = rows.iloc[order].reset_index(drop=True), months[order]
        require_once(months, where)
        counts: dict[str, int] = {}
        there = [column for column in columns if column.name in rows]
        values = canonical(rows, there, where, counts)
        if "nee" in values and "nee_quality" not in values:
            # the owner gives these months as good
            values["nee_quality"] = np.where(np.isfinite(values["nee"]), 1.0, np.nan)
        return [partial_record(site, months, values, origin, _place(rows, where), counts, config)]

    return each_site(by_site, read)


def of_netcdf(path: Path) -> pd.DataFrame:
    """Table of arrays over (site, time); units are those that the variables state.

    Raises
    ------
    ValueError
        When the file has no dimensions site and time.
    """
    dataset = read_netcdf(path)
    if not {"site", "time"} <= set(dataset.sizes):
        raise ValueError(
            f"{path} has the dimensions {', '.join(map(str, dataset.sizes))}, but site and time are expected; rename "
            "them, or write a csv file"
        )
    units = {str(name): str(dataset[name].attrs.get("units", "")) for name in dataset.data_vars}
    wanted = [name for name in dataset.variables if set(dataset[name].dims) <= {"site", "time"}]
    table = dataset[[str(name) for name in wanted]].to_dataframe().reset_index()
    if table["time"].dtype.kind != "M":
        raise ValueError(f"{path}: time holds no dates, but units as 'days since 2000-01-01' are expected; add them")
    table["month"] = table["time"].dt.strftime("%Y-%m")
    known = {column.name for column in COLUMNS}
    return table.drop(columns="time").rename(
        columns={name: f"{name} [{unit}]" for name, unit in units.items() if unit and name in known}
    )


def named_alike(table: pd.DataFrame, source: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """Table with bare names, and the units that the header states.

    Raises
    ------
    ValueError
        When two columns have one name.
    """
    found = {str(name): match for name in table.columns if (match := _UNIT.fullmatch(str(name)))}
    bare = {name: match[1] for name, match in found.items()}
    twice = [name for name in bare.values() if list(bare.values()).count(name) > 1]
    if twice:
        raise ValueError(f"{source} has {twice.count(twice[0])} columns {twice[0]}, but one is expected; remove one")
    return table.rename(columns=bare), {match[1]: match[2] for match in found.values() if match[2]}


def month_numbers(column: pd.Series, where: str) -> NDArray[np.int64]:
    """Month numbers of texts such as 2001-07, 200107 and 2001-07-15."""
    numbers = []
    for text in column.astype(str).str.strip():
        match = _MONTH.fullmatch(text.removesuffix(".0"))
        if match is None or not 1 <= int(match[2]) <= 12:
            raise ValueError(f"{where}: month '{text:.30}' is none; write months as 2001-07")
        numbers.append(int(match[1]) * 12 + int(match[2]) - 1)
    return np.array(numbers, np.int64)


def require_once(months: NDArray[np.int64], where: str) -> None:
    """Check that no month of rising numbers (month,) occurs more than once.

    Raises
    ------
    ValueError
        When one does.
    """
    repeated = months[1:][np.diff(months) == 0]
    if len(repeated):
        first = int(repeated[0])
        raise ValueError(
            f"{where}: month {first // 12}-{first % 12 + 1:02d} occurs more than once, but one row per site and month "
            "is expected; remove the other rows"
        )


def _place(rows: pd.DataFrame, where: str) -> tuple[float, float, str]:
    """Latitude, longitude and IGBP class; a site has one of each."""
    place = []
    for name in ("lat", "lon"):
        values = numeric(rows, name, where)
        values = np.unique(values[np.isfinite(values)])
        if len(values) != 1:
            told = "no number" if not len(values) else f"{values[0]:g} and {values[-1]:g}"
            raise ValueError(f"{where}: column {name} holds {told}, but one number is expected; correct it")
        place.append(float(values[0]))
    texts = rows["igbp"].dropna().astype(str).str.strip() if "igbp" in rows else pd.Series(dtype=str)
    classes = [str(text) for text in texts.unique() if text]
    if len(classes) > 1:
        both = f"{classes[0]} and {classes[1]}"
        raise ValueError(f"{where}: column igbp holds {both}, but one class is expected; correct it")
    return place[0], place[1], classes[0] if classes else ""


def _candidates(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        yield from (file for file in files if file.is_file() and file.name.lower().endswith(NAMES))


def _is_plain(path: Path, among: Sequence[Source]) -> bool:
    """Whether a file is no tower file by its name, and has the columns of a plain table."""
    owner = claim(path.name, False, among)
    if owner is not None and owner.source.kind == "tower":
        return False
    if path.suffix == ".nc":
        return True
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        try:
            header = stream.readline(1 << 16).decode("utf-8-sig", errors="replace")
        except (OSError, EOFError):
            return False
    names = {match[1] for text in re.split(r"[,;\t]", header) if (match := _UNIT.fullmatch(text.strip('"\r\n ')))}
    known = {column.name for column in COLUMNS} & names
    return bool(known) and bool(names & {"site", "month", "time"})
