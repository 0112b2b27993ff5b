"""Statements of BADM/BIF long tables: the variables of one GROUP_ID belong together, and may say since when they hold.

A site states its place or class again when its mast moves or its vegetation changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from dere.ingest.tower.site_ids import resolved

_DATES = ("_DATE", "_DATE_START")
# a spreadsheet writes a date as any number: 20150401.0, 2.0150401e+07
_NUMBER = re.compile(r"\+?\d+(?:\.\d*)?(?:[eE]\+?\d{1,2})?")
_DATE = re.compile(r"((?:18|19|20|21)\d\d)(?:-?(0[1-9]|1[0-2])(?:-?(0[1-9]|[12]\d|3[01])(?:[T ]?\d\d:?\d\d.*)?)?)?")
UNDATED = 0


def since(text: object) -> int:
    """Day from which a statement holds, as YYYYMMDD; ``UNDATED`` where the text is no date.

    Examples
    --------
    "20150401", "2015-04-01", "201504010000" and 20150401.0 are 20150401; "2015" is 20150101.
    """
    stated = str(text).strip()
    if _NUMBER.fullmatch(stated):
        stated = f"{float(stated):.0f}"
    found = _DATE.fullmatch(stated)
    return UNDATED if found is None else int(f"{found[1]}{found[2] or '01'}{found[3] or '01'}")


def statements(
    table: pd.DataFrame, variables: Mapping[str, str], ends: Mapping[str, int] | None, source: str
) -> pd.DataFrame:
    """Statements of all sites.

    Parameters
    ----------
    table
        Columns SITE_ID, VARIABLE, DATAVALUE and, where the file has them, GROUP_ID and VARIABLE_GROUP. Where a variable
        stands in one group again, or there are no groups, its repetition opens the next statement.
    variables
        Variable to column; others are left out.
    ends
        Last day of the data by site, as YYYYMMDD; a site that is not named has no end.
    source
        File name for messages.

    Returns
    -------
    DataFrame
        ``site``, ``source`` (with the day since when the statement holds) and the columns that are stated. Of each site
        the statement with the latest day that is not after the end of its data comes first, of equal ones the last in
        the file; undated ones come after dated ones, and statements from after the end last, the earliest first.
    """
    named = table["VARIABLE"].astype(str).str.strip()
    of_dates = named.str.endswith(_DATES)
    rows = table[(named.isin(variables) | of_dates) & table["SITE_ID"].notna() & table["DATAVALUE"].notna()]
    keys = pd.DataFrame(
        {
            "site": rows["SITE_ID"].astype(str).str.strip().map(resolved),
            "kind": rows["VARIABLE_GROUP"].astype(str) if "VARIABLE_GROUP" in rows else "",
            "group": rows["GROUP_ID"].astype(str) if "GROUP_ID" in rows else "",
            "variable": named[rows.index],
        }
    )
    keys["again"] = keys.groupby(list(keys.columns)).cumcount()
    groups: dict[tuple[object, ...], dict[str, object]] = {}
    for (site, kind, group, variable, again), value in zip(
        keys.itertuples(index=False, name=None), rows["DATAVALUE"], strict=True
    ):
        groups.setdefault((site, kind, group, again), {})[variable] = value
    found: list[dict[str, Any]] = []
    for number, ((site, *_), stated) in enumerate(groups.items()):
        values = {variables[variable]: value for variable, value in stated.items() if variable in variables}
        if values:
            day = max(since(value) for value in [*(v for k, v in stated.items() if k.endswith(_DATES)), ""])
            late = day > (ends or {}).get(str(site), day)
            origin = source if day == UNDATED else f"{source} (since {day})"
            found.append({"site": site, "source": origin, **values, "order": (late, day if late else -day, -number)})
    _join_places(found)
    found.sort(key=lambda statement: (str(statement["site"]), statement["order"]))
    columns = ["site", "source", *dict.fromkeys(variables.values())]
    return pd.DataFrame(found, columns=[*columns, "order"])[columns]


def _join_places(found: Sequence[dict[str, Any]]) -> None:
    """Put the only latitude and the only longitude of a site into one statement, where each row has a group of its own.

    Of several it cannot be known which belong together.
    """
    by_site: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for statement in found:
        of_site = by_site.setdefault(statement["site"], {"lat": [], "lon": []})
        for name, having in of_site.items():
            having += [statement] if name in statement else []
    for of_site in by_site.values():
        if len(of_site["lat"]) == len(of_site["lon"]) == 1:
            (north,), (east,) = of_site["lat"], of_site["lon"]
            north["lon"] = east.pop("lon")
