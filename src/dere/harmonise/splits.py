"""Who trains, validates and tests: clusters first, then folds, before any windowing.

Towers closer than a distance, and twins of one station under two codes, form a cluster and share a fold; cells share
one in blocks of some degrees. The role follows from the run's fold k: test = k, validation = k + 1, the rest trains.
Of several assignments of clusters to folds each has a column; fold a * folds + k is fold k of assignment a. One more
fold than these tests nobody: what is fitted in it has learned from all towers.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dere.ingest.distance import distance_km

COLUMNS = ("id", "kind", "cluster", "fold", "lat", "lon", "cell")
KEPT = "kept_"
"""Begins the columns that a learning curve adds (`dere.harmonise.learning_curve`): 1 = the fold may learn from it."""
STRICTNESS = {"training": 0, "validation": 1, "test": 2}
TWINS = (("DK-ZaH", "GL-ZaH"), ("DK-ZaF", "GL-ZaF"), ("DK-NuF", "GL-NuF"), ("NO-Adv", "SJ-Adv"), ("NO-Blv", "SJ-Blv"))
"""Stations that circulate under two codes (docs/data.md#rules); they share a fold even if one is misplaced."""


def site_clusters(ids: Sequence[str], lat: NDArray, lon: NDArray, cluster_km: float) -> list[str]:
    """Cluster name of each site: sites linked by steps shorter than ``cluster_km``, and twins, share one.

    A cluster is named after its alphabetically first site.
    """
    parent = list(range(len(ids)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    near = np.argwhere(np.triu(distance_km(lat, lon) < cluster_km, 1))
    place = {_plain(name): index for index, name in enumerate(ids)}
    twins = [(place[_plain(a)], place[_plain(b)]) for a, b in TWINS if _plain(a) in place and _plain(b) in place]
    # the same code spelt with another separator (US.Ha1, US-Ha1) is one station too
    spelt = [(index, place[_plain(name)]) for index, name in enumerate(ids)]
    for first, second in [*near.tolist(), *twins, *spelt]:
        parent[root(first)] = root(second)
    members: dict[int, list[str]] = {}
    for index, name in enumerate(ids):
        members.setdefault(root(index), []).append(name)
    return [f"site {min(members[root(index)])}" for index in range(len(ids))]


def cell_blocks(lat: NDArray, lon: NDArray, block_degrees: float) -> list[str]:
    """Block name of each cell: a regular lattice of ``block_degrees`` from the north-west corner."""
    rows = np.floor((90.0 - np.asarray(lat, float)) / block_degrees).astype(int)
    columns = np.floor((np.asarray(lon, float) + 180.0) / block_degrees).astype(int)
    return [f"block {row} {column}" for row, column in zip(rows, columns, strict=True)]


def assign_folds(cluster: Sequence[str], stratum: Sequence[Hashable], folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of each member, constant within a cluster, balanced in number and, as well as possible, in strata.

    Large clusters go first; each goes to the fold that holds the fewest members of its strata, among the folds with at
    most one member more than the emptiest. So the sizes differ by no more than the largest cluster plus one.

    Raises
    ------
    ValueError
        When there are fewer clusters than folds.
    """
    table = pd.DataFrame({"cluster": list(cluster), "stratum": [str(name) for name in stratum]})
    counts = table.groupby("cluster")["stratum"].value_counts().unstack(fill_value=0).astype(int)
    if len(counts) < folds:
        raise ValueError(
            f"there are {len(counts)} clusters of sites or cells, but splits.folds is {folds}; give more sites, lower "
            "splits.folds, or lower splits.cluster_km or splits.block_degrees"
        )
    generator = np.random.default_rng(seed)
    size = counts.to_numpy().sum(1)
    order = generator.permutation(len(counts))
    order = order[np.argsort(-size[order], kind="stable")]
    held = np.zeros((folds, counts.shape[1]), int)
    chosen = np.empty(len(counts), np.int64)
    for index in order:
        row = counts.to_numpy()[index]
        total = held.sum(1)
        open_folds = np.flatnonzero(total <= total.min() + 1)
        # an empty fold comes first, so that no fold stays empty
        overlap = np.where(total[open_folds] == 0, -1, held[open_folds] @ row)
        best = np.lexsort((generator.random(len(open_folds)), total[open_folds], overlap))[0]
        chosen[index] = open_folds[best]
        held[chosen[index]] += row
    return pd.Series(chosen, index=counts.index).loc[table["cluster"]].to_numpy()


def published_every_fourth(cell: NDArray, columns: int) -> NDArray[np.int64]:
    """Fold of each cell under the published split by position on the grid (docs/data.md#simulations).

    Test (fold 0) is every eighth row and column with offset two, training every fourth with offset zero; a tenth of
    the training cells, evenly spread, validates (fold 1, as in run fold 0). The other cells are in no set (-1).

    Parameters
    ----------
    cell
        (cell,) row-major index on the grid.
    columns
        Columns of the grid.
    """
    row, column = np.divmod(np.asarray(cell), columns)
    fold = np.full(len(row), -1, np.int64)
    training = np.flatnonzero((row % 4 == 0) & (column % 4 == 0))
    fold[training] = 2
    fold[training[::10]] = 1
    fold[(row % 8 == 2) & (column % 8 == 2)] = 0
    return fold


def published_roles(role: NDArray) -> NDArray[np.int64]:
    """Fold of each cell whose role in the published split is stored with it, as `published_every_fourth` numbers them.

    Without cells of role ``val`` a tenth of the training cells, evenly spread, validates.

    Parameters
    ----------
    role
        (cell,) train, val or test; anything else is in no set (-1).
    """
    role = np.asarray(role).astype(str)
    fold = np.select([role == "test", role == "val", role == "train"], [0, 1, 2], -1)
    if not (fold == 1).any():
        fold[np.flatnonzero(fold == 2)[::10]] = 1
    return fold


def fold_column(assignment: int) -> str:
    """Name of the column with the folds of an assignment.

    Examples
    --------
    >>> fold_column(0), fold_column(2)
    ('fold', 'fold_2')
    """
    return f"fold_{assignment}" if assignment else "fold"


def kept_in(fold: int) -> str:
    """Name of the column that says which towers a fold may learn from."""
    return f"{KEPT}{fold}"


def fold_columns(table: pd.DataFrame) -> list[str]:
    """Names of the columns with folds, one per assignment, in order."""
    found = [name for name in table.columns if re.fullmatch(r"fold(_[1-9]\d*)?", str(name))]
    return sorted(found, key=lambda name: (len(name), name))


def folds_of_assignment(table: pd.DataFrame) -> int:
    """Number of folds of one assignment."""
    return int(table["fold"].max()) + 1


def all_folds(table: pd.DataFrame) -> int:
    """Number of folds of all assignments."""
    return folds_of_assignment(table) * len(fold_columns(table))


def split_table(sites: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Join sites and cells into one checked table.

    Parameters
    ----------
    sites, cells
        ``id``, ``cluster``, ``fold``, ``lat``, ``lon``, ``cell`` (of a site: the cell that holds it, -1 = none), and
        ``fold_1``, ``fold_2``, ... of further assignments.
    """
    table = pd.concat([cells.assign(kind="cell"), sites.assign(kind="site")], ignore_index=True)
    table = table[[*COLUMNS, *fold_columns(table)[1:]]].astype(
        {"id": str, "fold": int, "cell": int, "lat": float, "lon": float}
    )
    return check_splits(table)


def check_splits(table: pd.DataFrame) -> pd.DataFrame:
    """Check the schema of ``splits.csv``; returns the table.

    Raises
    ------
    ValueError
        When a column, type or value is wrong, an id occurs twice, or a cluster spans two folds.
    """
    # here, because pandera costs half a second and training only needs ``roles``
    import pandera.pandas as pa

    schema = pa.DataFrameSchema(
        {
            "id": pa.Column(str),
            "kind": pa.Column(str, pa.Check.isin(["cell", "site"])),
            "cluster": pa.Column(str),
            **{name: pa.Column(int, pa.Check.ge(-1)) for name in fold_columns(table)},
            **{name: pa.Column(int, pa.Check.isin([0, 1])) for name in table.columns if str(name).startswith(KEPT)},
            # empty where the source publishes no coordinates
            "lat": pa.Column(float, pa.Check.in_range(-90, 90), nullable=True),
            "lon": pa.Column(float, pa.Check.in_range(-180, 360), nullable=True),
            "cell": pa.Column(int, pa.Check.ge(-1)),
        },
        unique=["kind", "id"],
        strict=True,
    )
    try:
        schema.validate(table)
    except pa.errors.SchemaError as error:
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"splits table is not valid ({reason}); run the harmonise rule again") from None
    for column in fold_columns(table):
        folded = table[table[column] >= 0]
        spread = folded.groupby(["kind", "cluster"])[column].nunique()
        if (spread > 1).any():
            raise ValueError(
                f"cluster '{spread.index[spread > 1][0][1]}' lies in {spread.max()} folds, 1 is expected, because its "
                "members are neighbours; run the harmonise rule again"
            )
    return table


def read_back(table: pd.DataFrame) -> pd.DataFrame:
    """A table just read from csv with the types restored (cell ids look like numbers) and checked."""
    return check_splits(table.astype({"id": str, "cluster": str, "lat": float, "lon": float}))


def roles(splits: pd.DataFrame, fold: int) -> pd.DataFrame:
    """Add ``role``: training, validation, test, predict (fold -1), or unused (a learning curve keeps other towers).

    A cell takes the strictest role among its own and those of the towers it holds. The fold after the last one tests
    nobody: fold 0 of the first assignment validates, the rest trains.

    Raises
    ------
    ValueError
        When ``fold`` is none of the table's.
    """
    last, folds = all_folds(splits), folds_of_assignment(splits)
    if not 0 <= fold <= last:
        raise ValueError(
            f"fold is {fold}, expected 0 to {last - 1} as in the splits table, or {last} for the fold that tests no "
            "tower; correct the run's fold"
        )
    assignment, tested = (0, folds) if fold == last else divmod(fold, folds)
    own_fold = splits[fold_column(assignment)]
    own = np.select(
        [own_fold < 0, own_fold == tested, own_fold == (0 if tested == folds else (tested + 1) % folds)],
        ["predict", "test", "validation"],
        "training",
    )
    if kept_in(fold) in splits:
        own = np.where(np.isin(own, ("validation", "training")) & splits[kept_in(fold)].eq(0), "unused", own)
    table = splits.assign(role=own)
    is_site = table["kind"] == "site"
    strict = table["role"].map(STRICTNESS)
    of_towers = strict[is_site & (table["cell"] >= 0)].groupby(table["cell"]).max()
    inherited = table["cell"].map(of_towers).where(~is_site)
    strictest = pd.concat([strict, inherited], axis=1).max(axis=1)
    names = {value: name for name, value in STRICTNESS.items()}
    # a cell outside every set of the published split stays outside
    table["role"] = strictest.map(names).where(~np.isin(own, ("predict", "unused")), table["role"])
    return table


def _plain(name: str) -> str:
    return name.replace(".", "-").replace("_", "-").upper()
