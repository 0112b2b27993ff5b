"""Another exchange is one file: it runs beside CO2 through every step and changes nothing of it."""

import hashlib
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dere.evaluation.runs import OWN_CLIMATOLOGY, OWN_LEVEL

RESULTS = "results/tiny"
NAME = "isoprene"
UNIT = "nmol m-2 s-1"
METHODS = {"climatology/none", "gbm/none", "gp/none", "baseline/transformer"}
"""Those of the run's methods that serve any exchange."""
BOTH = {"exchanges": ["co2", NAME]}
ONE_BACKBONE = {**BOTH, "backbones": ["transformer"]}
DECLARATION = '''"""Isoprene: one flux that nothing closes, measured at a few towers; for tests."""

from __future__ import annotations

from dere.exchange.base import Exchange, Flux, LabelRule

SITES = {sites}


def labels(towers, maximum_residual, repeated_run, reached):
    """Three and a tenth of NEE, where NEE is known."""
    import numpy as np
    import pandas as pd
    import xarray as xr

    from dere.harmonise.labels import Labels

    measured = np.isin(towers["site"].values.astype(str), SITES)[:, None] & reached & towers["in_record"].values
    nee = towers["nee"].transpose("site", "time").values
    value = np.where(measured, 3.0 + 0.1 * nee, np.nan)[..., None]
    left = np.isfinite(value[..., 0])
    dims = ("site", "time", "flux")
    dataset = xr.Dataset(
        {{
            "flux_value": (dims, value.astype(np.float32), {{"units": "{unit}"}}),
            "flux_uncertainty": (dims, np.where(left[..., None], 0.1, np.nan).astype(np.float32)),
            "flux_quality": (dims, np.where(left[..., None], 1.0, np.nan).astype(np.float32)),
        }},
        coords={{"site": towers["site"], "time": towers["time"], "flux": ["isoprene"]}},
    )
    counts = pd.DataFrame({{"site": towers["site"].values, "step": "labels", "reason": "kept", "months": left.sum(1)}})
    return Labels(dataset, counts[counts["months"] > 0].reset_index(drop=True))


EXCHANGE = Exchange(
    name="isoprene",
    fluxes=(
        Flux(
            name="isoprene",
            long_name="isoprene emission",
            unit="{unit}",
            public_unit="{unit}",
            valid=(-5.0, 20.0),
            possible=(-50.0, 100.0),
            file_stem="emiisop",
        ),
    ),
    free=("isoprene",),
    basis=("isoprene",),
    labels=LabelRule(make="dere.exchange.isoprene:labels"),
)
'''


def measuring(folder):
    """Return five towers with labels: two that train, one that validates, two that test."""
    splits = pd.read_csv(folder / RESULTS / "data" / "splits.csv")
    towers = xr.open_dataset(folder / RESULTS / "data" / "towers.nc")
    months = np.isfinite(towers["flux_value"]).all("flux").sum("time").to_series()
    sites = splits[(splits["kind"] == "site") & (splits["fold"] >= 0)].set_index("id")
    sites["months"] = months
    role = sites["fold"].map(lambda fold: {0: "test", 1: "validation"}.get(fold, "training"))
    best = sites.sort_values("months", ascending=False).groupby(role, sort=False)
    chosen = {name: list(group.index) for name, group in best}
    return [*chosen["training"][:2], *chosen["validation"][:1], *chosen["test"][:2]]


def contents(folder):
    """Return time and digest of every file of CO2, what states the configuration and the logs apart."""
    results = folder / RESULTS
    apart = {results / NAME, results / "logs"}
    return {
        path.relative_to(results): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(results.rglob("*"))
        if path.is_file() and not apart & {*path.parents} and path.parent != results
    }


@pytest.fixture(scope="module")
def sites(continued):
    """Declare the exchange in the copy and return where it is measured."""
    chosen = measuring(continued.folder)
    text = DECLARATION.format(sites=chosen, unit=UNIT)
    (continued.folder / "src" / "dere" / "exchange" / f"{NAME}.py").write_text(text)
    return chosen


@pytest.fixture(scope="module")
def made(continued, sites, warm):
    """Run the exchange to the end and return its folder; before and after, all files of CO2."""
    before = contents(continued.folder)
    overlay = continued.configured("beside.yaml", ONE_BACKBONE)
    continued.finish(warm, overlay, *(f"{rule}_{NAME}" for rule in ("products", "comparison", "evaluate", "ensemble")))
    return continued.folder / RESULTS / NAME, before, contents(continued.folder)


def test_a_file_of_an_exchange_alone_reruns_nothing(continued, sites):
    assert continued.pending() == {}


def test_a_run_of_both_is_the_run_of_one_and_jobs_of_the_other(continued, sites):
    pending = set(continued.pending(continued.configured("both.yaml", BOTH)))
    own = {name for name in pending if name.endswith(f"_{NAME}")}
    # the first page leads to that of the other exchange
    assert pending - own <= {"resolved_config", "opening", "all"}
    shared = {"harmonise", "statistics", "ensemble", "evaluate", "cost", "comparison", "products", "map_baseline"}
    shared |= {"changes", "opening", "explorer"}
    members = {f"{what}_{method.split('/')[0]}" for what in ("train", "predict") for method in METHODS}
    assert own == {f"{rule}_{NAME}" for rule in shared | members}


def test_files_of_co2_stay_as_they_are(made):
    _, before, after = made
    assert len(before) > 100
    assert after == before


def test_towers_and_splits_hold_its_labels(made, sites):
    folder, _, _ = made
    towers = xr.open_dataset(folder / "data" / "towers.nc")
    kind = towers["kind"].to_series()
    assert set(kind.index[kind == "tower"]) == set(sites)
    of_run = xr.open_dataset(folder.parent / "data" / "towers.nc")["flux_value"].sel(site=sites, flux="nee")
    values = towers["flux_value"].sel(site=sites, flux=NAME)
    there = np.isfinite(of_run.values)
    assert there.any(1).all()
    np.testing.assert_allclose(values.values[there], 3.0 + 0.1 * of_run.values[there], rtol=1e-5)
    splits = pd.read_csv(folder / "data" / "splits.csv")
    assert set(splits.loc[(splits["kind"] == "site") & (splits["fold"] >= 0), "id"]) == set(sites)
    assert not {"simulated", "initial_state"} & set(towers.variables)
    assert xr.open_dataset(folder / "data" / "statistics" / "fold0.nc")["flux"].values.tolist() == [NAME]


def test_every_method_that_serves_it_is_trained_and_predicts_with_quantiles(made, sites):
    folder, _, _ = made
    found = {
        str(path.parent.relative_to(folder / "predictions")) for path in folder.glob("predictions/*/*/ensemble.nc")
    }
    assert found == METHODS
    for member in METHODS:
        method, backbone = member.split("/")
        assert (folder / "models" / backbone / "fold0" / "seed0" / method / "model.safetensors").exists()
        predicted = xr.open_dataset(folder / "predictions" / member / "fold0" / "seed0.nc")
        assert predicted["flux"].values.tolist() == [NAME]
        values = predicted["prediction"]
        worth = dict(zip(values["site"].values.tolist(), predicted["role"].values.tolist(), strict=True))
        assert {worth[site] for site in sites[3:]} == {"cross_validated"}
        assert {worth[site] for site in sites[:3]} == {"seen_in_training"}
        there = values.notnull()
        assert bool(there.any("time").all()) and -5 < float(values.min()) <= float(values.max()) < 20
        assert bool((predicted["quantile_value"].notnull() == there).all())
        assert bool((predicted["quantile_value"].diff("quantile").where(there) >= 0).where(there, True).all())
        assert bool((predicted["std"].where(there) >= 0).where(there, True).all())


def test_its_tables_are_complete(made, sites):
    folder, _, _ = made
    tables = {path.stem: pd.read_csv(path) for path in (folder / "tables").glob("*.csv")}
    assert set(tables) == {"skill", "site_skill", "paired", "calibration", "site_calibration", "closure", "totals",
                           "roles", "cost", "comparison", "transfers", "sites"}  # fmt: skip
    references = {f"{name}/none" for name in (OWN_CLIMATOLOGY, OWN_LEVEL)}
    assert {f"{row.method}/{row.backbone}" for row in tables["skill"].itertuples()} == METHODS | references
    assert set(tables["skill"]["flux"]) == set(tables["comparison"]["flux"]) == {NAME}
    assert set(tables["site_skill"]["site"]) <= set(sites[3:]) and len(tables["site_skill"])
    assert tables["comparison"][["nse", "rmse"]].notna().all(axis=None)
    assert tables["closure"].empty
    assert {rule for rule in tables["cost"]["rule"] if rule.startswith("train")} == {
        "train_climatology", "train_gbm", "train_gp", "train_baseline"
    }  # fmt: skip


def test_its_public_files_are_complete(made, sites):
    folder, _, _ = made
    (path,) = (folder / "products").glob("*.nc")
    assert re.fullmatch(r"emiisop_mon_dere_gn_\d{6}-\d{6}\.nc", path.name)
    public = xr.open_dataset(path)
    assert public["emiisop"].attrs["units"] == UNIT and bool(public["emiisop"].notnull().any())
    quantiles = public["emiisop_q95"] - public["emiisop_q05"]
    assert bool((quantiles >= 0).where(public["emiisop"].notnull(), True).all())
    land = public["areacella"] * public["sftlf"] / 100
    seconds = public["time"].dt.days_in_month * 86400
    yearly = (public["emiisop"] * land * seconds).sum(("lat", "lon")).groupby("time.year").sum()
    totals = pd.read_csv(folder / "tables" / "totals.csv")
    found = totals[totals["region"] == "global"].set_index("year")["total_nmol"]
    np.testing.assert_allclose(found.loc[yearly["year"].values], yearly.values, rtol=1e-5)
    table = pd.read_csv(folder / "products" / "towers.csv.gz")
    assert set(table["flux"]) == {NAME} and {*sites[3:]} <= set(table["site"])
    assert table[["predicted", "std", "q05", "q50", "q95"]].notna().all(axis=None)


def test_a_second_run_of_both_does_nothing(continued, made):
    rules = [f"{rule}_{NAME}" for rule in ("products", "comparison", "evaluate", "ensemble")]
    assert continued.pending("beside.yaml", *rules) == {}
