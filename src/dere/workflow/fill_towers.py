"""Write the series of all labelled towers with their gaps filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from dere.config.imputation import ImputationConfig
from dere.exchange import DEFAULT, get
from dere.harmonise.splits import roles
from dere.imputation.bundle import from_manifest
from dere.imputation.labels import impute
from dere.imputation.series import site_ids
from dere.invented import invented_sources, marked
from dere.io import file_sha256, read_netcdf, write_netcdf, write_table
from dere.products.filled_towers import annual, joined, monthly, table, time_series
from dere.training import checkpoint, weights
from dere.workflow.members import read_splits
from dere.workflow.script import announce

FILES = ("monthly.nc", "annual.nc", "monthly.csv.gz", "annual.csv")
_KEPT = ("license", "references", "source_versions")


def write_filled(
    files: Mapping[str, Path],
    labels: Sequence[Path],
    trained: Path,
    folder: Path,
    config: ImputationConfig,
) -> None:
    """Write `FILES` into ``folder``.

    A tower is filled by the first fold of the run in which the imputation trains on it, else validates on it; a
    tower that no fold of the run learns from by that of the first fold, given the tower's own months. No stage reads
    these files.

    Parameters
    ----------
    files
        ``towers`` and ``splits``.
    labels
        ``labels.nc`` of the folds of one seed, in the order of the run.
    trained
        Folder of the trained imputation of the first of them.
    config
        The section imputation.

    Raises
    ------
    ValueError
        When the imputation saw another split.
    """
    towers, splits = read_netcdf(files["towers"]), read_splits(files["splits"])
    parts = known_to_folds([read_netcdf(path) for path in labels], splits)
    done = {str(site) for part in parts for site in part["site"].values}
    rest = [site for site in labelled(splits) if site not in done and site in towers["site"].values]
    if rest:
        fitted = checkpoint.read(trained, get(DEFAULT), {"split": file_sha256(files["splits"])})
        imputer = weights.load(from_manifest(fitted.facts), fitted)
        imputer.eval()
        fold, seed = int(fitted.facts["fold"]), int(fitted.facts["seed"])
        parts.append(_placed(impute(imputer, towers, splits, fold, config, seed, ids=rest), splits))
    whole = joined(parts, towers)
    months = monthly(whole)
    years = annual(months)
    kept = {name: towers.attrs[name] for name in _KEPT if name in towers.attrs}
    about = marked(invented_sources([towers.attrs])) | kept | {"seed": str(parts[0].attrs["seed"])}
    for name, filled in (("monthly", months), ("annual", years)):
        title = {"title": f"{name.capitalize()} carbon fluxes of towers, gaps filled"}
        write_netcdf(time_series(filled, whole, about | title), folder / f"{name}.nc")
    rows = table(months, whole, "month")
    write_table(rows, folder / "monthly.csv.gz", float_format="%.9g")
    write_table(table(years, whole, "year"), folder / "annual.csv")
    shares = rows["origin"].eq("observed").mean()
    announce(f"towers filled: {whole.sizes['site']}, {len(rows)} months, {100 * shares:.0f} % observed")


def labelled(splits: pd.DataFrame) -> list[str]:
    """Sites of a fold: those with labels."""
    return splits.loc[(splits["kind"] == "site") & (splits["fold"] >= 0), "id"].astype(str).tolist()


def known_to_folds(labels: Sequence[xr.Dataset], splits: pd.DataFrame) -> list[xr.Dataset]:
    """Take each site from the first fold that trains on it, else from the first that validates on it."""
    parts: list[xr.Dataset] = []
    done: set[str] = set()
    for role in ("training", "validation"):
        for made in labels:
            wanted = set(site_ids(splits, int(made.attrs["fold"]), role)) - done
            here = np.isin(made["site"].values.astype(str), sorted(wanted))
            if here.any():
                parts.append(_placed(made.isel(site=np.flatnonzero(here)), splits))
                done |= set(made["site"].values[here].astype(str))
    return parts


def _placed(labels: xr.Dataset, splits: pd.DataFrame) -> xr.Dataset:
    """Labels with the fold that made them and the role of their sites in it."""
    fold = int(labels.attrs["fold"])
    table = roles(splits, fold).query("kind == 'site'")
    role = dict(zip(table["id"].astype(str), table["role"], strict=True))
    own = np.array([role[site] for site in labels["site"].values.astype(str)], object)
    return labels.assign(fold=("site", np.full(len(own), fold, np.int32)), role=("site", own))
