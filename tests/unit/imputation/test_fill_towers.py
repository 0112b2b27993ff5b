"""Which fold fills a tower, and that every labelled tower is filled."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.exchange.co2 import EXCHANGE
from dere.harmonise.splits import kept_in
from dere.imputation.fit import describe
from dere.imputation.labels import impute
from dere.io import file_sha256, write_netcdf
from dere.training import checkpoint
from dere.training.fitted import Fitted
from dere.training.weights import arrays_of
from dere.workflow.fill_towers import FILES, known_to_folds, write_filled


@pytest.fixture(scope="module")
def made(trained, towers, splits, labels, config, tmp_path_factory):
    """Files of filled towers of a run of one fold; one site is in no fold, one the fold does not learn from."""
    folder = tmp_path_factory.mktemp("filled")
    kept = (splits["id"] != "S02").astype(int)
    rows = splits.assign(fold=splits["fold"].where(splits["id"] != "S10", -1), **{kept_in(0): kept})
    files = {"towers": folder / "towers.nc", "splits": folder / "splits.csv"}
    write_netcdf(towers, files["towers"])
    rows.to_csv(files["splits"], index=False)
    write_netcdf(labels, folder / "labels.nc")
    imputer, history = trained
    about = {"fold": 0, "seed": 3, "split": file_sha256(files["splits"])}
    checkpoint.save(
        folder / "model", Fitted(arrays_of(imputer.state_dict()), describe(imputer, about), history), EXCHANGE
    )
    write_filled(files, [folder / "labels.nc"], folder / "model", folder / "out", config)
    return folder / "out", rows


def test_every_tower_of_a_fold_is_filled_and_no_other(made):
    out, rows = made
    assert sorted(path.name for path in out.iterdir()) == sorted(FILES)
    with xr.open_dataset(out / "monthly.nc") as file:
        assert set(file["site"].values.tolist()) == set(rows.loc[rows["fold"] >= 0, "id"])
        role = dict(zip(file["site"].values.tolist(), file["role"].values.tolist(), strict=True))
    assert role.pop("S02") == "unused"
    names = {0: "test", 1: "validation"}
    others = rows[(rows["fold"] >= 0) & (rows["id"] != "S02")]
    assert role == {row.id: names.get(row.fold, "training") for row in others.itertuples()}


def test_observed_months_are_kept_and_gaps_are_filled(made, towers):
    out, _ = made
    rows = pd.read_csv(out / "monthly.csv.gz")
    value = towers["flux_value"].to_series().unstack("flux")
    value.index = [(site, str(time)[:7]) for site, time in value.index]
    given = value.reindex(list(zip(rows["site"], rows["month"], strict=True)))
    seen = (rows["origin"] == "observed").to_numpy()
    assert (np.isfinite(given).all(axis=1).to_numpy() == seen).all() and 0 < seen.mean() < 1
    for flux in ("gpp", "reco", "nee"):
        np.testing.assert_allclose(rows[flux][seen], given[flux].to_numpy()[seen], atol=1e-3)
        assert (rows[f"{flux}_std"] > 0).all() and (rows[f"{flux}_q05"] < rows[f"{flux}_q95"]).all()


def test_a_tower_of_the_test_fold_depends_on_nothing_but_its_own_months(made, trained, towers, config, tmp_path):
    out, rows = made
    changed = towers.copy(deep=True)
    others = ~np.isin(towers["site"].values, ["S00"])
    changed["flux_value"][others] += 3.0
    drawn = impute(trained[0], changed, rows, 0, config, 3, ids=["S00"])
    with xr.open_dataset(out / "monthly.nc") as file:
        here = file["nee_member"].values[file["site"].values.tolist().index("S00")]
    np.testing.assert_allclose(here, drawn["sample"].sel(flux="nee").values[0], atol=1e-3)


def test_a_fold_that_trains_on_a_tower_fills_it(labels, splits):
    first, second = (labels.assign_attrs(fold=fold) for fold in (0, 4))
    other = second.assign_coords(site=[f"S{i:02d}" for i in range(len(splits)) if i % 5 != 4])
    parts = known_to_folds([first, other], splits)
    found = [(int(part["fold"][0]), str(part["role"][0].item()), part["site"].values.tolist()) for part in parts]
    # fold 0 validates on the towers of fold 1, on which fold 4 trains; the latter validates on those that fold 0 tests
    assert [of[:2] for of in found] == [(0, "training"), (4, "training"), (4, "validation")]
    assert found[1][2] == ["S01", "S06", "S11"] and found[2][2] == ["S00", "S05", "S10"]


def test_an_imputation_of_another_split_is_refused(made, splits, labels, config, tmp_path):
    out, _ = made
    files = {"towers": out.parent / "towers.nc", "splits": tmp_path / "splits.csv"}
    splits.assign(cell=7).to_csv(files["splits"], index=False)
    with pytest.raises(ValueError, match="'split' of the checkpoint is"):
        write_filled(files, [out.parent / "labels.nc"], out.parent / "model", tmp_path / "out", config)
    assert not (tmp_path / "out").exists()
