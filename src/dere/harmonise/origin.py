"""What a file says about its own origin: sources with checksum, version, licence and citation; code; configuration.

The attributes hold no time of day, so that the same inputs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from dere import __version__
from dere.ingest.provenance import SOFTWARE
from dere.invented import WORLD, invented_sources, marked

LONGEST_LIST = 20
"""Files named one by one in an attribute; more are named by the table that lists them."""
TITLES = {
    "drivers": "Drivers and static attributes of the cells",
    "simulation": "Simulated states by stand and age",
    "cover": "Plant-type fractions and stand-age weights of the cells",
    "towers": "Flux towers: labels, drivers, static attributes, plant types, initial states",
    "truth": "True fluxes of the built-in world",
    "splits": "Clusters and folds of cells and sites",
    "known_sites": "Sites that the models know, and the drivers that they have learned from",
}
# what each canonical file is made of
_SOURCES = {
    "drivers": ("simulation", "cover"),
    "simulation": ("simulation",),
    "cover": ("cover",),
    "towers": ("towers", "cover", "simulation"),
    "truth": ("towers", "simulation"),
    "splits": ("towers", "simulation"),
    "known_sites": ("towers", "cover", "simulation"),
}
_INHERITED = ("source_files", "source_versions", "license", "references", "provenance_table")
_NOT_USED = ("ignored", "superseded", "dropped", "passed over", SOFTWARE)


@dataclass(frozen=True)
class Origin:
    """Who wrote the files of a rule, from what.

    Parameters
    ----------
    rule
        Name of the rule.
    code
        Hash of the script and every package file that it runs.
    configuration
        Hash of the rule's sub-tree of the configuration.
    provenance
        ``tables/provenance.csv``.
    table
        SHA-256 of that table.
    invented
        Sources that the built-in world wrote, or its process model.
    """

    rule: str
    code: str
    configuration: str
    provenance: pd.DataFrame
    table: str
    invented: tuple[str, ...] = ()


def used(provenance: pd.DataFrame) -> pd.DataFrame:
    """Rows of the provenance table whose files gave something to the canonical set."""
    rows = provenance
    if "role" in rows:
        rows = rows[~rows["role"].fillna("").astype(str).str.startswith(_NOT_USED)]
    if "dropped" in rows:
        rows = rows[rows["dropped"].fillna("") == ""]
    return rows


def file_attributes(origin: Origin, name: str) -> dict[str, str]:
    """Global attributes of one canonical file.

    Parameters
    ----------
    origin
        See :class:`Origin`.
    name
        File without suffix, a key of ``TITLES``.

    Returns
    -------
    dict
        CF attributes (Conventions, title, source, history, references), ``license`` and the hashes.
    """
    behind = tuple({*_SOURCES[name], *_in_files(used(origin.provenance), _SOURCES[name])})
    invented = [source for source in origin.invented if source.startswith(behind)]
    own = _own_attributes(TITLES[name], origin.rule, origin.code, origin.configuration, invented)
    return own | source_attributes(origin, _SOURCES[name])


def derived_attributes(
    title: str, rule: str, code: str, configuration: str, parents: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """Global attributes of a file made of canonical files.

    Parameters
    ----------
    title, rule, code, configuration
        Of the file; hashes as in :class:`Origin`.
    parents
        Attributes of the canonical files; what they say of their sources is passed on, each text once.
    """
    inherited = {
        name: "; ".join(dict.fromkeys(text for parent in parents for text in parent.get(name, "").split("; ") if text))
        for name in _INHERITED
    }
    own = _own_attributes(title, rule, code, configuration, invented_sources(parents))
    return own | {name: text for name, text in inherited.items() if text}


def _own_attributes(title: str, rule: str, code: str, configuration: str, invented: Sequence[str]) -> dict[str, str]:
    return {
        "Conventions": "CF-1.8",
        "title": title,
        **marked(invented, f"dere {__version__}, rule {rule}"),
        "history": f"written by rule {rule} of dere {__version__}, code {code}",
        "code_hash": code,
        "configuration_hash": configuration,
    }


def source_attributes(origin: Origin, sources: Sequence[str]) -> dict[str, str]:
    """Attributes that name the source files, their versions, licences and citations."""
    table = used(origin.provenance)
    if "source" in table:
        table = table[table["source"].isin(_in_files(table, sources))]
    return {
        "source_files": _files(table, origin.table),
        "source_versions": "; ".join(versions(table)) or "not stated",
        "license": "; ".join(_distinct(table, "licence")) or "not stated",
        "references": "; ".join(_distinct(table, "citation")) or "not stated",
        "provenance_table": f"tables/provenance.csv, sha256 {origin.table}",
    }


def _in_files(table: pd.DataFrame, sources: Sequence[str]) -> set[str]:
    """Sources that have files; without those of a simulation the process model ran on the towers' forcing."""
    present = set(table["source"]) if "source" in table else set()
    return {source if source in present else "towers" for source in sources}


def versions(table: pd.DataFrame) -> list[str]:
    """Product and version of the rows, each once."""
    if not {"product", "version"} <= set(table.columns):
        return []
    pairs = table[["product", "version"]].fillna("").astype(str).drop_duplicates()
    return [f"{row.product} {row.version}".strip() for row in pairs.itertuples()]


def _files(table: pd.DataFrame, checksum: str) -> str:
    """Files with their checksums, or how many there are and which table lists them."""
    if len(table) > LONGEST_LIST:
        return f"{len(table)} files, listed with their checksums in tables/provenance.csv (sha256 {checksum})"
    pairs = zip(table.get("file", []), table.get("sha256", []), strict=False)
    return "; ".join(f"{file} sha256 {digest}" for file, digest in pairs) or "none"


def _distinct(table: pd.DataFrame, column: str) -> list[str]:
    """Texts of a column, each once, in the order of the table."""
    return [text for text in dict.fromkeys(table.get(column, pd.Series(dtype=str)).fillna("").astype(str)) if text]


def built_in_rows(table: pd.DataFrame, sources: Sequence[str]) -> pd.DataFrame:
    """Provenance whose rows of invented sources claim no licence and no citation of the product they imitate.

    Parameters
    ----------
    table
        With ``source``, ``product``, ``licence``, ``citation``, ``version``, ``url``.
    sources
        Those that the built-in world wrote.
    """
    if "source" not in table or not len(table):
        return table
    invented = table["source"].isin(list(sources))
    replaced = table.copy()
    replaced["product"] = table["product"].where(~invented, f"{WORLD}, in the layout of " + table["product"])
    for column, text in (("licence", "none needed (synthetic)"), ("citation", "none needed (synthetic)"), ("url", "")):
        if column in table:
            replaced[column] = table[column].where(~invented, text)
    if "version" in table:
        replaced["version"] = table["version"].where(~invented, f"dere {__version__}")
    return replaced
