"""What stands behind a row of calibration.csv: towers and months that were used, each tower once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.config.evaluation import EvaluationConfig
from dere.evaluation.calibration import calibration
from dere.evaluation.ensemble import ensemble
from dere.evaluation.judge import judge
from dere.evaluation.schemas import checked
from dere.evaluation.tower_coverage import tower_coverage
from dere.evaluation.truth import references
from dere.harmonise.splits import roles

CONFIG = EvaluationConfig(bootstrap=50, minimum_years=3)


def with_std(file: xr.Dataset, spread: float = 1.0) -> xr.Dataset:
    return file.assign(std=xr.full_like(file["prediction"], spread))


def rows_of(table: pd.DataFrame, grouping: str) -> pd.DataFrame:
    chosen = table.query("grouping == @grouping and flux == 'nee' and part == 'all' and scale == 'monthly'")
    return chosen.set_index(["fold", "seed"])


def table_of(file, *about):
    return calibration(tower_coverage(file, *about))


def test_pooled_rows_count_every_tower_once(noisy, towers, members, truth):
    """Three seeds of two folds: test towers add up over folds, seeds and virtual towers do not."""
    splits, parts, tested = members.drop(columns="role"), [], 0
    for fold in (0, 1):
        file = with_std(noisy(1.0, fold=fold))
        here = roles(splits, fold)
        sites = here.loc[here["role"].isin(["test", "predict"]), "id"].to_numpy()
        for seed in range(3):
            run = file.assign_coords(site=sites).assign_attrs(seed=seed)
            parts.append(tower_coverage(run, towers, here, CONFIG, truth))
        main = next(r for r in references(towers, here, CONFIG) if r.rows == "measured")
        tested += int((np.isfinite(main.values.sel(flux="nee")).sum("time") >= CONFIG.minimum_months).sum())
    table = checked(calibration(pd.concat(parts, ignore_index=True)), "calibration")
    measured, virtual = (rows_of(table, grouping) for grouping in ("all", "virtual"))
    assert measured.loc[("all", "all"), "sites"] == tested == measured.xs("0", level="seed")["sites"].sum()
    assert measured.loc[("all", "all"), "periods"] == measured.xs("0", level="seed")["periods"].sum()
    assert virtual.loc[("all", "all"), "sites"] == 4 == virtual.loc[("0", "1"), "sites"]
    assert virtual.loc[("all", "all"), "periods"] == virtual.loc[("1", "2"), "periods"]


def test_members_that_agree_have_no_spread_to_compare(noisy, towers, members):
    """Climatology is the same for every seed: its ensemble has no spread, not one of nought."""
    equal, other = (ensemble([noisy(1.0, seed=s) for s in seeds]) for seeds in ((4, 4, 4), (4, 5, 6)))
    assert float(np.nanmax(equal["std"])) == 0.0
    assert rows_of(table_of(equal, towers, members, CONFIG), "all")["spread_error"].isna().all()
    assert (rows_of(table_of(other, towers, members, CONFIG), "all")["spread_error"] > 0.1).all()


def test_counts_are_of_the_pairs_that_were_used(noisy, towers, members):
    whole = with_std(noisy(1.0))
    holed = whole.copy(deep=True)
    holed["std"][0] = np.nan
    holed["std"][1, :6] = np.nan
    before, after = (table_of(file, towers, members, CONFIG).iloc[0] for file in (whole, holed))
    used = np.isfinite(towers["flux_value"].sel(site=["T000", "T001"], flux="gpp")) & (
        towers["flux_quality"].sel(flux="gpp") >= 0.5
    )
    lost = int(used.sel(site="T000").sum()) + int(used.sel(site="T001")[:6].sum())
    assert (after["sites"], after["periods"]) == (before["sites"] - 1, before["periods"] - lost)


def test_the_judge_refuses_a_file_whose_intervals_have_holes(noisy, towers, members):
    file = with_std(noisy(1.0))
    file["std"][1, 3, 2] = np.nan
    with pytest.raises(ValueError, match=r"dere/fold0/seed0.nc: 1 of \d+ values of std are missing"):
        judge({"dere/fold0/seed0.nc": file}, towers, members.drop(columns="role"), CONFIG)
