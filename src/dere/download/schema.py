"""What a row of the table of data sets must hold."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import pandas as pd
import pandera.pandas as pa

from dere.download.catalogue import COLUMNS, OPEN, Dataset

_RELATIVE = r"(?!/)(?!.*\.\.(?:/|$))[^\\\x00-\x1f]+"
_HTTPS = r"https://[A-Za-z0-9.-]+(?:/[^\s]*)?"
_LOCATIONS = {
    "": r"",
    "http": r"https://[A-Za-z0-9.-]+/(?:[^\s]*/)?",
    "huggingface": r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+",
    "zenodo": r"\d+",
}


def _text(pattern: str) -> pa.Column:
    return pa.Column(str, pa.Check.str_matches(rf"^(?:{pattern})$"))


def _location_fits(table: pd.DataFrame) -> pd.Series:
    pairs = zip(table["location"], table["service"], strict=True)
    fits = [re.fullmatch(_LOCATIONS.get(service, ".*"), text) is not None for text, service in pairs]
    return pd.Series(fits, index=table.index)


def _names_one_file(table: pd.DataFrame) -> pd.Series:
    """A size or a checksum belongs to one file; plain addresses have no listing, so their names are exact."""
    pattern = table["file"].str.contains(r"[*?\[]")
    braces = table["file"].str.contains("{", regex=False)
    stated = table["size_bytes"].notna() | table["sha256"].ne("")
    return ~(stated & (pattern | braces)) & ~(table["service"].eq("http") & pattern)


SCHEMA = pa.DataFrameSchema(
    {
        "name": _text(r"[a-z][a-z0-9_]*"),
        "version": _text(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        "file": _text(_RELATIVE),
        "access": pa.Column(str, pa.Check.isin([OPEN, "login", "click"])),
        "service": pa.Column(str, pa.Check.isin(list(_LOCATIONS))),
        "location": pa.Column(str),
        "size_bytes": pa.Column("Int64", pa.Check.gt(0), nullable=True),
        "sha256": _text(r"|[0-9a-f]{64}"),
        "folder": _text(r"[A-Za-z0-9][A-Za-z0-9._-]*"),
        "loader": _text(r"|dere\.ingest\.[a-z_.]+"),
        "licence": _text(r"\S.*"),
        "citation": _text(r"\S.*"),
        "doi": _text(r"|10\.\d{4,}/\S+"),
        "landing": _text(_HTTPS),
        "verified": pa.Column(bool),
        "note": pa.Column(str),
    },
    checks=[
        pa.Check(lambda table: table["access"].eq(OPEN) == table["service"].ne(""), error="open rows name a service"),
        pa.Check(_location_fits, error="location fits the service"),
        pa.Check(_names_one_file, error="exact file names for plain addresses, sizes and checksums"),
        pa.Check(
            lambda table: table.groupby(["name", "version"])["folder"].transform("nunique").eq(1),
            error="one folder per version",
        ),
        pa.Check(
            lambda table: table.groupby("folder")["name"].transform("nunique").eq(1), error="one data set per folder"
        ),
    ],
    strict=True,
    ordered=True,
    name="datasets",
)


def check(rows: Sequence[Dataset]) -> pd.DataFrame:
    """Return the table of ``rows`` with columns as in the file.

    Raises
    ------
    ValueError
        When a row breaks the schema, or one file of one version stands in the table twice.
    """
    table = pd.DataFrame([dataclasses.asdict(row) for row in rows], columns=list(COLUMNS))
    table["size_bytes"] = table["size_bytes"].astype("Int64")
    try:
        SCHEMA.validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise ValueError(_sentence(error.failure_cases, rows)) from None
    files = [(row.name, row.version, file) for row in rows for file in row.patterns]
    twice = next((key for key in files if files.count(key) > 1), None)
    if twice:
        raise ValueError(f"datasets.csv names {' '.join(twice)} twice; keep one of the rows")
    return table


def _sentence(cases: pd.DataFrame, rows: Sequence[Dataset]) -> str:
    """Say the first fault, one of a single column before one of several."""
    case = cases.sort_values("schema_context", kind="stable").iloc[0]
    row = rows[int(case["index"])] if pd.notna(case["index"]) else None
    where = f"{row.name} {row.version}" if row else "the table"
    rule = f"the rule '{case['check']}'"
    if case["schema_context"] != "Column":
        return f"datasets.csv: {where} breaks {rule}; correct the row"
    return (
        f"datasets.csv: {where}: {case['column']} holds '{case['failure_case']}', which breaks {rule}; correct the row"
    )
